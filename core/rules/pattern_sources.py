"""All sets of patterns that a configuration has, numbered and described as HAProxy's `show acl` and `show map` do.

Owns: where they are found in the words of rules, numbers, descriptions (management 9.3). Must not know: how they are
compiled: the supervisor asks, which does not build what a configuration says.

Numbers count from 0 in the order of the lines; an ACL's files come before the patterns of its line, which are a set
of their own even where there is none. `-u` says a number, which is nobody else's then. Predefined ACLs count once for
each proxy that uses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..config.model import Configuration, PatternFileSpec, Place, RuleSpec
from ..errors import ConfigError
from .acl_flags import Flags, Piece, apply_operators, read_flags
from .catalogue import FETCHES
from .derivatives import DERIVATIVES
from .expression import Word, parse_words
from .keywords import MODULES
from .operators import is_second
from .predefined import PREDEFINED
from .samples import INT

REGISTERED = MODULES
"""Their import fills the catalogue."""
_MAP = re.compile(r"(?<![A-Za-z0-9_.-])map(?:_[a-z]+){0,2}\(([^,()'\"\\]+)")
_KEYWORD = re.compile(r"[A-Za-z0-9_.+-]+", re.ASCII)


@dataclass(slots=True)
class PatternSource:
    """One set. `name`: the file as it is written, `#` and the number for `-u`, "" for other patterns of a line, which
    cannot be changed."""

    name: str
    spec: PatternFileSpec
    number: int = -1
    of_acl: bool = False
    """An ACL uses it."""
    of_map: bool = False
    """It is a map."""
    origin: str = ""
    """Of the patterns of a line: which."""
    users: list[str] = field(default_factory=list)

    @property
    def file(self) -> str:
        """Its file, "" where there is none."""
        return "" if self.origin else self.name

    @property
    def description(self) -> str:
        if self.origin:
            return self.origin
        return f"pattern loaded from file '{self.name}' used by {', by '.join(self.users)}".removesuffix(" used by ")


def pattern_sources(configuration: Configuration) -> list[PatternSource]:
    """By number."""
    finder = _Finder(configuration)
    for proxy in configuration.proxies:
        finder.look(proxy.rules)
        for text in (proxy.log_format, proxy.error_log_format, proxy.log_format_sd):
            finder.maps(text or "", proxy.place)
    for rule_set in configuration.rule_sets.values():
        finder.look(rule_set.rules)
    return finder.numbered()


class _Finder:
    """What was found so far."""

    def __init__(self, configuration: Configuration) -> None:
        self._files = configuration.pattern_files
        self._found: list[PatternSource] = []
        self._by_name: dict[str, PatternSource] = {}

    def look(self, rules: Iterable[RuleSpec]) -> None:
        """Into the rules of one proxy."""
        rules = list(rules)
        own = {rule.words[0].text for rule in rules if rule.kind == "acl" and rule.words}
        used: set[str] = set()
        for rule in rules:
            words = rule.words
            if rule.kind == "acl":
                self._acl(words[1:], rule.place)
                continue
            start = -1
            condition = False
            for index, word in enumerate(words):
                name = word.text.lstrip("!")
                if name == "{":
                    start = index + 1
                elif word.text == "}" and start >= 0:
                    self._acl(words[start:index], rule.place)
                    start = -1
                elif start < 0:
                    self.maps(word.text, rule.place)
                    condition = condition or word.text in ("if", "unless")
                    if condition and name in PREDEFINED and name not in own | used:
                        used.add(name)
                        self._acl([Piece(one, 0) for one in PREDEFINED[name].split()], rule.place)

    def maps(self, text: str, place: Place) -> None:
        for found in _MAP.finditer(text):
            self._file(found[1], place, "map")

    def _file(self, path: str, place: Place, user: str, acl: bool = False) -> None:
        spec = self._files.get(path)
        if spec is None:
            return
        source = self._by_name.get(path)
        if source is None:
            source = self._by_name[path] = PatternSource(path, spec, of_map=spec.as_map)
            self._found.append(source)
        source.of_acl = source.of_acl or acl
        source.users.append(f"{user} at file '{place.file}' line {place.line}")

    def _acl(self, words: Sequence[Word], place: Place) -> None:
        if not words:
            return
        try:
            end = self._behind_criterion(words)
            for word in words[:end]:
                self.maps(word.text, place)
            flags, rest = (Flags(), words[2:]) if is_second(words[0]) else read_flags(words[end:])
            if _numbers(words[0], flags):
                rest = apply_operators(rest, [])
        except ConfigError:
            return  # the build has more to say about it
        for word, _, as_map in flags.files or ():
            self._file(word.text, place, "map" if as_map else "acl", acl=True)
        found = _KEYWORD.match(words[0].text)
        origin = f"acl '{found[0] if found else words[0].text}' file '{place.file}' line {place.line}"
        texts = [word.text.encode("utf-8", "surrogateescape") for word in rest]
        spec = PatternFileSpec("", False, {text: text for text in texts})
        number = int(flags.identity) if flags.identity else -1
        name = f"#{flags.identity}" if flags.identity else ""
        self._found.append(PatternSource(name, spec, number, of_acl=True, origin=origin))

    @staticmethod
    def _behind_criterion(words: Sequence[Word]) -> int:
        found = _KEYWORD.match(words[0].text)
        if is_second(words[0]) or (found is not None and found[0] in DERIVATIVES):
            return 1
        return parse_words(words)[1]

    def numbered(self) -> list[PatternSource]:
        taken = {source.number for source in self._found}
        number = 0
        for source in self._found:
            if source.number < 0:
                while number in taken:
                    number += 1
                source.number = number
                number += 1
        return sorted(self._found, key=lambda source: source.number)


def _numbers(criterion: Word, flags: Flags) -> bool:
    """Are its patterns numbers?"""
    if flags.method:
        return flags.method in ("int", "len")
    found = _KEYWORD.match(criterion.text)
    name = found[0] if found else ""
    if name in DERIVATIVES:
        return DERIVATIVES[name][1] in ("int", "len")
    return name in FETCHES and FETCHES[name].type is INT and "," not in criterion.text
