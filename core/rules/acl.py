"""One ACL: a criterion, flags and patterns, compiled to `test(scope) -> bool` (manual 7.1).

Owns: the ACL names of fetches and their derivatives (`path_beg`, `hdr_dom(host)`), flags, operators of integers, the
choice of the method, the second syntax (see `operators`). Must not know: names of ACLs and how they are combined
(acl_set, condition), how patterns are searched (patterns).

No value never matches, whatever the method; of several values one has to match. A criterion that has nothing to say
where it is used never matches either, which is a warning, as in HAProxy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..config import suggest
from ..config.model import Place
from ..config.pattern_files import FILE_HINT
from ..errors import ConfigError
from .acl_flags import Flags, Piece, apply_operators, late_flags, read_flags, undot
from .catalogue import FETCHES, Needs, Stage
from .derivatives import DERIVATIVES
from .expression import Compiled, Expression, Word, compile_expression, parse_expression, parse_words, told_at, unknown
from .header_tests import test_header
from .operators import is_second, read_second
from .pattern_files import files_of
from .patterns import DEFAULT_METHODS, Patterns, compile_patterns, show_sample
from .ranges import Numbers
from .samples import ANY, BOOL, CASTS, INT
from .scope import Site
from .table_limits import limit_of

Test = Callable[[Any], bool]

_CRITERION = "a criterion is a fetch or one of its ACL names, as in `path_beg /static`; an `acl` line has a name before"
_METHODS = "such as `-m found` (there is a value), `-m str`, `-m beg`, `-m reg`, `-m int`"
_NO_GROUPS = "the userlist has no `group` line"
_KEYWORD = re.compile(r"[A-Za-z0-9_.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Acl:
    """An ACL that can be tested. `why(scope)` says in words what it finds; it is slow."""

    test: Test
    needs: Needs
    name: str
    """"" for one between braces."""
    place: Place | None
    text: str
    why: Callable[[Any], str]
    fixed: bool = False
    """All of its patterns stand in its line, so that nobody can change them."""


def compile_acl(
    words: Sequence[Word],
    site: Site,
    stage: Stage,
    warnings: list[ConfigError] | None = None,
    *,
    name: str = "",
    place: Place | None = None,
) -> Acl:
    """Compile a criterion with its flags and patterns. Warnings are appended to `warnings`. Raises ConfigError."""
    if not words:
        what = "an ACL needs a criterion: a sample fetch, or one of its ACL names"
        raise ConfigError(what, hint=_CRITERION)
    notes = [] if warnings is None else warnings
    text = " ".join([word.text for word in words])
    if is_second(words[0]):
        expression, method, fold, negated, values = read_second(words, stage)
        compiled, known_here = _compile(expression, site, stage, None)
        patterns = [compile_patterns(method, values, ignore_case=fold)]
        compiled, known_here = _compile(expression, site, stage, patterns[0])
        test = _make_test(compiled, patterns)
        if negated:
            test = _negate_known(test) if compiled.needs & Needs.PAYLOAD else _negate(test)
        why = _make_why(compiled, patterns)
        fixed = True
    else:
        expression, implied, rest = _read_criterion(words)
        compiled, known_here = _compile(expression, site, stage, None)
        flags, rest = read_flags(rest)
        if not flags.ended:
            notes += late_flags(rest)
        if expression.fetch.name == _BY_GROUP:
            _check_groups(expression, flags, rest, site)
        method = _choose_method(flags, implied, compiled, expression)
        if expression.fetch.name in _DOTTED and not expression.converters and not flags.method:
            rest = [Piece(undot(word.text), word.column) for word in rest]
        patterns = _read_patterns(method, flags, rest, site, notes)
        if not patterns[0].method.patterns:
            pass
        elif not rest and not flags.ended and not flags.files and compiled.type is not BOOL:
            notes.append(
                ConfigError(
                    f"'{expression.text}' has no pattern to match: this ACL never matches",
                    column=words[0].column,
                    word=words[0].text,
                    hint="write `-m found` to ask whether there is a value, or `--` if this is meant",
                )
            )
        if method == "sub" and not flags.files and not flags.identity:
            expression = _by_lines(expression, rest)
        compiled, known_here = _compile(expression, site, stage, patterns[0])
        test = _make_test(compiled, patterns)
        why = _make_why(compiled, patterns)
        fixed = not flags.files and not flags.identity
        if fixed:
            test = _limit(compiled, patterns) or test
    if not known_here:
        notes.append(
            ConfigError(
                f"'{expression.fetch.name}' has nothing to say here: this ACL never matches",
                column=words[0].column,
                word=words[0].text,
                hint=told_at(expression.fetch.name, FETCHES[expression.fetch.name].stages, stage),
            )
        )
        return Acl(never, Needs.NOTHING, name, place, text, lambda x: "there is no such information here")
    return Acl(test, compiled.needs, name, place, text, why, fixed)


_BY_GROUP = "http_auth_group"
"""Its values are the user's groups for conditions: all that it can be compared with (as in HAProxy)."""
_DOTTED = frozenset({"req.ssl_ver", "req_ssl_ver"})
"""Their patterns are versions."""
_LINES = {"req.hdr": "req.fhdr", "res.hdr": "res.fhdr"}


def _by_lines(expression: Expression, words: Sequence[Word]) -> Expression:
    """The same search in whole header lines, where that finds the same: what has no comma, and no blank at its ends,
    stands in a line if it stands in one of its values. A browser's User-Agent has commas: 0.5 us instead of 2.5."""
    fetch = expression.fetch
    if fetch.name not in _LINES or expression.converters or len(fetch.arguments) != 1 or not fetch.arguments[0].text:
        return expression
    for word in words:
        if "," in word.text or word.text != word.text.strip(" \t"):
            return expression
    return replace(expression, fetch=replace(fetch, name=_LINES[fetch.name]))


def _check_groups(expression: Expression, flags: Flags, words: Sequence[Word], site: Site) -> None:
    """Only groups of the userlist, without method or converter; in files, too."""
    name = expression.fetch.name
    if flags.method or expression.converters or not (words or flags.files):
        raise ConfigError(
            f"'{name}' is compared with groups of its userlist, and with nothing else",
            column=expression.fetch.column,
            word=name,
            hint=f"{name}(<userlist>) <group>...",
        )
    userlist = expression.fetch.arguments[0].text
    known = site.userlists[userlist].groups
    named = [(word.text, word, "") for word in words]
    for file, _, as_map in flags.files or ():
        try:
            entries = files_of(site).file(file.text, as_map).entries
        except ValueError as error:
            raise ConfigError(str(error), column=file.column, word=file.text, hint=FILE_HINT) from None
        source = f", which '{file.text}' names"
        named += [(entry.decode("utf-8", "surrogateescape"), file, source) for entry in entries]
    for group, word, source in named:
        if group not in known:
            near = suggest.nearest(group, known)
            raise ConfigError(
                f"userlist '{userlist}' has no group '{group}'{source}",
                column=word.column,
                word=word.text,
                hint=f"did you mean `{near}`?" if near else f"groups are {', '.join(known)}" if known else _NO_GROUPS,
            )


def never(x: Any) -> bool:
    """The test that is always false."""
    return False


def _negate(test: Test) -> Test:
    return lambda x: not test(x)


def _negate_known(test: Test) -> Test:
    """The same where bytes may still come: what is not known yet is not known to be otherwise (inspecting)."""
    return lambda x: not test(x) and not (x.unsure and x.uncertain)


def _name_of(word: Word) -> str:
    found = _KEYWORD.match(word.text)
    return found[0] if found else ""


def _read_criterion(words: Sequence[Word]) -> tuple[Expression, str, Sequence[Word]]:
    """The expression, the method that its name implies ("" none), the words behind it."""
    first = words[0]
    name = _name_of(first)
    if not name:
        raise ConfigError("a keyword is expected", column=first.column, word=first.text, hint=_CRITERION)
    derivative = DERIVATIVES.get(name)
    if derivative is None:
        if name and name not in FETCHES:
            raise unknown("fetch", parse_expression(name, first.column).fetch, {**FETCHES, **DERIVATIVES})
        expression, index = parse_words(words)
        return expression, "", words[index:]
    # An ACL's own name takes no converters from further words: there they are patterns.
    expression = parse_expression(first.text, first.column)
    fetch, method = derivative
    expression = replace(expression, fetch=replace(expression.fetch, name=fetch))
    return expression, "" if expression.converters else method, words[1:]


def _compile(expression: Expression, site: Site, stage: Stage, patterns: Patterns | None) -> tuple[Compiled, bool]:
    """The expression, cast to what the patterns want, and whether it has something to say in this stage."""
    entry = FETCHES.get(expression.fetch.name)
    if entry is None:
        raise unknown("fetch", expression.fetch, {**FETCHES, **DERIVATIVES})
    known_here = bool(entry.stages & stage)
    if not known_here:
        stage = next(one for one in Stage if one & entry.stages)
    compiled = compile_expression(expression, site, stage)
    if patterns is None or patterns.want is None:
        return compiled, known_here
    want = patterns.want
    if want is INT and patterns.method.name == "bool" and compiled.type is BOOL:
        return compiled, known_here
    if (compiled.type, want) not in CASTS:
        raise ConfigError(
            f"matching method '{patterns.method.name}' cannot be used with '{expression.text}', "
            f"whose values are of type {compiled.type.value}",
            column=expression.fetch.column,
            word=expression.fetch.name,
            hint=_METHODS,
        )
    return compile_expression(expression, site, stage, want), known_here


def _choose_method(flags: Flags, implied: str, compiled: Compiled, expression: Expression) -> str:
    method = flags.method or implied or DEFAULT_METHODS.get(compiled.type, "")
    if not method:
        kind = "any type" if compiled.type is ANY else f"type {compiled.type.value}"
        raise ConfigError(
            f"values of '{expression.text}' are of {kind}: say with `-m` how they are matched",
            column=expression.fetch.column,
            word=expression.fetch.name,
            hint=_METHODS,
        )
    return method


def _read_patterns(
    method: str, flags: Flags, words: Sequence[Word], site: Site, notes: list[ConfigError]
) -> list[Patterns]:
    """The sets of patterns, in the order in which they are tried: each file is one, the words are one."""
    found = []
    for word, fold, as_map in flags.files or ():
        try:
            found.append(files_of(site).patterns(word.text, method, fold, flags.resolve, as_map))
        except ValueError as error:
            raise ConfigError(str(error), column=word.column, word=word.text, hint=FILE_HINT) from None
    if words or not found:
        if method in ("int", "len"):
            words = apply_operators(words, notes)
        inline = compile_patterns(method, words, ignore_case=flags.ignore_case, resolve=flags.resolve)
        found.append(_named(flags.identity, inline, words, site) if flags.identity else inline)
    return found


def _named(identity: str, patterns: Patterns, words: Sequence[Word], site: Site) -> Patterns:
    """Patterns with a number of their own (`-u`): the same ones however often their line is compiled."""
    try:
        return files_of(site).name(identity, patterns, tuple([(word.text, word.column) for word in words]))
    except ValueError as error:
        column = words[0].column if words else 0
        raise ConfigError(str(error), column=column, word=identity, hint="`-u` gives each ACL another one") from None


def _make_test(compiled: Compiled, patterns: list[Patterns]) -> Test:
    if len(patterns) == 1:
        if compiled.each is None:
            return patterns[0].over(compiled.run)
        if compiled.header is None:
            return patterns[0].over_each(compiled.each)
        return test_header(compiled.header, patterns[0].matcher, compiled.each)
    matches = tuple([one.match for one in patterns])
    if compiled.each is None:
        run = compiled.run

        def test(x: Any) -> bool:
            value = run(x)
            if value is not None:
                for match in matches:
                    if match(value):
                        return True
            return False

        return test
    each_value = compiled.each

    def test_each(x: Any) -> bool:
        for value in each_value(x):
            for match in matches:
                if match(value):
                    return True
        return False

    return test_each


def _limit(compiled: Compiled, patterns: list[Patterns]) -> Test | None:
    """The test of a number in a stick table against one limit, which will not change (table_limits)."""
    make = limit_of(compiled.run)
    matcher = patterns[0].matcher
    if make is None or len(patterns) != 1 or not isinstance(matcher, Numbers):
        return None
    least = matcher.least
    return None if least is None else make(least)


def _make_why(compiled: Compiled, patterns: list[Patterns]) -> Callable[[Any], str]:
    def why(x: Any) -> str:
        if compiled.each is not None:
            values = list(compiled.each(x))
        else:
            values = [value for value in (compiled.run(x),) if value is not None]
        if not values:
            return f"{compiled.text} has no value"
        for value in values:
            for one in patterns:
                if one.match(value):
                    return f"{compiled.text}: {one.why(value)}"
        shown = ", ".join([show_sample(compiled.type, value) for value in values[:5]])
        if len(values) == 1 and len(patterns) == 1:
            return f"{compiled.text}: {patterns[0].why(values[0])}"
        return f"{compiled.text}: {shown}: no pattern matches"

    return why
