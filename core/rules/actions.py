"""The registry of actions, and one action's words while it is compiled.

Owns: what an entry is, which rule sets an action may stand in, and the reading of its words. Must not know: any action;
`action_*` register themselves when they are imported (see `all_actions`). Invariants: entries are added at import only;
a maker takes its words one by one, and what it leaves is the condition.

An action is compiled to a closure `act(scope) -> None | Verdict`. Most give None: the next rule is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import suggest
from ..config.model import RuleWord
from ..config.rules import KINDS
from ..errors import ConfigError, what_and_how
from .catalogue import Needs, Stage
from .expression import Compiled, compile_expression, parse_words
from .formats import compile_format
from .samples import Type
from .verdicts import Verdict

if TYPE_CHECKING:
    from ..config.model import Place, ProxySpec
    from .scope import Site

Act = Callable[[Any], Verdict | None]
Text = Callable[[Any], bytes]
Test = Callable[[Any], bool]

CONNECTION = frozenset({"tcp-request connection"})
SESSION = frozenset({"tcp-request session"})
CONTENT = frozenset({"tcp-request content"})
RESPONSE_CONTENT = frozenset({"tcp-response content"})
REQUEST = frozenset({"http-request"})
RESPONSE = frozenset({"http-response"})
AFTER = frozenset({"http-after-response"})
EARLY = CONNECTION | SESSION
TCP = EARLY | CONTENT | RESPONSE_CONTENT
RESPONSES = RESPONSE | AFTER
HTTP = REQUEST | RESPONSES
ALL = TCP | HTTP


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. `usage`: its words as documentation."""

    name: str
    sets: frozenset[str]
    usage: str
    summary: str
    make: Callable[[Use], Act]
    argument: str
    """What stands in parentheses behind its name, "" for nothing."""
    missing: str = ""
    """Why it is not there yet, for those that HAProxy has."""
    quiet: bool = False
    """Over requests it is a quiet step (quiet), unless what it evaluates is loud."""
    edits: bool = False
    """It may change the message's head."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all rules of one rule set share while they are compiled."""

    kind: str
    """The keyword of the lines."""
    site: Site
    stage: Stage
    spec: ProxySpec | None = None
    """The proxy; None in a named rule set."""
    sets: Any = None
    """rule_sets.RuleSets: those that may be entered."""
    known_acls: int | None = None
    """How many `acl` lines of the rules' scope stand before (AclSet.known); None: all."""

    @property
    def request(self) -> bool:
        """Is it a message of the client's that rules work on?"""
        return self.kind not in ("http-response", "http-after-response", "tcp-response content", "stick store-response")


class Use:
    """One use of an action: its words, from left to right."""

    __slots__ = (
        "_column",
        "_index",
        "_words",
        "argument",
        "closed",
        "entered",
        "files",
        "ground",
        "name",
        "needs",
        "place",
        "waits",
    )

    def __init__(
        self,
        ground: Ground,
        words: Sequence[RuleWord],
        place: Place,
        files: Mapping[str, bytes],
    ) -> None:
        """`words`: the action's name and all that follows."""
        word = words[0]
        name, parenthesis, rest = word.text.partition("(")
        self.ground = ground
        self.place = place
        self.files = files
        self.name = name
        self.closed = rest.endswith(")")
        """Whether the argument ends as it should."""
        self.argument = RuleWord(rest.removesuffix(")"), word.column + len(name) + 1) if parenthesis else None
        self.needs = Needs.NOTHING
        self.waits = False
        """Set by makers of actions that wait or jump."""
        self.entered: Any = None
        """ruleset.RuleSet: the named set that a jump enters, for whoever explains it."""
        self._words = words
        self._index = 1
        self._column = word.column

    # Words.

    @property
    def rest(self) -> Sequence[RuleWord]:
        return self._words[self._index :]

    def ended(self) -> bool:
        """Is there no further word of the action's own?"""
        return self._index >= len(self._words) or self._words[self._index].text in ("if", "unless")

    def peek(self) -> str:
        """The next word's text, "" at the end."""
        return "" if self.ended() else self._words[self._index].text

    def take(self, what: str) -> RuleWord:
        """The next word; `what` it should be is said where there is none."""
        if self._index >= len(self._words):
            raise ConfigError(f"`{self.name}` expects {what}", column=self._column, word=self.name, hint=self.usage())
        word = self._words[self._index]
        self._index += 1
        return word

    def skip(self, text: str) -> bool:
        """Take the next word if it is `text`."""
        if self.peek() == text:
            self._index += 1
            return True
        return False

    def usage(self) -> str:
        """How the action is written, as a hint."""
        entry = entry_of(self.name)
        if entry is not None and entry.missing:
            return suggest.KEYWORDS_LISTED
        shape = entry.usage if entry is not None else KINDS[self.name][1] if self.name in KINDS else ""
        argument = f"({entry.argument})" if entry is not None and entry.argument else ""
        return f"usage: {self.name}{argument} {shape or '[{if|unless} <condition>]'}"

    def error(self, message: str, word: RuleWord | None = None, hint: str = "") -> ConfigError:
        """The error to raise, at `word`, or at the action's name; without a hint it tells the usage."""
        column = word.column if word is not None else self._column
        text = word.text if word is not None else self.name
        return ConfigError(f"`{self.name}`: {message}", column=column, word=text, hint=hint or self.usage())

    def unreadable(self, error: ValueError, word: RuleWord) -> ConfigError:
        """The error to raise for a time, a size, a variable's name that is none."""
        what, how = what_and_how(error)
        return self.error(what, word, how)

    def warn(self, message: str, word: RuleWord | None = None, hint: str = "") -> None:
        """Tell something of a line that is taken."""
        acls = getattr(self.ground.site, "acls", None)
        if acls is not None:
            acls.warnings.append(self.error(message, word, hint))

    # What words are.

    def text(self, what: str) -> tuple[RuleWord, bytes]:
        word = self.take(what)
        return word, word.text.encode("utf-8", "surrogateescape")

    def number(self, what: str, least: int, most: int) -> int:
        """An integer, decimal or after 0x hexadecimal."""
        word = self.take(what)
        try:
            value = int(word.text, 16 if word.text[:2].lower() == "0x" else 10)
        except ValueError:
            raise self.error(f"'{word.text}' is no number", word, f"{what} is from {least} to {most}") from None
        if not least <= value <= most:
            raise self.error(f"{what} is from {least} to {most}", word)
        return value

    def expression(self, want: Type | None = None) -> Compiled:
        """The next words as a sample expression."""
        if self.ended():
            self.take_nothing("a sample expression")
        expression, self._index = parse_words(self._words, self._index)
        compiled = compile_expression(expression, self.ground.site, self.ground.stage, want)
        self.needs |= compiled.needs
        return compiled

    def format(self, what: str, *, encoded: bool = True) -> Text:
        """The next word as a log-format string: a function of the scope (`formats.constant_of` tells whether it is
        always the same). `encoded`: it goes into a message."""
        word = self.take(what)
        return self.format_of(word.text, word.column, encoded=encoded)

    def format_of(self, text: str, column: int, *, encoded: bool = True) -> Text:
        run, needs = compile_format(text, self.ground.site, self.ground.stage, column, encoded=encoded)
        self.needs |= needs
        return run

    def take_nothing(self, what: str) -> None:
        raise ConfigError(f"`{self.name}` expects {what}", column=self._column, word=self.name, hint=self.usage())


def nothing() -> Act:
    """The action of a line that only earns a warning: one for each line, since acts carry marks (quiet)."""

    def act(x: Any) -> None:
        """The line is taken, and does nothing."""

    return act


ACTIONS: dict[str, Entry] = {}
_TRACKING = re.compile(r"track-sc[0-9]{1,3}")
"""Each set of counters has a name of its own; there are more than are listed."""


def action(
    names: str,
    sets: frozenset[str],
    usage: str,
    summary: str,
    *,
    argument: str = "",
    quiet: bool = False,
    edits: bool = False,
) -> Callable[[Callable[[Use], Act]], Callable[[Use], Act]]:
    """Decorator: register a maker of actions under its names. `quiet`, `edits`: as in Entry; who edits and does nothing
    else is quiet. `argument`: what
    stands in parentheses."""

    def register(make: Callable[[Use], Act]) -> Callable[[Use], Act]:
        for name in names.split():
            if name in ACTIONS:
                raise ValueError(f"action '{name}' is registered twice")
            ACTIONS[name] = Entry(name, sets, usage, summary, make, argument, quiet=quiet or edits, edits=edits)
        return make

    return register


def missing(names: str, sets: frozenset[str], why: str) -> None:
    """Register actions that HAProxy has and maniple does not have yet."""

    def make(use: Use) -> Act:
        raise use.error(f"HAProxy's action, not supported by maniple yet: {why}")

    for name in names.split():
        ACTIONS[name] = Entry(name, sets, "", why, make, "", why)


def entry_of(name: str) -> Entry | None:
    return ACTIONS.get("track-sc" if _TRACKING.fullmatch(name) else name)


def find(use: Use) -> Entry:
    """The entry of an action's name. Raises ConfigError."""
    entry = entry_of(use.name)
    kind = use.ground.kind
    if entry is None:
        here = [item.name for item in ACTIONS.values() if kind in item.sets]
        near = suggest.nearest(use.name, here)
        raise ConfigError(
            f"`{kind}` has no action '{use.name}'",
            column=use._column,
            word=use.name,
            hint=f"did you mean `{near}`?" if near else f"actions are {', '.join(sorted(here))}",
        )
    if kind not in entry.sets:
        raise use.error(f"it is no action of `{kind}`", hint=f"it belongs in {', '.join(sorted(entry.sets))}")
    if use.argument is not None and not entry.missing:
        if not entry.argument:
            raise use.error("it takes no argument in parentheses", use.argument)
        if not use.closed:
            raise use.error(f"')' is missing behind '{use.argument.text or '('}'", use.argument)
    return entry
