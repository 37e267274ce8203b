"""A response that rules hold back: until its body, or so much of it as they want, is here, or for a while.

Owns: what has come of the response meanwhile, and when the wait is over. Must not know: rules, what becomes of the
response then (passes goes on with the rules, receiving hands on what they have left of it).

Nothing of this is made for a response that no rule looks into, or waits for.

Invariants: while a response is held its server connection is `HELD`, and nothing of it has been sent; at most a buffer
of it is kept, then reading stops. Who ends the exchange meanwhile drops the connection, which lets go of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ServerProtocolError
from ..http.framing import ChunkedBody
from ..http.head import CHUNKED, TO_CLOSE, ResponseHead
from .timers import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..rules.verdicts import Verdict, Wait
    from .exchange import RelayExchange


class HeldResponse:
    """The response of an exchange, of which the head is here. `over`: no more of its body will come, as it is here
    whole (`done`), the server has closed, or what it said makes no sense."""

    __slots__ = (
        "_chunks",
        "_left",
        "at",
        "broken",
        "count",
        "deadline",
        "done",
        "ended",
        "exchange",
        "expired",
        "filed",
        "head",
        "over",
        "paused",
        "pieces",
        "raw",
        "relay",
        "runs",
        "size",
        "verdict",
        "waiting",
    )

    verdict: Wait
    """What is waited for."""
    runs: Iterator[Callable[[RelayExchange], Verdict | None]]
    """What is still to be run of the response's plan."""
    expired: Callable[[HeldResponse], None]
    """Called when the time is over."""

    def __init__(self, exchange: RelayExchange, head: ResponseHead, data: bytes) -> None:
        """`data`: what came behind the head."""
        self.exchange = exchange
        self.head = head
        self.relay = exchange.client.relay
        self.deadline = NEVER
        self.filed = 0
        self.at = self.relay.now()
        """When the head was here, ms."""
        self.raw: list[bytes] = []
        """As it came."""
        self.size = 0
        self.pieces: list[bytes] = []
        """The body in it, without framing."""
        self.count = 0
        self.ended = False
        """The connection has."""
        self.broken: Exception | None = None
        """Why, where that was not in order."""
        self.paused = False
        self.waiting = False
        request = exchange.head
        length = head.length
        tunnels = head.status == 101 or (request is not None and request.method == b"CONNECT" and head.status < 300)
        self._chunks = ChunkedBody(self.relay.limits, request=False) if length == CHUNKED and not tunnels else None
        self._left = length if length >= 0 else 0
        self.done = tunnels or length == 0
        self.over = self.done
        if length == TO_CLOSE and not tunnels:
            self._left = -1
        self.feed(data)

    def feed(self, data: bytes) -> None:
        """More of it has come."""
        if not data:
            return
        self.raw.append(data)
        self.size += len(data)
        if self.over:
            return
        if self._chunks is not None:
            known = len(self.pieces)
            try:
                self._chunks.decode(data, 0, self.pieces)
            except ServerProtocolError:
                # Whoever hands it on will find the same.
                self.over = True
            self.count += sum(map(len, self.pieces[known:]))
            self.done = self._chunks.done
        elif self._left < 0:
            self.pieces.append(data)
            self.count += len(data)
        else:
            data = data[: self._left]
            self.pieces.append(data)
            self.count += len(data)
            self._left -= len(data)
            self.done = not self._left
        self.over = self.over or self.done

    def has(self, least: int) -> bool:
        """Is all of the body here, or `least` bytes of it (0: no such limit), or as much as is kept?"""
        return self.over or (0 < least <= self.count) or self.size >= self.relay.bufsize

    def body(self) -> bytes:
        """What is here of it, without its framing."""
        pieces = self.pieces
        if len(pieces) > 1:
            self.pieces = pieces = [b"".join(pieces)]
        return pieces[0] if pieces else b""

    def wait(self, verdict: Wait, runs: Iterator[Any], expired: Callable[[HeldResponse], None]) -> None:
        """Hold it back from now on."""
        self.verdict = verdict
        self.runs = runs
        self.expired = expired
        self.waiting = True
        self.exchange.dirty = True
        delay = verdict.delay(self.exchange)
        if delay != NEVER:
            self.relay.timers.arm(self, self.relay.now() + delay)

    def stop(self) -> None:
        """The wait is over, or the exchange."""
        self.waiting = False
        self.relay.timers.forget(self)
        self.deadline = NEVER

    def expire(self, now: float) -> None:
        self.stop()
        self.expired(self)
