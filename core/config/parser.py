"""From files to a Configuration: sections, keywords, and the collecting of every complaint.

Owns: which section a line belongs to, `from` and the inheritance of defaults, the dispatch of a line to its keyword.
Must not know: what any keyword means, nor rules that need the whole configuration (resolve). Invariants: a line is
either used, or reported as an error, or reported as ignored; reading goes on after an error; a section ends with its
file, but defaults and the global section last over all files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ..addresses import Address, resolve_address
from . import peers as _peers
from . import resolvers as _resolvers
from . import rules as _rules
from . import suggest
from .conditions import ConditionFacts, select_lines
from .diagnostics import Diagnostics
from .drafts import GlobalDraft, ProxyDraft, Reading, RuleSetDraft, SectionDraft, read_bytes
from .environment import Environment
from .error_pages import ErrorPagesDraft, error_pages
from .examples import such_as
from .keywords import ANY, GLOBAL_KEYWORDS, OPTIONS, PROXY_KEYWORDS, RULE_SET_KEYWORDS, Keyword, State, Table
from .known import KNOWN_GLOBAL, KNOWN_OPTIONS, KNOWN_PROXY, KNOWN_SECTIONS
from .lexer import Line, Word, read_lines
from .model import Configuration, Place, ProxySpec
from .names import TWICE, checked_name
from .pattern_files import read_pattern_files
from .peers import PeersDraft
from .resolve import resolve
from .resolvers import ResolversDraft
from .sections import EXAMPLES, NAMED_SECTIONS, RULE_SECTIONS, SECTIONS
from .statement import Refusal, Statement
from .unknown import article, listed, misplaced_hint, mistyped_section, tell_unknown
from .userlists import UserlistDraft, userlists

_BASE = "settings of a defaults section are taken by `from <name>`, and nothing else follows"

D = TypeVar("D", bound=SectionDraft)
Examine = Callable[[Configuration, Diagnostics], None]


@dataclass(frozen=True, slots=True)
class Additions:
    """Lines that are read after all files as if they stood at the end of sections: what a command line says.

    `wanted(number, kind, name)` tells into which section line `number` (from 1) goes: kind is "global" (its name is "")
    or a proxy's. `file` is the name that complaints show."""

    file: str
    lines: Sequence[str]
    wanted: Callable[[int, str, str], bool]


def load(
    sources: Sequence[tuple[str, str]],
    environment: Mapping[str, str],
    *,
    facts: ConditionFacts | None = None,
    additions: Additions | None = None,
    examine: Examine | None = None,
    resolve_name: Callable[[Address], Address] = resolve_address,
    read_file: Callable[[str], bytes] = read_bytes,
) -> tuple[Configuration | None, Diagnostics]:
    """Read `sources`, pairs of file name and text, as one configuration.

    The Configuration is None when there are errors. `environment` is what `$VAR` reads (an Environment is altered by
    `setenv` lines, another mapping is copied); `facts` is what `.if` asks; `examine` tells what else is wrong
    (report/examination). `resolve_name` turns an address with a host name into a numeric one (ValueError when it
    cannot), `read_file` gives the content of an error file."""
    if not isinstance(environment, Environment):
        environment = Environment(environment, files=[name for name, _ in sources])
    diagnostics = Diagnostics()
    reader = _Reader(Reading(diagnostics, environment, resolve_name, read_file))
    facts = facts or ConditionFacts(environment=environment)
    for name, text in sources:
        reader.start_file(name)
        for line in select_lines(read_lines(name, text, environment, diagnostics), facts, diagnostics):
            reader.read(line)
    if additions is not None:
        text = "".join(f"{line}\n" for line in additions.lines)
        reader.add(list(read_lines(additions.file, text, environment, diagnostics)), additions)
    pages = error_pages(reader.drafts(ErrorPagesDraft), diagnostics)
    peers = reader.drafts(PeersDraft)
    configuration = resolve(
        reader.globals, reader.proxies, diagnostics, reader.rule_sets, pages, _peers.tables_of_sections(peers)
    )
    configuration = replace(
        configuration,
        pattern_files=read_pattern_files(configuration, read_file, diagnostics),
        userlists=userlists(reader.drafts(UserlistDraft), diagnostics),
        error_pages=pages,
    )
    found = _resolvers.sections(reader.drafts(ResolversDraft), configuration, reader.reading, diagnostics)
    configuration = replace(
        configuration, resolvers=found, peers=_peers.sections(peers, configuration, environment, diagnostics)
    )
    if examine is not None:
        examine(configuration, diagnostics)
    diagnostics.drop_consequences()
    return (None if diagnostics.errors else configuration), diagnostics


def load_files(
    paths: Sequence[str | os.PathLike[str]],
    environment: Mapping[str, str] | None = None,
    *,
    facts: ConditionFacts | None = None,
    additions: Additions | None = None,
    examine: Examine | None = None,
) -> tuple[Configuration | None, Diagnostics]:
    """Read files, and of a directory its *.cfg in lexical order, as one configuration; "-" is standard input.

    A file that cannot be read is an error of the diagnostics, not an exception."""
    sources: list[tuple[str, str]] = []
    failures: list[tuple[str, str]] = []
    for path in paths:
        for file in _expand(os.fspath(path)):
            try:
                content = Path("/dev/stdin" if file == "-" else file).read_bytes()
            except OSError as error:
                failures.append((file, error.strerror or str(error)))
                continue
            sources.append((file, content.decode("utf-8", "surrogateescape")))
    if environment is None:
        environment = os.environ
    configuration, diagnostics = load(sources, environment, facts=facts, additions=additions, examine=examine)
    for file, reason in failures:
        hint = "" if os.path.isabs(file) else f"it is looked for in {os.getcwd()}"
        diagnostics.error(Place(file, 0, 0), f"cannot read the file: {reason}", "", hint)
    return (None if failures else configuration), diagnostics


def _expand(path: str) -> list[str]:
    if path != "-" and os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(".cfg") and not name.startswith("."))
        return [os.path.join(path, name) for name in names]
    return [path]


class _Reader:
    """The sections read so far and the one that lines go to now."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.diagnostics = reading.diagnostics
        self.globals = GlobalDraft(reading)
        self.proxies: list[ProxyDraft] = []
        self.rule_sets: list[RuleSetDraft] = []
        self.named: list[Any] = []
        """Drafts of NAMED_SECTIONS, in their order."""
        self._defaults: list[ProxyDraft] = []
        self._section: Any = None
        self._skipping = False
        """In a section that cannot be read: its lines are passed over, the section itself was an error."""
        self._indented = False  # is the last line of a keyword?
        self._overriding = False
        """In lines that win over what the files say, even for keywords of which the first line is kept."""

    def start_file(self, name: str) -> None:
        """A section does not go on in the next file."""
        self._section = None
        self._skipping = False
        self.reading.environment.section = ""

    def add(self, lines: Sequence[Line], additions: Additions) -> None:
        """The wanted ones of `lines` to the global section and to each proxy, in the order in which they were made. One
        that is wrong is told once, not for each section."""
        self._skipping = False
        self._overriding = True
        broken: set[int] = set()
        sections: list[tuple[GlobalDraft | ProxyDraft, str, str]] = [(self.globals, "global", "")]
        sections += [(draft, draft.kind, draft.spec.name) for draft in self.proxies]
        for draft, kind, name in sections:
            self._section = draft
            self.reading.environment.section = name or kind
            for line in lines:
                if line.number not in broken and additions.wanted(line.number, kind, name):
                    errors = len(self.diagnostics.errors)
                    self.read(line)
                    if len(self.diagnostics.errors) > errors:
                        broken.add(line.number)

    def drafts(self, kind: type[D]) -> list[D]:
        """The drafts of one of NAMED_SECTIONS."""
        return [draft for draft in self.named if isinstance(draft, kind)]

    def read(self, line: Line) -> None:
        """One line: the start of a section, or a keyword of the current one."""
        word = line.words[0]
        if word.text in SECTIONS:
            self._start_section(line)
        elif word.text in KNOWN_SECTIONS:
            self._skipping = True
            message = f"HAProxy's section `{word.text}` is not supported by maniple yet"
            self.diagnostics.error(line.place(), message, word.text, f"sections are {', '.join(SECTIONS)}")
        elif self._skipping:
            return
        elif (meant := mistyped_section(line.words, *self._table(self._section))) is not None:
            hint = f"did you mean `{meant}`?"
            self.diagnostics.error(line.place(), f"unknown section '{word.text}'", word.text, hint)
            # Read on as if it were written: its lines are no mistakes, and whoever names it finds it.
            self._start_section(replace(line, words=(replace(word, text=meant), *line.words[1:])))
        elif self._section is None:
            self._skipping = True
            hint = "a file starts with a section, such as `frontend <name>`"
            self.diagnostics.error(line.place(), f"unknown section '{word.text}'", word.text, hint)
        else:
            kind = "global" if isinstance(self._section, GlobalDraft) else self._section.kind
            self._read_keyword(line, self._section, kind, *self._table(self._section))

    # sections

    @staticmethod
    def _table(draft: Any) -> tuple[Table[Any], frozenset[str]]:
        """The keywords of a section, and those that HAProxy has besides; of no section none."""
        if draft is None:
            return Table("no section"), frozenset()
        if isinstance(draft, GlobalDraft):
            return GLOBAL_KEYWORDS, KNOWN_GLOBAL
        if isinstance(draft, RuleSetDraft):
            return RULE_SET_KEYWORDS, frozenset()
        if draft.kind in NAMED_SECTIONS:
            return NAMED_SECTIONS[draft.kind][1], frozenset()
        return PROXY_KEYWORDS, KNOWN_PROXY

    def _start_section(self, line: Line) -> None:
        word = line.words[0]
        statement = Statement(line.place_file, line.number, word.text, word, line.words[1:], self.diagnostics)
        self._skipping = False
        try:
            if word.text == "global":
                statement.expect(0, 0, "")
                self._section = self.globals
            elif word.text == "defaults":
                self._section = self._start_defaults(statement)
            elif word.text in RULE_SECTIONS:
                self._section = self._start_rule_set(statement)
            elif word.text in NAMED_SECTIONS:
                self._section = self._start_named(statement)
            else:
                self._section = self._start_proxy(statement)
        except Refusal as refusal:
            statement.refuse(refusal, f"such as `{EXAMPLES[word.text]}`")
            self._section = None
            self._skipping = True
        self.reading.environment.section = statement.text(0) or word.text

    def _start_defaults(self, statement: Statement) -> ProxyDraft:
        words = list(statement.arguments)
        name = ""
        if words and (words[0].text != "from" or len(words) != 2):
            name = checked_name(words.pop(0), "defaults")
        if words and words[0].text != "from":
            statement.warn(f"`defaults {name}`: '{words[0].text}' is ignored", words[0], "it takes a name and `from`")
            words.clear()
        draft = ProxyDraft(self.reading, "defaults", ProxySpec(statement.place, name, "defaults"))
        base = self._base(statement, words)
        if base is not None:
            _rules.refuse_base(statement, draft, base)
            draft.inherit(base)
        self._defaults.append(draft)
        return draft

    def _start_rule_set(self, statement: Statement) -> RuleSetDraft:
        statement.expect(1, 1, "<name>")
        word = statement.arguments[0]
        name = checked_name(word, statement.name)
        draft = RuleSetDraft(self.reading, statement.name, name, statement.place_of(word))
        self.rule_sets.append(draft)
        return draft

    def _start_named(self, statement: Statement) -> Any:
        statement.expect(1, 1, "<name>")
        word = statement.arguments[0]
        name = checked_name(word, statement.name)
        draft = NAMED_SECTIONS[statement.name][0](self.reading, name, statement.place_of(word))
        self.named.append(draft)
        return draft

    def _start_proxy(self, statement: Statement) -> ProxyDraft:
        kind = statement.name
        if not statement.text(0):
            raise Refusal(f"`{kind}` expects a name")
        name = checked_name(statement.arguments[0], kind)
        draft = ProxyDraft(self.reading, kind, ProxySpec(statement.place_of(statement.arguments[0]), name, kind))
        self._refuse_duplicate(draft)
        self.proxies.append(draft)
        words = list(statement.arguments[1:])
        base = self._defaults[-1] if self._defaults else None
        try:
            if words and words[0].text != "from" and ":" in words[0].text and kind != "backend":
                message = f"`{kind} {name}`: addresses belong on a `bind` line"
                raise Refusal(message, words[0], f"write `bind {words[0].text}` below")
            if words:
                base = self._base(statement, words)
        except Refusal as refusal:  # the section is there all the same: its lines are read, whoever names it finds it
            statement.refuse(refusal)
        if base is not None:
            draft.inherit(base)
        return draft

    def _base(self, statement: Statement, words: list[Word]) -> ProxyDraft | None:
        """The defaults that `from NAME` at the end of a section line means."""
        if not words:
            return None
        if words[0].text != "from":
            message = f"`{statement.name}` cannot take the extra argument '{words[0].text}'"
            raise Refusal(message, words[0], _BASE)
        if len(words) == 1:
            raise Refusal(
                f"`{statement.name} ... from` expects the name of a defaults section", words[0], self._bases("")
            )
        if len(words) > 2:
            raise Refusal(f"`{statement.name}` cannot take the extra argument '{words[2].text}'", words[2], _BASE)
        name = words[1].text
        found = [draft for draft in self._defaults if draft.spec.name == name]
        if not found:
            raise Refusal(f"there is no defaults section '{name}'", words[1], self._bases(name))
        if len(found) > 1:
            lines = " and ".join(f"{draft.spec.place.file}:{draft.spec.place.line}" for draft in found[:2])
            raise Refusal(
                f"defaults section '{name}' is ambiguous: it stands at {lines}",
                words[1],
                "give one of them another name",
            )
        return found[0]

    def _bases(self, name: str) -> str:
        """What to write behind `from`."""
        return suggest.section("defaults", name or "<name>", [one.spec.name for one in self._defaults if one.spec.name])

    def _refuse_duplicate(self, draft: ProxyDraft) -> None:
        """A frontend and a backend may share a name; no other two proxies may."""
        for other in self.proxies:
            if other.spec.name == draft.spec.name and {other.kind, draft.kind} != {"frontend", "backend"}:
                place = other.spec.place
                message = f"{draft.label} has the same name as {other.label} ({place.file}:{place.line})"
                self.diagnostics.error(draft.spec.place, message, draft.spec.name, TWICE)
                return

    # keywords

    def _read_keyword(self, line: Line, draft: D, section: str, table: Table[D], known: frozenset[str]) -> None:
        words = line.words
        inversion = ""
        if words[0].text in ("no", "default") and len(words) > 1:
            inversion = words[0].text
            words = words[1:]
        prefix = 0
        names: Table[D] = table
        if words[0].text == "option" and section in ANY:
            if len(words) < 2:
                message, hint = "`option` expects the name of an option", "such as `option httplog`"
                self._statement(line, "option", words, 1).error(message, None, hint)
                return
            names, known, prefix = OPTIONS, KNOWN_OPTIONS, 1  # type: ignore[assignment]
        found = names.find(words[prefix:])
        if found is None:
            tell_unknown(self.diagnostics, line, words[prefix:], "option " * prefix, section, names, known)
            # Where other lines are indented this one begins a section, and nothing is known of it.
            self._skipping = self._indented and line.words[0].column == 1 and words[0].text not in known
            return
        self._indented = line.words[0].column > 1
        keyword, length = found
        statement = self._statement(line, "option " * prefix + keyword.name, words, prefix + length, inversion)
        try:
            self._apply(statement, keyword, draft, section)
        except Refusal as refusal:
            statement.refuse(refusal, such_as(names, keyword))

    def _statement(self, line: Line, name: str, words: Sequence[Word], length: int, inversion: str = "") -> Statement:
        word = words[1] if name.startswith("option ") else words[0]
        return Statement(line.place_file, line.number, name, word, words[length:], self.diagnostics, inversion)

    def _apply(self, statement: Statement, keyword: Keyword[D], draft: D, section: str) -> None:
        name = statement.name
        if statement.inversion and not keyword.invertible:
            hint = f"write `{name}` as it should be, or leave the line out"
            raise Refusal(f"`{statement.inversion}` cannot stand before `{name}`", None, hint)
        if section not in keyword.sections:
            where = f"`{name}` has no place in {article(section)} section"
            if keyword.strict or section == "defaults":
                raise Refusal(where, None, f"it belongs in {listed(keyword.sections)}")
            statement.warn(f"{where}: ignored", None, misplaced_hint(name, section, keyword.sections))
            draft = draft.scratch()
        statement.expect(keyword.least, keyword.most, keyword.shape)
        if keyword.once and name in draft.written and not self._overriding:
            place = draft.written[name]
            statement.warn(f"`{name}` was already specified in line {place.line}: the first one is kept")
            draft = draft.scratch()
        keyword.read(statement, draft)
        draft.written.setdefault(name, statement.place)
        if keyword.state is State.ACCEPTED and section in keyword.sections:
            statement.note(f"`{name}`: {State.ACCEPTED.value}")
