"""The ACLs of a proxy: names, lines, and what each compiles to where it is used.

Owns: the names that are valid, several lines of one name (any of them may match), when a line is compiled (for each
stage in which it is used, since `hdr` and availability depend on it), references among ACLs (the fetch `acl`). Must
not know: conditions, rules.

Errors of ACL lines are collected in `errors`, each once; an ACL with an error never matches, so that the rules that use
it can be checked all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

from ..config import suggest
from ..config.model import Place, RuleSpec
from ..errors import ConfigError
from .acl import Acl, Test, compile_acl, never
from .acl_flags import Piece
from .catalogue import Needs, Stage
from .expression import Word
from .predefined import PREDEFINED
from .scope import Site

_SUCH_AS = "such as `acl static path_beg /static`"
_UNNAMED = "an `acl` line above the rule makes it; a test without a name stands in braces: `{ path_beg /static }`"
_NAME = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)


class ProxySite:
    """A site as the rules of one proxy see it: the site, and the proxy's ACLs. Only looked at while compiling."""

    def __init__(self, site: Site, acls: AclSet) -> None:
        self.acls = acls
        self._site = site

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)


class AclSet:
    """The ACLs that a proxy's rules may use. `lines`: those of kind `acl` are taken. Compile all rules of the proxy
    with `.site`, so that the fetch `acl` finds them. `errors` and `warnings` grow while rules are compiled."""

    def __init__(self, lines: Iterable[RuleSpec], site: Site) -> None:
        self.site = cast(Site, ProxySite(site, self))
        self.errors: list[ConfigError] = []
        self.warnings: list[ConfigError] = []
        self.known: int | None = None
        """How many lines of kind `acl` stand before the line that is compiled, mistaken ones counted: the names that
        they define may be used; None: all."""
        self._lines: dict[str, list[tuple[Place, Sequence[Word], int]]] = {}
        """Name -> its lines, each with how many stand before it."""
        self._compiled: dict[tuple[str, Stage], Acl] = {}
        self._underway: list[tuple[str, Stage]] = []
        self._reported: set[tuple[Any, ...]] = set()
        self._taken: set[str] = set()
        """Predefined names that a rule uses before a line defines one of that name: they stay; lines add to them."""
        before = 0
        for line in lines:
            if line.kind == "acl":
                self._add(line, before)
                before += 1
            else:
                # (A set minus the keys would look at all keys, for each rule.)
                self._taken.update([name for name in _predefined_in(line) if name not in self._lines])
        # All lines are looked at once, also those that no rule uses.
        for name in self._lines:
            self.find(name, Stage.FRONT_REQUEST)
        self.warnings.clear()
        self._compiled.clear()

    @property
    def names(self) -> Sequence[str]:
        """Names that lines define."""
        return tuple(self._lines)

    def _add(self, line: RuleSpec, before: int) -> None:
        words = line.words
        if not words:
            self._report(ConfigError("an ACL needs a name and a criterion", hint=_SUCH_AS), line.place)
            return
        name = words[0]
        if name.text.lower() in ("or", "||"):
            error = ConfigError(
                f"an ACL cannot be called '{name.text}': it stands for a logical or",
                column=name.column,
                word=name.text,
                hint=_SUCH_AS,
            )
        elif not _NAME.fullmatch(name.text):
            error = ConfigError(
                f"'{name.text}' is no name for an ACL: letters, digits, '-', '_', '.' and ':' are allowed",
                column=name.column,
                word=name.text,
                hint=_SUCH_AS,
            )
        else:
            self._lines.setdefault(name.text, []).append((line.place, words[1:], before))
            return
        self._report(error, line.place)

    def _report(self, error: ConfigError, place: Place | None) -> None:
        if place is not None and not error.file:
            error.file, error.line = place.file, place.line
            error.column = error.column or place.column
        key = (error.file, error.line, error.column, error.message)
        if key not in self._reported:
            self._reported.add(key)
            self.errors.append(error)

    def find(self, name: str, stage: Stage) -> Acl | None:
        """The ACL of that name, compiled for a stage; None where there is none. A line of a predefined name replaces
        that one, or adds to it where a rule above the line uses it (as in HAProxy)."""
        key = name, stage
        found = self._compiled.get(key)
        if found is not None:
            return found
        if name not in self._lines and name not in PREDEFINED:
            return None
        if key in self._underway:
            raise ConfigError(f"ACL '{name}' refers to itself", hint="take `acl(...)` out of one of the lines")
        self._underway.append(key)
        try:
            found = self._compile(name, stage)
        finally:
            self._underway.pop()
        self._compiled[key] = found
        return found

    def _compile(self, name: str, stage: Stage) -> Acl:
        lines: Sequence[tuple[Place | None, Sequence[Word], int]] = self._lines.get(name, ())
        if not lines or name in self._taken:
            lines = [(None, [Piece(word, 0) for word in PREDEFINED[name].split()], 0), *lines]
        acls = []
        around = self.known
        for place, words, known in lines:
            warnings: list[ConfigError] = []
            try:
                self.known = known
                acls.append(compile_acl(words, self.site, stage, warnings, name=name, place=place))
            except ConfigError as error:
                self._report(error, place)
                acls.append(Acl(never, Needs.NOTHING, name, place, "", lambda x: "the ACL has an error"))
            finally:
                self.known = around
            for warning in warnings:
                if place is not None:
                    warning.file, warning.line = place.file, place.line
                self.warnings.append(warning)
        return acls[0] if len(acls) == 1 else _any_of(acls)

    def is_known(self, name: str) -> bool:
        """Whether what is compiled now stands behind the first line of that name; predefined names are always known."""
        lines = self._lines.get(name)
        return self.known is None or name in PREDEFINED or (lines is not None and lines[0][2] < self.known)

    def is_later(self, name: str) -> bool:
        """Whether only lines below what is compiled now define that name."""
        return name in self._lines and not self.is_known(name)

    def unknown(self, name: str, column: int) -> ConfigError:
        """The error for a name that no ACL has."""
        near = suggest.nearest(name, (*self._lines, *PREDEFINED))
        return ConfigError(
            f"there is no ACL '{name}'", column=column, word=name, hint=f"did you mean `{near}`?" if near else _UNNAMED
        )


def _predefined_in(line: RuleSpec) -> set[str]:
    """The predefined names in the condition of a rule, those between braces left out."""
    found = set()
    condition = inside = False
    for word in line.words:
        text = word.text.lstrip("!")
        if text in ("if", "unless"):
            condition = True
        elif text == "{":
            inside = True
        elif text == "}":
            inside = False
        elif condition and not inside and text in PREDEFINED:
            found.add(text)
    return found


def _any_of(acls: list[Acl]) -> Acl:
    """One ACL that matches if any of these does."""
    needs = Needs.NOTHING
    for acl in acls:
        needs |= acl.needs

    def why(x: Any) -> str:
        for acl in acls:
            if acl.test(x):
                return acl.why(x)
        return "; ".join([acl.why(x) for acl in acls])

    first = acls[0]
    return Acl(
        either([acl.test for acl in acls]), needs, first.name, first.place, " | ".join([a.text for a in acls]), why
    )


def either(tests: Sequence[Test]) -> Test:
    """One test for several of which one is enough."""
    if len(tests) == 2:
        first, second = tests
        return lambda x: first(x) or second(x)
    listed = tuple(tests)

    def test(x: Any) -> bool:
        for one in listed:  # noqa: SIM110 -- a generator costs 0.3 us
            if one(x):
                return True
        return False

    return test
