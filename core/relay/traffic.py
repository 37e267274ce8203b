"""What flowed between one frontend and one server: the smallest thing that is counted, of which all rows are sums.

A request belongs to a frontend, a backend and a server at once. Counting it in all three costs three times as much, on
the path of every request (measured: 2.6 us of 10); so it is counted once, here, and the rows are added up when they are
published, five times a second.

Owns: these sums. Must not know: who counts, where rows are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...pools.counters import ResponseCounts, UpstreamCounts

if TYPE_CHECKING:
    from .exchange import RelayExchange


class Traffic:
    """One (frontend, server) pair, or what a frontend answers on a backend's behalf without any server. Times are sums
    of milliseconds; `classes[n]` counts responses nxx; the last
    one (-1 // 100) and the first (0) those without a status."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "classes",
        "connect_time",
        "queue_time",
        "receive_time",
        "total_time",
        "transfer_time",
    )

    def __init__(self) -> None:
        self.bytes_in = 0
        self.bytes_out = 0
        self.classes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        self.queue_time = 0.0
        self.connect_time = 0.0
        self.receive_time = 0.0
        """From a request's first byte to its whole head."""
        self.transfer_time = 0.0
        """From a response's head to its end."""
        self.total_time = 0.0

    def add_times(self, exchange: RelayExchange, now: float) -> None:
        """The times of an exchange of which more than the total is not zero. What is left of the total is the
        response time."""
        self.receive_time += exchange.head_at - exchange.first_byte_at
        self.queue_time += exchange.slot_at - exchange.head_at
        self.connect_time += exchange.connect_at - exchange.slot_at
        self.transfer_time += now - exchange.response_at
        self.total_time += now - exchange.first_byte_at

    def transfer(self, exchange: RelayExchange) -> None:
        """Count the bytes of an exchange that goes on for long, as far as it has come."""
        self.bytes_in += exchange.bytes_from_client - exchange.counted_in
        self.bytes_out += exchange.bytes_to_client - exchange.counted_out
        exchange.counted_in = exchange.bytes_from_client
        exchange.counted_out = exchange.bytes_to_client


def sum_responses(counts: ResponseCounts, parts: Iterable[Traffic]) -> None:
    """Make a row's bytes and responses out of its parts."""
    bytes_in = bytes_out = 0
    classes = [0] * 10
    for part in parts:
        bytes_in += part.bytes_in
        bytes_out += part.bytes_out
        classes = [one + other for one, other in zip(classes, part.classes, strict=True)]
    counts.bin = bytes_in
    counts.bout = bytes_out
    counts.req_tot = sum(classes)
    counts.hrsp_1xx, counts.hrsp_2xx, counts.hrsp_3xx, counts.hrsp_4xx, counts.hrsp_5xx = classes[1:6]
    counts.hrsp_other = sum(classes[6:9])


def sum_times(counts: UpstreamCounts, parts: Iterable[Traffic]) -> None:
    """Make a row's times out of its parts."""
    parts = tuple(parts)
    counts.qtime = int(sum(part.queue_time for part in parts))
    counts.ctime = int(sum(part.connect_time for part in parts))
    total = sum(part.total_time for part in parts)
    waiting = sum(part.receive_time + part.queue_time + part.connect_time + part.transfer_time for part in parts)
    counts.rtime = int(total - waiting)
    counts.ttime = int(total)
