"""The registries of fetches and converters: for each name its arguments, types, needs, stages and one line of text.

Owns: what an entry is, and where in the life of an exchange a fetch has something to say. Must not know: how
expressions are read or compiled. Invariants: entries are added while modules are imported (fetch_*, convert_*), never
later; a name has one entry.

An entry has a *maker*: it is called once, when an expression is compiled, with a `Call` (its arguments already read and
checked) and returns the closure that runs for each request. Fetches without arguments whose closure would close over
nothing are registered by `plain_fetch` and are that function themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigError
from .arguments import Argument, Slot, parse_signature, show_signature
from .samples import Type

if TYPE_CHECKING:
    from .scope import Site

Fetch = Callable[[Any], Any]
"""scope -> value or None."""
Each = Callable[[Any], Any]
"""scope -> all values that there are, for conditions, which look at every one: a sequence, maybe empty."""
Convert = Callable[[Any], Any]
"""value -> value or None."""


class Needs(IntFlag):
    """What must be there before an expression can be run. Who builds rules asks for it: addresses are unpacked, bodies
    waited for, responses looked at only where something needs them."""

    NOTHING = 0
    CONNECTION = 1
    """The client's addresses."""
    HEAD = 2
    """The request's head."""
    BODY = 4
    """As much of the request's body as fits the buffer."""
    SERVER = 8
    """The server connection."""
    RESPONSE = 16
    """The response's head."""
    RESPONSE_BODY = 32
    END = 64
    """All of it, as a log line has it."""
    TRACKING = 256
    """Entries of stick tables are tracked: the end of sessions and exchanges is told (relay/tracking)."""
    TABLES = 512
    """What is stored in stick tables."""
    LEAVES = 1024
    """Nothing that must be there; it leaves something on the exchange: a variable, its number."""
    PAYLOAD = 128
    """Bytes of a stream, as they come."""


class Stage(IntFlag):
    """Where an expression may stand: the columns of HAProxy's own table, those of headers and bodies in one."""

    CONNECTION = 1
    """tcp-request connection"""
    SESSION = 2
    """tcp-request session"""
    FRONT_CONTENT = 4
    """tcp-request content of a frontend"""
    FRONT_REQUEST = 8
    """http-request of a frontend"""
    USE_BACKEND = 16
    BACK_CONTENT = 32
    """tcp-request content of a backend"""
    BACK_REQUEST = 64
    """http-request of a backend"""
    USE_SERVER = 128
    """use-server, balance, stick match"""
    SOURCE = 256
    """`source ... usesrc`"""
    BACK_RESPONSE_CONTENT = 512
    """tcp-response content of a backend"""
    BACK_RESPONSE = 1024
    """http-response of a backend"""
    STORE = 2048
    """stick store-response"""
    FRONT_RESPONSE_CONTENT = 4096
    FRONT_RESPONSE = 8192
    """http-response of a frontend, http-after-response"""
    LOG = 16384
    CHECK = 32768
    """tcp-check, http-check"""
    PARSER = 65536
    """`.if` and the like"""
    CLI = 131072


def _from(first: Stage, last: Stage) -> Stage:
    stages = Stage(0)
    for stage in Stage:
        if first <= stage <= last:
            stages |= stage
    return stages


# What a fetch looks at, and with that where it may stand (HAProxy's SMP_USE_* classes, read off its own table).
ANYWHERE = _from(Stage.CONNECTION, Stage.CLI)
RUNNING = ANYWHERE & ~Stage.PARSER
"""Facts of frontends, backends, the process."""
CLIENT = RUNNING & ~Stage.CLI
"""The client's connection."""
FRONT = CLIENT & ~Stage.CHECK
"""The session: the frontend and the listener."""
BACK = _from(Stage.BACK_CONTENT, Stage.CHECK)
"""The backend."""
SERVER_SIDE = _from(Stage.BACK_RESPONSE_CONTENT, Stage.CHECK)
"""The server, and the connection to it."""
REQUEST = _from(Stage.FRONT_CONTENT, Stage.SOURCE)
"""The request's head and body, gone once it is sent."""
REQUEST_KEPT = _from(Stage.FRONT_CONTENT, Stage.LOG)
"""Of the request what is kept."""
RESPONSE = _from(Stage.BACK_RESPONSE_CONTENT, Stage.FRONT_RESPONSE) | Stage.CHECK
RESPONSE_KEPT = _from(Stage.BACK_RESPONSE_CONTENT, Stage.CHECK)
BOTH = _from(Stage.FRONT_CONTENT, Stage.FRONT_RESPONSE) | Stage.CHECK
"""Of whichever message is under way."""
LOG_ONLY = Stage.LOG

REQUEST_STAGES = _from(Stage.CONNECTION, Stage.SOURCE)
"""Stages before there is a response."""


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a keyword, as its maker gets it."""

    name: str
    values: tuple[Any, ...]
    """One for each slot of the signature, None where an optional argument is missing."""
    arguments: tuple[Argument, ...]
    """As written."""
    column: int
    site: Site
    stage: Stage
    source: Type = Type.ANY
    """Of a converter: the type of its input. Where its entry takes ANY this is what really comes, and where that is
    ANY too, the value is a pair (type, value)."""

    def error(self, message: str, index: int = -1, hint: str = "") -> ConfigError:
        """The error to raise for argument `index`, or for the keyword itself; without a hint it tells the usage."""
        written: Argument | Call = self.arguments[index] if 0 <= index < len(self.arguments) else self
        word = written.text if isinstance(written, Argument) else self.name
        return ConfigError(f"'{self.name}': {message}", column=written.column, word=word, hint=hint or self.usage)

    @property
    def usage(self) -> str:
        """How it is written, as a hint."""
        entry = FETCHES.get(self.name) or CONVERTERS.get(self.name)
        return f"usage: {entry.usage}" if entry is not None else ""


class Scoped:
    """What a converter's maker returns when its closure needs the scope: `function(scope, value)`."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function


@dataclass(frozen=True, slots=True)
class HeaderOf:
    """What a fetch of a header looks at, so that an ACL can look there itself (header_tests)."""

    attribute: str
    """Of the scope: head or answer."""
    name: bytes
    full: bool
    """Whole lines, and not the values between commas."""


class Needing:
    """What a fetch's maker returns when its arguments say what it needs, besides what its entry says."""

    __slots__ = ("function", "needs")

    def __init__(self, function: Fetch, needs: Needs) -> None:
        self.function = function
        self.needs = needs


@dataclass(frozen=True, slots=True)
class FetchEntry:
    """One fetch."""

    name: str
    slots: tuple[Slot, ...]
    type: Type
    stages: Stage
    needs: Needs
    summary: str
    make: Callable[[Call], Fetch | Needing]
    make_each: Callable[[Call], Each] | None = None
    """For fetches of which a request may have several values: all of them."""
    header_of: Callable[[Call], HeaderOf | None] | None = None
    """For fetches of all values of a header: which one."""

    @property
    def usage(self) -> str:
        return self.name + show_signature(self.slots)


@dataclass(frozen=True, slots=True)
class ConverterEntry:
    """One converter. `result` None: the type of its input."""

    name: str
    slots: tuple[Slot, ...]
    source: Type
    result: Type | None
    summary: str
    make: Callable[[Call], Convert | Scoped]
    needs: Needs = Needs.NOTHING

    @property
    def usage(self) -> str:
        return self.name + show_signature(self.slots)


Maker = TypeVar("Maker", bound=Callable[[Call], Any])

FETCHES: dict[str, FetchEntry] = {}
CONVERTERS: dict[str, ConverterEntry] = {}

_NEEDS = {
    CLIENT: Needs.CONNECTION,
    REQUEST: Needs.HEAD,
    REQUEST_KEPT: Needs.HEAD,
    SERVER_SIDE: Needs.SERVER,
    RESPONSE: Needs.RESPONSE,
    RESPONSE_KEPT: Needs.RESPONSE,
    LOG_ONLY: Needs.END,
}
"""What a fetch of these stages needs, unless it says otherwise."""


def _add_fetch(entry: FetchEntry) -> None:
    if entry.name in FETCHES:
        raise ValueError(f"fetch '{entry.name}' is registered twice")
    FETCHES[entry.name] = entry


def fetch(
    names: str,
    kind: Type,
    stages: Stage,
    summary: str,
    *,
    arguments: str = "",
    needs: Needs | None = None,
    each: Callable[[Call], Each] | None = None,
    header_of: Callable[[Call], HeaderOf | None] | None = None,
) -> Callable[[Maker], Maker]:
    """Decorator: register a maker of fetches under its names (parted by blanks; the first one is the proper name)."""
    slots = parse_signature(arguments)
    wanted = _NEEDS.get(stages, Needs.NOTHING) if needs is None else needs

    def register(make: Maker) -> Maker:
        for name in names.split():
            _add_fetch(FetchEntry(name, slots, kind, stages, wanted, summary, make, each, header_of))
        return make

    return register


def plain_fetch(
    names: str, kind: Type, stages: Stage, summary: str, *, needs: Needs | None = None, source: str = ""
) -> Callable[[Fetch], Fetch]:
    """Decorator: register a function from a scope to a value that takes no arguments. `source`: what it returns, for
    functions that are composed as text: an expression over the scope `x`."""

    def register(function: Fetch) -> Fetch:
        if source:
            function.__dict__["source"] = source
        fetch(names, kind, stages, summary, needs=needs)(lambda call: function)
        return function

    return register


def source_of(run: Fetch) -> str:
    """What `plain_fetch` was told; "" for all others."""
    return getattr(run, "source", "")


def converter(
    names: str,
    source: Type,
    result: Type | None,
    summary: str,
    *,
    arguments: str = "",
    needs: Needs = Needs.NOTHING,
) -> Callable[[Callable[[Call], Convert | Scoped]], Callable[[Call], Convert | Scoped]]:
    """Decorator: register a maker of converters."""
    slots = parse_signature(arguments)

    def register(make: Callable[[Call], Convert | Scoped]) -> Callable[[Call], Convert | Scoped]:
        for name in names.split():
            if name in CONVERTERS:
                raise ValueError(f"converter '{name}' is registered twice")
            CONVERTERS[name] = ConverterEntry(name, slots, source, result, summary, make, needs)
        return make

    return register


def plain_converter(names: str, source: Type, result: Type | None, summary: str) -> Callable[[Convert], Convert]:
    """Decorator: register a function from a value to a value that takes no arguments."""

    def register(function: Convert) -> Convert:
        converter(names, source, result, summary)(lambda call: function)
        return function

    return register


def entries() -> Iterator[FetchEntry | ConverterEntry]:
    """All of them, for documentation: fetches, then converters, by name."""
    yield from sorted(FETCHES.values(), key=lambda entry: entry.name)
    yield from sorted(CONVERTERS.values(), key=lambda entry: entry.name)
