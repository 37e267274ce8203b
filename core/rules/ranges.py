"""Matching of numbers and addresses: ranges of integers, lengths, networks.

Owns: how they are written (manual 7.1.2, 7.1.6; measured where it is silent), and how they are searched. Must not know:
ACLs, maps, operators (`gt 5` is written `6:` when it comes here).

Ranges are cut into segments that do not overlap, so that a number needs one bisection whatever their count. Networks
are grouped by mask; an address is masked and looked up once for each mask, longest first.
"""

from __future__ import annotations

import re
import socket
from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from .matching import Entries, Matcher, Test
from .samples import INT_MAX, INT_MIN, pack_ip

Range = tuple[int, int]
"""Lowest and highest."""
Network = tuple[int, int, int]
"""4 or 16 (bytes), address, mask, both as numbers."""

_NUMBER = re.compile(rb"-?[0-9]+\Z")


def read_number(text: bytes) -> int:
    """A number as patterns have it: digits, maybe after a minus. ValueError."""
    if not _NUMBER.match(text):
        raise ValueError(f"'{show(text)}' is not a number")
    number = int(text)
    if not INT_MIN <= number <= INT_MAX:
        raise ValueError(f"'{show(text)}' is not a number of 64 bits")
    return number


def read_range(text: bytes) -> Range:
    """`5`, `5:9`, `5:`, `:9`; HAProxy takes a minus for the colon as well, so that `5-9` is a range, and so is `-9`: up
    to 9. ValueError."""
    first = re.search(rb"[:-]", text)
    if first is None:
        number = read_number(text)
        return number, number
    low, high = text[: first.start()], text[first.end() :]
    if not low and not high:
        raise ValueError(f"'{show(text)}' is not a valid number range")
    try:
        lowest = read_number(low) if low else INT_MIN
        highest = read_number(high) if high else INT_MAX
    except ValueError:
        raise ValueError(f"'{show(text)}' is not a valid number range") from None
    if lowest > highest:
        raise ValueError(f"'{show(text)}' is not a valid number range: {lowest} is more than {highest}")
    return lowest, highest


def show(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


class Numbers(Matcher):
    """`int`: keys are ranges. Of several that match the first one counts."""

    __slots__ = ("starts", "winners")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.winners: list[tuple[Any] | None] = []

    def load(self, entries: Entries) -> None:
        listed = [(low, high, (payload,)) for (low, high), payload in entries]
        starts, winners = _segments(listed)
        self.starts, self.winners = starts, winners

    def match(self, value: int) -> bool:
        index = bisect_right(self.starts, value)
        return index > 0 and self.winners[index - 1] is not None

    def over(self, run: Callable[[Any], Any]) -> Test:
        def test(x: Any) -> bool:
            value = run(x)
            if value is None:
                return False
            index = bisect_right(self.starts, value)
            return index > 0 and self.winners[index - 1] is not None

        return test

    @property
    def least(self) -> int | None:
        """The number from which on all match, and none before; None: it is not as simple as that."""
        # The end of an open range is the highest number that there is.
        if len(self.winners) != 2 or self.winners[0] is None or self.starts[1] <= INT_MAX:
            return None
        return self.starts[0]

    def found(self, value: int) -> Any:
        index = bisect_right(self.starts, value)
        if not index:
            return None
        winner = self.winners[index - 1]
        return None if winner is None else winner[0]


def _segments(listed: list[tuple[int, int, Any]]) -> tuple[list[int], list[Any]]:
    """Where the first of the ranges that hold changes: starts of segments, and for each what holds there."""
    edges = sorted({low for low, _, _ in listed} | {high + 1 for _, high, _ in listed})
    by_low = sorted(range(len(listed)), key=lambda index: listed[index][0])
    starts: list[int] = []
    winners: list[Any] = []
    open_ones: list[int] = []
    following = 0
    for edge in edges:
        while following < len(by_low) and listed[by_low[following]][0] <= edge:
            heappush(open_ones, by_low[following])
            following += 1
        while open_ones and listed[open_ones[0]][1] < edge:
            heappop(open_ones)
        winner = listed[open_ones[0]][2] if open_ones else None
        if not winners or winners[-1] is not winner:
            starts.append(edge)
            winners.append(winner)
    return starts, winners


class Lengths(Matcher):
    """`len`: the length of a text in ranges."""

    __slots__ = ("numbers",)

    def __init__(self) -> None:
        self.numbers = Numbers()

    def load(self, entries: Entries) -> None:
        self.numbers.load(entries)

    def match(self, value: bytes) -> bool:
        return self.numbers.match(len(value))

    def found(self, value: bytes) -> Any:
        return self.numbers.found(len(value))


def read_network(text: bytes, resolve: bool = True) -> Network:
    """An address or a network, `address/bits` or (IPv4) `address/mask`. With `resolve` IPv4 may be abbreviated
    (`10.12` is 10.0.0.12) or the name of a host, which is asked for now. ValueError."""
    address, slash, bits = text.partition(b"/")
    mask = _read_mask(bits, 4) if slash else 0xFFFFFFFF
    if mask is not None:
        packed = pack_ip(address)
        if packed is None and resolve and b":" not in address:
            packed = _resolved(address)
        if packed is not None and len(packed) == 4:
            return 4, int.from_bytes(packed, "big") & mask, mask
    mask = _read_mask(bits, 16) if slash else (1 << 128) - 1
    if mask is not None:
        packed = pack_ip(address)
        if packed is not None and len(packed) == 16:
            return 16, int.from_bytes(packed, "big") & mask, mask
    raise ValueError(f"'{show(text)}' is not a valid IPv4 or IPv6 address")


def _read_mask(text: bytes, size: int) -> int | None:
    if text.isdigit():
        bits = int(text)
        return (1 << size * 8) - (1 << size * 8 - bits) if bits <= size * 8 else None
    packed = pack_ip(text) if size == 4 else None
    return int.from_bytes(packed, "big") if packed is not None and len(packed) == 4 else None


def _resolved(name: bytes) -> bytes | None:
    try:
        return socket.inet_aton(socket.gethostbyname(name.decode("ascii")))
    except (OSError, ValueError):
        return None


Group = tuple[int, dict[int, Any]]
"""A mask, and under it address -> (payload,)."""

_MAPPED = 0xFFFF << 32


class Networks(Matcher):
    """`ip`: keys are networks; the longest one counts. An IPv4 address is looked for among IPv6 networks as
    ::ffff:a.b.c.d, an IPv6 address that holds one of IPv4 (::a.b.c.d, ::ffff:a.b.c.d, 2002:aabb:ccdd::) among IPv4
    networks, both only after their own."""

    __slots__ = ("doubled", "four", "groups", "six")

    def __init__(self) -> None:
        self.four: list[Group] = []
        self.six: list[Group] = []
        self.groups: dict[int, dict[int, dict[int, Any]]] = {4: {}, 16: {}}
        self.doubled: set[Network] = set()
        """Networks that several patterns have, of which one was kept."""

    def load(self, entries: Entries) -> None:
        self.groups = {4: {}, 16: {}}
        self.doubled.clear()
        for key, payload in entries:
            self._enter(key, payload)
        self._sort()

    def _enter(self, key: Network, payload: Any) -> bool:
        size, address, mask = key
        masks = self.groups[size]
        table = masks.get(mask)
        if table is None:
            masks[mask] = {address: (payload,)}
            return True
        if address in table:
            self.doubled.add(key)
        else:
            table[address] = (payload,)
        return False

    def _sort(self) -> None:
        # Masks with holes come last, as HAProxy keeps them in a list behind its tree.
        self.four = sorted(self.groups[4].items(), key=lambda item: (_has_holes(item[0], 32), -item[0]))
        self.six = sorted(self.groups[16].items(), key=lambda item: -item[0])

    def add(self, key: Network, payload: Any) -> bool:
        if self._enter(key, payload):
            self._sort()
        return True

    def remove(self, key: Network) -> bool:
        if key in self.doubled:
            return False
        size, address, mask = key
        self.groups[size].get(mask, {}).pop(address, None)
        return True

    def set(self, key: Network, payload: Any) -> bool:
        size, address, mask = key
        if key in self.doubled:
            return False
        self.groups[size][mask][address] = (payload,)
        return True

    def _find(self, value: bytes) -> Any:
        number = int.from_bytes(value, "big")
        if len(value) == 4:
            for mask, table in self.four:
                if number & mask in table:
                    return table[number & mask]
            number |= _MAPPED
            for mask, table in self.six:
                if number & mask in table:
                    return table[number & mask]
            return None
        for mask, table in self.six:
            if number & mask in table:
                return table[number & mask]
        if not self.four:
            return None
        if number >> 32 in (0, 0xFFFF):
            number &= 0xFFFFFFFF
        elif number >> 112 == 0x2002:
            number = number >> 80 & 0xFFFFFFFF
        else:
            return None
        for mask, table in self.four:
            if number & mask in table:
                return table[number & mask]
        return None

    def match(self, value: bytes) -> bool:
        return self._find(value) is not None

    def found(self, value: bytes) -> Any:
        hit = self._find(value)
        return None if hit is None else hit[0]

    def over(self, run: Callable[[Any], Any]) -> Test:
        find = self._find

        def test(x: Any) -> bool:
            value = run(x)
            return value is not None and find(value) is not None

        return test


def _has_holes(mask: int, bits: int) -> bool:
    inverse = mask ^ ((1 << bits) - 1)
    return bool(inverse & (inverse + 1))
