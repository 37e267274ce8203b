"""The expressions of `.if`, `.elif` and `-cc` (manual 2.4).

Owns: the grammar and the predicates. Must not know: blocks of lines (conditions.py), nor how any fact was found out:
all of them come in `ConditionFacts`. Invariant: every part is read and evaluated, so that `1 || foo` is an error; no
predicate has an effect.

    expression := all ("||" all)*          all := term ("&&" term)*
    term := "!"* (integer | "(" expression ")" | predicate ["(" argument ("," argument)* ")"])

An argument keeps its blanks. Quotes inside it (which the line's own quoting must protect) are resolved once more, and
so are the escapes of a backslash, a quote, a blank, `t`, `n` and `r`: manual 2.2 on arguments in parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .environment import LANGUAGE_VERSION, Environment
from .features import ENABLED_OPTIONS, FEATURES
from .lexer import LexicalError, Word, split_words
from .suggest import nearest
from .versions import haproxy_version, openssl_version, openssl_version_of

MAX_PARENTHESES = 100
"""Parentheses in parentheses; HAProxy allows 1024."""


@dataclass(frozen=True, slots=True)
class ConditionFacts:
    """What predicates ask about. `environment` is read at the time of the question.

    `ssl_library` is the library's full name, "" for none; `awslc_api` its API number if it is AWS-LC, else 0."""

    environment: Mapping[str, str] = field(default_factory=dict)
    version: str = LANGUAGE_VERSION
    features: Mapping[str, bool] = field(default_factory=lambda: FEATURES)
    enabled: frozenset[str] = ENABLED_OPTIONS
    ssl_library: str = ""
    awslc_api: int = 0
    diagnostic_mode: bool = False
    """Whether `.diag` speaks (-dD)."""


class ConditionError(ValueError):
    """An expression that cannot be read. `position` counts characters of the expression from 0."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint


def evaluate(expression: str, facts: ConditionFacts) -> bool:
    """The truth of an expression whose line has been cut into words and joined again by single blanks.

    An empty one is false. ConditionError."""
    if not expression.strip(" \t"):
        return False
    reader = _Reader(expression, facts)
    result = reader.read_any()
    reader.skip_blanks()
    if reader.position < len(expression):
        raise ConditionError(
            f"unexpected character '{expression[reader.position]}' after the condition", reader.position
        )
    return result


def evaluate_text(text: str, environment: Environment, facts: ConditionFacts) -> bool:
    """The truth of the argument of `-cc`: quotes and variables are resolved first, and `#` starts no comment.

    ConditionError; its position is then one of `text`."""
    try:
        words = split_words(text, environment, comments=False)
    except LexicalError as error:
        raise ConditionError(error.message, error.column - 1, error.hint) from None
    try:
        return evaluate(" ".join(word.text for word in words), facts)
    except ConditionError as error:
        raise ConditionError(error.message, source_column(words, text, error.position) - 1, error.hint) from None


def source_column(words: Sequence[Word], source: str, position: int) -> int:
    """The column (from 1) of `source` where character `position` of the joined words stands."""
    for word in words:
        if position <= len(word.text):
            return word.start + position
        position -= len(word.text) + 1
    return len(source) + 1


def _defined(arguments: list[str], facts: ConditionFacts) -> bool:
    return arguments[0] in facts.environment


def _awslc_api_atleast(arguments: list[str], facts: ConditionFacts) -> bool:
    if not arguments[0].isdecimal():
        raise ValueError(f"'{arguments[0]}' is not a number")
    return facts.awslc_api > 0 and facts.awslc_api >= int(arguments[0])


def _openssl_compared(arguments: list[str], facts: ConditionFacts) -> int | None:
    """Negative, zero, positive: this library against the argument; None: it is not OpenSSL."""
    wanted = openssl_version(arguments[0])
    ours = openssl_version_of(facts.ssl_library)
    return None if ours is None else (ours > wanted) - (ours < wanted)


def _openssl_version_atleast(arguments: list[str], facts: ConditionFacts) -> bool:
    compared = _openssl_compared(arguments, facts)
    return compared is not None and compared >= 0


def _openssl_version_before(arguments: list[str], facts: ConditionFacts) -> bool:
    compared = _openssl_compared(arguments, facts)
    return compared is not None and compared < 0


def _ssllib_name_startswith(arguments: list[str], facts: ConditionFacts) -> bool:
    return facts.ssl_library != "" and facts.ssl_library.startswith(arguments[0])


Predicate = Callable[[list[str], ConditionFacts], bool]

PREDICATES: Mapping[str, tuple[int, Predicate]] = {
    # name: (arguments, function); a function may raise ValueError for an argument that it cannot read
    "defined": (1, _defined),
    "feature": (1, lambda arguments, facts: facts.features.get(arguments[0], False)),
    "enabled": (1, lambda arguments, facts: arguments[0] in facts.enabled),
    "streq": (2, lambda arguments, facts: arguments[0] == arguments[1]),
    "strneq": (2, lambda arguments, facts: arguments[0] != arguments[1]),
    "strstr": (2, lambda arguments, facts: arguments[1] in arguments[0]),
    "version_atleast": (
        1,
        lambda arguments, facts: haproxy_version(facts.version) >= haproxy_version(arguments[0]),
    ),
    "version_before": (1, lambda arguments, facts: haproxy_version(facts.version) < haproxy_version(arguments[0])),
    "openssl_version_atleast": (1, _openssl_version_atleast),
    "openssl_version_before": (1, _openssl_version_before),
    "ssllib_name_startswith": (1, _ssllib_name_startswith),
    "awslc_api_atleast": (1, _awslc_api_atleast),
}

_BLANKS = re.compile(r"[ \t]*")
_INTEGER = re.compile(r"[+-]?(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*|[1-9][0-9]*))", re.ASCII)
_PREDICATE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_ARGUMENT_ESCAPES = {"\\": "\\", " ": " ", '"': '"', "'": "'", "t": "\t", "n": "\n", "r": "\r"}


class _Reader:
    """A cursor over one expression."""

    __slots__ = ("_depth", "_facts", "_text", "position")

    def __init__(self, text: str, facts: ConditionFacts) -> None:
        self._text = text
        self._facts = facts
        self._depth = 0
        self.position = 0

    def skip_blanks(self) -> None:
        blanks = _BLANKS.match(self._text, self.position)
        assert blanks is not None
        self.position = blanks.end()

    def read_any(self) -> bool:
        result = self._read_all()
        while self._take("||"):
            result = self._read_all() or result
        return result

    def _read_all(self) -> bool:
        result = self._read_term()
        while self._take("&&"):
            result = self._read_term() and result
        return result

    def _take(self, operator: str) -> bool:
        self.skip_blanks()
        if not self._text.startswith(operator, self.position):
            return False
        self.position += len(operator)
        return True

    def _read_term(self) -> bool:
        negated = False
        while self._take("!"):
            negated = not negated
        self.skip_blanks()
        start = self.position
        if integer := _INTEGER.match(self._text, start):
            self.position = integer.end()
            return bool((integer[1] or integer[2]).strip("0")) != negated
        if self._take("("):
            return self._read_parenthesis(start) != negated
        name = _PREDICATE.match(self._text, start)
        if name is None:
            found = f"at '{self._text[start:]}'" if start < len(self._text) else "at the end"
            raise ConditionError(f"a condition is missing {found}", start)
        self.position = name.end()
        return self._apply(name[0], start) != negated

    def _read_parenthesis(self, start: int) -> bool:
        self._depth += 1
        if self._depth > MAX_PARENTHESES:
            raise ConditionError(f"too many nested parentheses, at most {MAX_PARENTHESES}", start)
        result = self.read_any()
        if not self._take(")"):
            raise ConditionError("expected ')' to close this parenthesis", start)
        self._depth -= 1
        return result

    def _apply(self, name: str, start: int) -> bool:
        if name not in PREDICATES:
            near = nearest(name, PREDICATES)
            raise ConditionError(f"unknown predicate '{name}'", start, f"did you mean '{near}'?" if near else "")
        count, predicate = PREDICATES[name]
        arguments = self._read_arguments(start) if self._text.startswith("(", self.position) else []
        if len(arguments) > count:
            raise ConditionError(f"too many arguments for '{name}': {len(arguments)} instead of {count}", start)
        if not arguments and count == 1:
            arguments = [""]  # HAProxy takes `defined()`, and even `defined` alone, as a question about no name
        if len(arguments) < count:
            raise ConditionError(f"missing arguments for '{name}': {len(arguments)} instead of {count}", start)
        try:
            return predicate(arguments, self._facts)
        except ValueError as error:
            raise ConditionError(f"{name}: {error}", start) from None

    def _read_arguments(self, start: int) -> list[str]:
        """From the opening parenthesis to behind the closing one."""
        text = self._text
        arguments: list[str] = []
        parts: list[str] = []
        quote = ""
        position = self.position + 1
        while position < len(text):
            character = text[position]
            position += 1
            if character == quote:
                quote = ""
            elif not quote and character in "\"'":
                quote = character
            elif character == "\\" and quote != "'" and text[position : position + 1] in _ARGUMENT_ESCAPES:
                parts.append(_ARGUMENT_ESCAPES[text[position]])
                position += 1
            elif not quote and character in ",)":
                arguments.append("".join(parts))
                parts.clear()
                if character == ")":
                    self.position = position
                    return arguments
            else:
                parts.append(character)
        wanted = f"a closing {quote}" if quote else "')'"
        raise ConditionError(f"expected {wanted} in the arguments that start here", start)
