"""The second syntax of ACLs, `acl <name> <what> <op> <value>...`, from the project's design notes (CL3 to CL6).

Owns: the words for what is looked at, and the two-character operators. Must not know: how anything is matched: it is
all said in terms of fetches and methods.

What is looked at is one of `line meth uri h(<header>) c(<cookie>) host`, all in lower case (case is ignored then) or in
upper case (`LINE METH URI H(<header>) C(<cookie>) HOST`: case matters). None of them is a fetch, so the two syntaxes
cannot be confused: the first word tells. An operator is `=` or `!` (no value matches), and then

    ~ regular expression    = the whole    ^ how it begins    * how it ends    % what it contains
    / a part between slashes (`-m dir`)     . a part between dots (`-m dom`)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConfigError
from .catalogue import REQUEST_STAGES, Stage
from .expression import Expression, Keyword, Word, parse_expression

_WHAT = {"line": "message.line", "meth": "method", "uri": "url", "h": "hdr", "c": "req.cook", "host": "req.hdr"}
_ARGUMENTS = ("h", "c")

_PLAIN = frozenset([name for what in _WHAT if what not in _ARGUMENTS for name in (what, what.upper())])
_CALLED = frozenset([name for what in _ARGUMENTS for name in (what, what.upper())])

OPERATORS = {"~": "reg", "=": "str", "*": "end", "^": "beg", "%": "sub", "/": "dir", ".": "dom"}
"""Second character of an operator -> matching method."""


_INSTEAD = "with converters it is written as a fetch, such as `path,lower -m beg /static`"


def is_second(word: Word) -> bool:
    """Is this the first word of the second syntax? (`meth(GET)` is a fetch, `meth` alone is not.)"""
    name, parenthesis, _ = word.text.partition("(")
    return name in _CALLED if parenthesis else name in _PLAIN


def read_second(words: Sequence[Word], stage: Stage) -> tuple[Expression, str, bool, bool, Sequence[Word]]:
    """The expression, the method, whether case is ignored, whether it is negated, the values. ConfigError."""
    written = parse_expression(words[0].text, words[0].column)
    name = written.fetch.name
    what = name.lower()
    if written.converters:
        extra = written.converters[0]
        raise ConfigError(f"'{name}' takes no converters", column=extra.column, word=extra.name, hint=_INSTEAD)
    if len(written.fetch.arguments) > 1:
        extra_argument = written.fetch.arguments[1]
        raise ConfigError(
            f"'{name}' takes one argument, a name",
            column=extra_argument.column,
            word=extra_argument.text,
            hint=f"such as `{name}(Host)`",
        )
    if len(words) < 2:
        raise ConfigError(f"an operator is expected after '{words[0].text}'", hint=_known())
    operator = words[1]
    if len(operator.text) != 2 or operator.text[0] not in "=!" or operator.text[1] not in OPERATORS:
        raise ConfigError(
            f"'{operator.text}' is not an operator", column=operator.column, word=operator.text, hint=_known()
        )
    if len(words) < 3:
        what = f"a value is expected after '{operator.text}'"
        raise ConfigError(what, column=operator.column, word=operator.text, hint="such as `path == /static`")
    arguments = written.fetch.arguments
    fetch_name = _WHAT[what]
    if what == "c" and not stage & REQUEST_STAGES:
        fetch_name = "res.cook"
    if what == "host":
        arguments = parse_expression("x(host)", words[0].column).fetch.arguments
    expression = Expression(Keyword(fetch_name, arguments, written.fetch.column), (), words[0].text)
    return expression, OPERATORS[operator.text[1]], name == what, operator.text[0] == "!", words[2:]


def _known() -> str:
    return "one of " + " ".join([sign + second for sign in "=!" for second in OPERATORS])
