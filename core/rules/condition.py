"""Conditions: `if` or `unless`, and ACLs combined by and, or, not (manual 7.2).

Owns: their syntax and their one compiled function. Must not know: what rules do with them.

    [!]acl [!]acl ...  or  [!]acl ...      all of a group, in any of the groups; `||` is `or`
    { criterion flags patterns }           an ACL without a name
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from .acl import Acl, Test, compile_acl
from .acl_set import AclSet
from .catalogue import Needs, Stage
from .expression import Word
from .scope import Site

_SUCH_AS = "such as `if { path_beg /static }`, or `if` and the name of an `acl` line"


@dataclass(frozen=True, slots=True)
class Literal:
    """An ACL or its negation."""

    acl: Acl
    negated: bool

    @property
    def text(self) -> str:
        return ("!" if self.negated else "") + (self.acl.name or f"{{ {self.acl.text} }}")

    def holds(self, x: Any) -> bool:
        return self.acl.test(x) is not self.negated


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that can be tested."""

    test: Test
    needs: Needs
    text: str
    """As written, `if` or `unless` included."""
    terms: tuple[tuple[Literal, ...], ...]
    """Any of these has to hold, which it does if all of its literals hold."""
    negated: bool
    """Whether it began with `unless`."""


def compile_condition(words: Sequence[Word], acls: AclSet, site: Site, stage: Stage) -> Condition:
    """Compile `if ...` or `unless ...`: the first word is one of them, the last word is the condition's last. Warnings
    go to `acls.warnings`, with columns but without file and line. Raises ConfigError."""
    if not words or words[0].text not in ("if", "unless"):
        place = (words[0].column, words[0].text) if words else (0, "")
        raise ConfigError("`if` or `unless` is expected", column=place[0], word=place[1], hint=_SUCH_AS)
    terms: list[list[Literal]] = []
    fresh = True
    negated = False
    index = 1
    while index < len(words):
        word = words[index]
        text = word.text.lstrip("!")
        negated ^= (len(word.text) - len(text)) % 2 == 1
        index += 1
        if not text:
            continue
        if text == "||" or text.lower() == "or":
            fresh, negated = True, False
            continue
        column = word.column + len(word.text) - len(text)
        if text == "{":
            end = _closing(words, index, column)
            acl = compile_acl(words[index:end], acls.site if site is None else site, stage, acls.warnings)
            index = end + 1
        else:
            found = acls.find(text, stage)
            if found is None:
                raise acls.unknown(text, column)
            acl = found
        if fresh:
            terms.append([])
            fresh = False
        terms[-1].append(Literal(acl, negated))
        negated = False
    if not terms:
        last = words[-1]
        raise ConfigError(f"an ACL is expected after '{last.text}'", column=last.column, word=last.text, hint=_SUCH_AS)
    needs = Needs.NOTHING
    for term in terms:
        for literal in term:
            needs |= literal.acl.needs
    unless = words[0].text == "unless"
    return Condition(
        join_terms(terms, unless), needs, " ".join([word.text for word in words]), tuple(map(tuple, terms)), unless
    )


def _closing(words: Sequence[Word], index: int, column: int) -> int:
    for end in range(index, len(words)):
        if words[end].text == "}":
            if end == index:
                raise ConfigError("there is nothing between the braces", column=column, word="{", hint=_SUCH_AS)
            return end
    raise ConfigError(
        "'}' is missing after this '{'", column=column, word="{", hint="braces are words: blanks are around them"
    )


def join_terms(terms: Sequence[Sequence[Literal]], unless: bool) -> Test:
    """The one function of a condition. It is made as source, `lambda x: t0(x) and not t1(x) or t2(x)`, so that it costs
    one call besides its tests whatever their number; nested closures would cost one for each (0.05 us)."""
    if len(terms) == 1 and len(terms[0]) == 1:
        only = terms[0][0]
        test = only.acl.test
        return (lambda x: not test(x)) if only.negated is not unless else test
    tests: dict[str, Callable[[Any], bool]] = {}
    groups = []
    for term in terms:
        names = []
        for literal in term:
            name = f"t{len(tests)}"
            tests[name] = literal.acl.test
            names.append(f"{'not ' if literal.negated else ''}{name}(x)")
        groups.append(" and ".join(names))
    source = " or ".join(groups)
    if unless:
        source = f"not ({source})"
    function: Test = eval(f"lambda x: {source}", tests)
    return function
