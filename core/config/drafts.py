"""What the parser fills line by line before the frozen model exists: one draft a section, bind line or server line.

Owns: what a section has said so far, and what it takes over from its defaults. Must not know: keywords, and rules that
need the whole configuration (those are in resolve). Invariant: a draft is written only through `set`, which remembers
what was written and where, so that "written" and "default" stay apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

from ..addresses import resolve_address
from .diagnostics import Diagnostics
from .environment import Environment
from .model import Address, BindSpec, ErrorFileSpec, GlobalSpec, LogSpec, Place, ProxySpec, RuleSpec, ServerSpec
from .statement import Statement

NO_ADDRESS = Address("inet", "")


def read_bytes(path: str) -> bytes:
    return Path(path).read_bytes()


@dataclass(slots=True)
class Reading:
    """What one reading of a configuration shares: where complaints go and how the outside world is asked."""

    diagnostics: Diagnostics
    environment: Environment
    resolve: Callable[[Address], Address] = resolve_address
    """An address with its host name looked up; ValueError when it has none."""
    read_file: Callable[[str], bytes] = read_bytes
    """Path -> content; OSError when it cannot be read."""


class SectionDraft(Protocol):
    """What every section's draft has."""

    written: dict[str, Place]

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""


@dataclass(slots=True)
class GlobalDraft:
    """The global sections so far; repeated ones merge."""

    reading: Reading
    spec: GlobalSpec = field(default_factory=GlobalSpec)
    written: dict[str, Place] = field(default_factory=dict)

    def set(self, name: str, value: Any) -> None:
        """Store a value in a field of the model; `tune.x` goes to the tuning record."""
        if name.startswith("tune."):
            self.spec = replace(self.spec, tune=replace(self.spec.tune, **{name[5:]: value}))
        else:
            self.spec = replace(self.spec, **{name: value})

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={})


@dataclass(slots=True)
class BindDraft:
    """A bind line so far."""

    spec: BindSpec

    def set(self, name: str, value: Any) -> None:
        self.spec = replace(self.spec, **{name: value})


@dataclass(slots=True)
class ServerDraft:
    """A server line so far, on top of what default-server lines said."""

    spec: ServerSpec
    written: set[str] = field(default_factory=set)
    template: bool = False
    """Is this a default-server line?"""

    def set(self, name: str, value: Any) -> None:
        self.spec = replace(self.spec, **{name: value})
        self.written.add(name)

    def copy(self, place: Place, name: str) -> ServerDraft:
        return ServerDraft(replace(self.spec, place=place, name=name), set(self.written))


@dataclass(slots=True)
class RuleSetDraft:
    """A section `request-rules` or `response-rules` so far."""

    reading: Reading
    kind: str
    name: str
    place: Place
    written: dict[str, Place] = field(default_factory=dict)
    rules: list[RuleSpec] = field(default_factory=list)

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={}, rules=[])


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One line that says what stands for built-in replies: `page` of an errorfile or errorloc line, `section` of an
    errorfiles line (no statuses: all that it has), neither of an http-error line."""

    place: Place
    statuses: tuple[int, ...]
    page: ErrorFileSpec | None = None
    section: str = ""


@dataclass(slots=True)
class ProxyDraft:
    """A defaults, frontend, backend or listen section so far. `kind` is the section's keyword."""

    reading: Reading
    kind: str
    spec: ProxySpec
    written: dict[str, Place] = field(default_factory=dict)
    """Keyword -> where this very section wrote it; nothing of the defaults."""
    binds: list[BindSpec] = field(default_factory=list)
    servers: list[ServerDraft] = field(default_factory=list)
    server_base: ServerDraft = field(
        default_factory=lambda: ServerDraft(ServerSpec(Place("", 0), "", NO_ADDRESS), set(), True)
    )
    pools: dict[str, int] = field(default_factory=dict)
    """Pool figures said for the whole backend: field of ServerSpec -> value."""
    logs: list[LogSpec | None] = field(default_factory=list)
    """None stands for all loggers of the global section."""
    log_format: tuple[str, str] | None = None
    """What formats the access log: (httplog, httplog clf, tcplog, ""), or ("text", the text)."""
    rules: list[RuleSpec] = field(default_factory=list)
    error_lines: list[ErrorLine] = field(default_factory=list)
    """In their order, those of the defaults first."""
    borrowed: dict[str, tuple[str, Place]] = field(default_factory=dict)
    """use_filters_from, use_backend_from -> the other proxy's name, and where it is written."""
    base: ProxyDraft | None = None
    """The defaults section that this one takes its settings from."""

    def set(self, name: str, value: Any) -> None:
        """Store a value in a field of the model; `timeouts.x` goes to the record of timeouts."""
        if name.startswith("timeouts."):
            self.spec = replace(self.spec, timeouts=replace(self.spec.timeouts, **{name[9:]: value}))
        else:
            self.spec = replace(self.spec, **{name: value})

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={}, binds=[], servers=[], pools={}, logs=[], rules=[], error_lines=[], borrowed={})

    @property
    def label(self) -> str:
        return f"{self.kind} '{self.spec.name}'" if self.spec.name else self.kind

    def inherit(self, defaults: ProxyDraft) -> None:
        """Take over what a defaults section said; what names or places the section itself stays."""
        own = self.spec
        self.spec = replace(defaults.spec, place=own.place, name=own.name, kind=own.kind)
        self.server_base = ServerDraft(defaults.server_base.spec, set(defaults.server_base.written), True)
        self.pools = dict(defaults.pools)
        self.logs = list(defaults.logs)
        self.log_format = defaults.log_format
        self.base = defaults
        self.error_lines = list(defaults.error_lines)
        scope = defaults.spec.name if defaults.kind == "defaults" else ""
        self.rules = [replace(rule, scope=rule.scope or scope) for rule in defaults.rules]

    def choose_log_format(self, name: str, text: str, statement: Statement) -> None:
        """Set the access log's format; the last one of a section wins."""
        self.log_format = (name, text)
        self.written["log format"] = statement.place
