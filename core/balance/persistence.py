"""The persistence cookie of one backend: which server a request's cookie names, and what the response says of it
(manual 4.2 `cookie`; the letters of manual 8.5).

Owns: these decisions. Must not know: how requests are bound to servers (relay/binding), heads and their edits, clocks:
values and times in, decisions out.

Of several servers with one value the first usable one has the request. A cookie that names none, or a server that is
down, leaves the request to balancing; `option persist` and `force-persist` send it to a server that is down, too.

The letters, request: N no cookie, I names no server, V valid, D its server is down, E idle for too long, O too old,
U not looked at. Response: N none, P passed on, D removed, R changed, I inserted, U our own with a new date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..config.cookie_spec import CookieSpec
from ..session import DIRECT, FORCED, IGNORED
from .cookie_dates import BAR, NO_DATES, signed, split_value
from .cookie_line import PREFIX_END, make_cut
from .set_cookie import Fate, Writer

if TYPE_CHECKING:
    from .server import Server

FUTURE = 86400
"""Seconds: a cookie with a date further in the future is ignored; a nearer one may be a wrong clock."""


class Reading(NamedTuple):
    """What the cookies of a request say. `dates`: last seen, first seen; 0: not said."""

    server: Server | None
    letter: bytes
    dates: tuple[int, int]


class Insertion(NamedTuple):
    """A cookie that is added to a response: the header's value, and the letter."""

    value: bytes
    letter: bytes


class Persistence:
    """`persists`: `option persist`. `values`: each server's cookie, None for one without, in the order of the file."""

    __slots__ = (
        "_by_value",
        "_dated",
        "_writer",
        "cut",
        "fate",
        "name",
        "nocache",
        "persists",
        "prefixed",
        "preserve",
        "shown",
        "spec",
        "undated",
        "values",
    )

    def __init__(
        self, spec: CookieSpec, servers: Sequence[Server], values: Sequence[bytes | None], persists: bool = False
    ) -> None:
        self.spec = spec
        self.name = spec.name.encode("utf-8", "surrogateescape")
        self.values = tuple(values)
        self.persists = persists
        self.prefixed = spec.mode == "prefix"
        self.preserve = spec.preserve
        self.nocache = spec.nocache
        self.shown = bool(spec.mode) or spec.indirect
        """The log shows letters; HAProxy shows none of a cookie that is only read."""
        self.cut = make_cut(self.name, indirect=spec.mode == "insert" and spec.indirect, prefixed=self.prefixed)
        self.fate = {"rewrite": Fate.REPLACED, "prefix": Fate.PREFIXED}.get(spec.mode, Fate.KEPT)
        self._writer = Writer(spec)
        self._dated = bool(spec.maxidle or spec.maxlife)
        self.undated = not self._dated
        """What a client whose cookie says no dates is told does not change with time; with a valid one it is nothing
        (`insertion`)."""
        found: dict[bytes, list[Server]] = {}
        for server, value in zip(servers, values, strict=True):
            if value is not None:
                found.setdefault(value, []).append(server)
        self._by_value = {value: tuple(listed) for value, listed in found.items()}

    def sole(self, values: Sequence[bytes]) -> Server | None:
        """The first server of a value that is the only one, and says no dates. If it is usable, and nobody else has
        bound the request, `read` gives it with the letter V; else that has more to say. None: it has in any case."""
        if len(values) != 1:
            return None
        value = values[0].partition(PREFIX_END)[0] if self.prefixed else values[0]
        # One with dates is nobody's name.
        servers = self._by_value.get(value)
        return servers[0] if value and servers and BAR not in value else None

    def read(self, values: Iterable[bytes], flags: int, bound: bool, now: int) -> Reading:
        """Of the values of all cookies of that name, in order. `flags`: FORCED, IGNORED. `bound`: somebody else has
        bound the request. `now`: seconds since the epoch."""
        letter = b"N"
        chosen: Server | None = None
        dates = NO_DATES
        looking = not (bound or flags & IGNORED)
        anyhow = self.persists or flags & FORCED
        for value in values:
            if self.prefixed:
                key = value.partition(PREFIX_END)[0]
            elif b"|" not in value:
                key = value
            else:
                key, *found = split_value(value, dates)
                dates = (found[0], found[1])
            late = self._late(dates, now) if dates is not NO_DATES else b""
            if late:
                letter, key, dates = late, b"", NO_DATES
            if key and looking:
                for server in self._by_value.get(key, ()):
                    if server.usable or anyhow:
                        letter = b"V" if server.usable else b"D"
                        chosen = server
                        looking = False
                        break
                    letter = b"D"
            if letter == b"N":
                letter = b"I" if looking else b"U"
        return Reading(chosen, letter, dates)

    def _late(self, dates: tuple[int, int], now: int) -> bytes:
        last, first = dates
        if first and self.spec.maxlife and (signed(now - first) > self.spec.maxlife or signed(first - now) > FUTURE):
            return b"O"
        if last and self.spec.maxidle and (signed(now - last) > self.spec.maxidle or signed(last - now) > FUTURE):
            return b"E"
        return b""

    def fate_of(self, server: Server, flags: int) -> Fate:
        """What becomes of a cookie of that name that `server` itself sets."""
        if self.preserve:
            return Fate.KEPT
        if self.spec.mode == "insert" or (flags & DIRECT and self.spec.indirect):
            return Fate.REMOVED
        return self.fate if self.values[server.index] is not None else Fate.KEPT

    def insertion(
        self, server: Server, flags: int, dates: tuple[int, int], now: int, method: bytes, found: bool
    ) -> Insertion | None:
        """The cookie to add to a response of `server`, if one is due. `found`: the server has set its own, and that
        was passed on."""
        spec = self.spec
        if spec.mode != "insert" or flags & IGNORED or (found and spec.preserve):
            return None
        if spec.postonly and method != b"POST":
            return None
        last, first = dates
        if flags & DIRECT and not self._stale(last, first, now):
            return None
        value = self.values[server.index]
        letter = b"U" if value is not None and flags & DIRECT else b"I"
        return Insertion(self._writer.write(value, now, first), letter)

    def _stale(self, last: int, first: int, now: int) -> bool:
        """Must the client's valid cookie be told anew?"""
        if not (self._dated or last or first):
            return False
        if (self.spec.maxidle or last) and last < now:
            return True
        return bool(self.spec.maxlife) != bool(first)
