"""Sample expressions: `fetch(arguments),converter(arguments),...` read from text, and compiled to one closure.

Owns: the syntax (manual 7.3), the order of types, the casts between them, what an expression needs. Must not know: any
fetch or converter; whoever wants those of maniple imports `keywords`, which fills the catalogue.

Everything that can be known beforehand is settled when an expression is compiled: arguments are values, casts are
functions, needless ones are left out. What remains is one call per step (0.05 to 0.1 us) and one test for None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..config import suggest
from ..errors import ConfigError
from .arguments import HOW_WRITTEN, Argument, cut_arguments, read_arguments
from .catalogue import (
    CONVERTERS,
    FETCHES,
    Call,
    Convert,
    ConverterEntry,
    Each,
    Fetch,
    HeaderOf,
    Needing,
    Needs,
    Scoped,
    Stage,
)
from .samples import ANY, Type, find_cast, is_needless
from .scope import Site
from .vocabulary import missing

_KEYWORD = re.compile(r"[A-Za-z0-9_.+-]+", re.ASCII)

Step = Callable[[Any], Any]


class Word(Protocol):
    """A word of a line (config.lexer.Word)."""

    @property
    def text(self) -> str: ...
    @property
    def column(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Keyword:
    """A fetch or converter as written."""

    name: str
    arguments: tuple[Argument, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression as written."""

    fetch: Keyword
    converters: tuple[Keyword, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that runs. `run(scope)` gives its value or None; where `type` is ANY the value is a pair (type,
    value). `each(scope)` gives all values, for conditions; None where there is never more than one."""

    run: Fetch
    each: Each | None
    header: HeaderOf | None
    """The header that `each` reads, where no converter follows."""
    type: Type
    needs: Needs
    stages: Stage
    """Where it makes sense; a stage that is not among them was refused."""
    text: str


# Reading.


def parse_expression(text: str, column: int = 1) -> Expression:
    """The whole text as one expression; `column` is where it starts in its line. Raises ConfigError."""
    expression, index = parse_start(text, column)
    if index != len(text):
        raise _unexpected(text, index, column)
    return expression


def parse_start(text: str, column: int = 1, start: int = 0) -> tuple[Expression, int]:
    """The expression at `text[start]` and the index behind it: of the first character that cannot belong to it. For
    texts that go on, such as log formats. Raises ConfigError."""
    fetch, index = _keyword(text, start, column)
    converters = []
    while text[index : index + 1] == ",":
        step, index = _keyword(text, index + 1, column)
        converters.append(step)
    return Expression(fetch, tuple(converters), text[start:index]), index


def parse_words(words: Sequence[Word], start: int = 0) -> tuple[Expression, int]:
    """The expression that starts at `words[start]` and the index of the first word behind it. Converters may follow as
    words of their own (manual 7.3.1): a word belongs to the expression as long as it starts with the name of a
    converter. Raises ConfigError."""
    if start >= len(words):
        raise ConfigError("a sample expression is expected", hint=HOW_WRITTEN)
    word = words[start]
    text = word.text
    shown = text
    open_end = text.endswith(",")
    expression, index = parse_start(text.rstrip(",") if open_end else text, word.column)
    converters = list(expression.converters)
    if index != len(text.rstrip(",") if open_end else text):
        raise _unexpected(text, index, word.column)
    start += 1
    while start < len(words):
        word = words[start]
        text = word.text
        name = _KEYWORD.match(text)
        if name is None or name[0] not in CONVERTERS:
            break
        index = -1
        while index < len(text):
            step, index = _keyword(text, index + 1, word.column)
            converters.append(step)
            if index < len(text) and text[index] != ",":
                raise _unexpected(text, index, word.column)
            if index == len(text) - 1:
                break
        shown += " " + text
        start += 1
    return Expression(expression.fetch, tuple(converters), shown), start


def _keyword(text: str, index: int, column: int) -> tuple[Keyword, int]:
    match = _KEYWORD.match(text, index)
    if match is None:
        what = "a keyword is expected" if index < len(text) or index else "a sample expression is expected"
        raise ConfigError(what, column=column + index, word=text[index:], hint=HOW_WRITTEN)
    arguments: tuple[Argument, ...] = ()
    end = match.end()
    if text[end : end + 1] == "(":
        arguments, end = cut_arguments(text, end, column)
    return Keyword(match[0], arguments, column + index), end


def _unexpected(text: str, index: int, column: int) -> ConfigError:
    what = f"'{text[index:]}' cannot follow '{text[:index]}'"
    return ConfigError(what, column=column + index, word=text[index:], hint=HOW_WRITTEN)


# Compiling.


def compile_expression(expression: Expression, site: Site, stage: Stage, want: Type | None = None) -> Compiled:
    """Compile for `site`, for use in `stage`; `want`: the type that the value must have in the end (None: whatever
    comes). Raises ConfigError, for unknown keywords, wrong arguments, types that cannot be cast, and information that
    is not there in that stage."""
    keyword = expression.fetch
    entry = FETCHES.get(keyword.name)
    if entry is None:
        raise unknown("fetch", keyword, FETCHES)
    if not entry.stages & stage:
        raise ConfigError(
            f"'{keyword.name}' has nothing to say here: {_where(stage)}",
            column=keyword.column,
            word=keyword.name,
            hint=told_at(keyword.name, entry.stages, stage),
        )
    values = read_arguments(keyword.name, entry.slots, keyword.arguments, keyword.column, site)
    call = Call(keyword.name, values, keyword.arguments, keyword.column, site, stage)
    kind = entry.type
    needs = entry.needs
    steps: list[Step | Scoped] = []
    for item in expression.converters:
        converter = CONVERTERS.get(item.name)
        if converter is None:
            raise unknown("converter", item, CONVERTERS)
        if converter.source is not ANY:
            _add_cast(steps, kind, converter.source, item)
            kind = converter.source
        values = read_arguments(item.name, converter.slots, item.arguments, item.column, site)
        made = _make(converter, Call(item.name, values, item.arguments, item.column, site, stage, kind))
        steps.append(made)
        needs |= converter.needs
        kind = converter.result or kind
    if want is not None and want is not kind:
        last = expression.converters[-1] if expression.converters else keyword
        _add_cast(steps, kind, want, last)
        kind = want
    fetched = entry.make(call)
    if isinstance(fetched, Needing):
        needs |= fetched.needs
        fetched = fetched.function
    run = chain(fetched, steps)
    each = None
    if entry.make_each is not None:
        each = _chain_each(entry.make_each(call), steps)
    header = entry.header_of(call) if entry.header_of is not None and not steps else None
    return Compiled(run, each, header, kind, needs, entry.stages, expression.text)


def _make(converter: ConverterEntry, call: Call) -> Convert | Scoped:
    """What its maker makes. Some need a library that is only imported where one of them is used: where that is not
    installed, the line is in error."""
    try:
        return converter.make(call)
    except ImportError as error:
        package = (error.name or "cryptography").partition(".")[0]
        raise call.error(
            f"the Python package `{package}` is needed, and cannot be imported", hint=f"pip install {package}"
        ) from None


def compile_text(
    text: str, site: Site, stage: Stage, want: Type | None = None, *, column: int = 1, file: str = "", line: int = 0
) -> Compiled:
    """`parse_expression` and `compile_expression` at once. A ConfigError has the place."""
    try:
        return compile_expression(parse_expression(text, column), site, stage, want)
    except ConfigError as error:
        error.file, error.line = error.file or file, error.line or line
        raise


def unknown(kind: str, keyword: Keyword, known: dict[str, Any]) -> ConfigError:
    """The error for a name that is in no registry."""
    belongs = missing(kind, keyword.name)
    if belongs is not None:
        return ConfigError(
            f"maniple does not have HAProxy's {kind} '{keyword.name}' yet: it belongs to {belongs}",
            column=keyword.column,
            word=keyword.name,
            hint=suggest.KEYWORDS_LISTED,
        )
    near = suggest.nearest(keyword.name, known)
    return ConfigError(
        f"unknown {kind} '{keyword.name}'",
        column=keyword.column,
        word=keyword.name,
        hint=f"did you mean `{near}`?" if near else suggest.KEYWORDS_LISTED,
    )


_LINES = {
    "tcp-request connection": Stage.CONNECTION,
    "tcp-request session": Stage.SESSION,
    "tcp-request content": Stage.FRONT_CONTENT | Stage.BACK_CONTENT,
    "http-request": Stage.FRONT_REQUEST | Stage.BACK_REQUEST,
    "use_backend": Stage.USE_BACKEND,
    "use-server": Stage.USE_SERVER,
    "tcp-response content": Stage.BACK_RESPONSE_CONTENT,
    "http-response": Stage.BACK_RESPONSE | Stage.FRONT_RESPONSE,
    "log-format": Stage.LOG,
}


AT_START = "it is worked out at the start: `env(NAME)`, `str(text)`, `date` and the like are known then"


def told_at(name: str, stages: Stage, here: Stage) -> str:
    """The hint for a fetch that has nothing to say here: the lines where it has."""
    if here is Stage.PARSER:
        return AT_START
    lines = [line for line, where in _LINES.items() if stages & where]
    if "http-request" in lines and here > Stage.BACK_REQUEST:
        return f"a request's facts are kept: `http-request set-var(txn.kept) {name}`, and here `var(txn.kept)`"
    return f"it has in {', '.join(f'`{line}`' for line in lines)}" if lines else suggest.KEYWORDS_LISTED


def _where(stage: Stage) -> str:
    if stage is Stage.PARSER:
        return "there is no connection at the start"
    return f"the rule belongs to {(stage.name or 'this stage').lower().replace('_', ' ')}"


def _add_cast(steps: list[Step | Scoped], source: Type, target: Type, keyword: Keyword) -> None:
    cast = find_cast(source, target)
    if cast is None:
        raise ConfigError(
            f"'{keyword.name}': a value of type {source.value} cannot become {target.value}",
            column=keyword.column,
            word=keyword.name,
            hint=f"a value of type {target.value} is needed: `maniple check --keywords` tells the types",
        )
    if not is_needless(cast):
        steps.append(cast)


def chain(first: Fetch, steps: Sequence[Step | Scoped]) -> Fetch:
    """One function for a fetch and what follows it; the first None ends it. Two steps share one closure, since each
    closure costs a call (0.05 us)."""
    run = first
    index = 0
    while index < len(steps):
        step = steps[index]
        following = steps[index + 1] if index + 1 < len(steps) else None
        if isinstance(step, Scoped):
            run = _then_scoped(run, step.function)
        elif following is None or isinstance(following, Scoped):
            run = _then(run, step)
        else:
            run = _then_two(run, step, following)
            index += 1
        index += 1
    return run


def _then(first: Fetch, step: Step) -> Fetch:
    def run(x: Any) -> Any:
        value = first(x)
        return None if value is None else step(value)

    return run


def _then_two(first: Fetch, step: Step, other: Step) -> Fetch:
    def run(x: Any) -> Any:
        value = first(x)
        if value is None:
            return None
        value = step(value)
        return None if value is None else other(value)

    return run


def _then_scoped(first: Fetch, step: Callable[[Any, Any], Any]) -> Fetch:
    def run(x: Any) -> Any:
        value = first(x)
        return None if value is None else step(x, value)

    return run


def _chain_each(first: Each, steps: Sequence[Step | Scoped]) -> Each:
    """As `chain`, for all values; those that become None are left out."""
    if not steps:
        return first
    current: list[Any] = [None]
    convert = chain(lambda x: current[0], steps)

    def each(x: Any) -> list[Any]:
        found = []
        for value in first(x):
            current[0] = value
            result = convert(x)
            if result is not None:
                found.append(result)
        return found

    return each
