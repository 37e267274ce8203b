"""The server's end of a tunnel while `tcp-response content` rules look at what it says.

Owns: the bytes that are held back meanwhile, `tcp-response inspect-delay`, the verdicts. Must not know: rules, HTTP.
What the client says goes on as always.

Invariants: an end like this is in its tunnel only until its rules have come to an end, then a plain `End` takes its
place; TCP proxies without such rules never have one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..rules.catalogue import Needs
from ..rules.verdicts import DROP, MISSING, REJECT, STOP, Missing, Verdict
from .refusing import vanish
from .timers import NEVER
from .tunnel import End, Tunnel

if TYPE_CHECKING:
    from .exchange import RelayExchange
    from .route import Run

_BYTES = int(Needs.PAYLOAD)


def start(tunnel: Tunnel, ahead: bytes) -> None:
    """Start a tunnel with rules looking at what its server says. `ahead`: what the client had sent already."""
    plan = tunnel.exchange.route.response_plan
    run = plan[0] if len(plan) == 1 else _all_of(plan)
    end = InspectedEnd(tunnel, tunnel.server_end.transport, run)
    end.peer = tunnel.client_end
    tunnel.server_end = tunnel.client_end.peer = end
    tunnel.start(ahead)
    end.inspect()


def _all_of(plan: tuple[Run, ...]) -> Run:
    """One function for several sets: a verdict that lets a response pass ends its own set only."""

    def run(exchange: RelayExchange) -> Verdict | None:
        last = None
        for one in plan:
            verdict = one(exchange)
            if verdict is not None:
                if verdict.kind is not STOP:
                    return verdict
                last = verdict
        return last

    return run


class InspectedEnd(End):
    """`buffer`: what the server has said. `run`: the rules."""

    __slots__ = ("buffer", "deadline", "ended", "filed", "late", "run")

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport, run: Run) -> None:
        super().__init__(tunnel, transport, False)
        self.run = run
        self.buffer = b""
        self.late = False
        self.ended = False
        """The rules have come to their end, or the connection has."""
        self.deadline = NEVER
        self.filed = 0

    def inspect(self) -> None:
        """Run the rules over what is here."""
        exchange = self.tunnel.exchange
        upstream = exchange.upstream
        assert upstream is not None
        if self.ended:
            return
        relay = self.tunnel.relay
        full = len(self.buffer) >= relay.limits.max_head
        exchange.uncertain = 0 if self.late or self.eof or full else _BYTES
        exchange.inspected = self
        # `close` says that it must not go on.
        upstream.keep = True
        verdict = self.run(exchange)
        exchange.uncertain = 0
        if verdict is not None and verdict.kind is MISSING:
            assert isinstance(verdict, Missing)
            if self.deadline == NEVER:
                relay.timers.arm(self, relay.now() + verdict.delay)
            return
        self.ended = True
        relay.timers.forget(self)
        if verdict is not None:
            exchange.last_rule = verdict.place
            if verdict.kind in (REJECT, DROP):
                self._refuse(verdict.kind is DROP)
                return
        exchange.inspected = None
        if not upstream.keep:
            # What was said is lost with the connection, as in HAProxy.
            self.transport.abort()
            return
        self._open()

    def _open(self) -> None:
        """What was held back goes on, and so does all that follows."""
        tunnel = self.tunnel
        end = tunnel.server_end = End(tunnel, self.transport, False)
        end.peer = self.peer
        self.peer.peer = end
        self.transport.set_protocol(end)
        end.closed = self.closed
        if self.buffer:
            self.peer.write(self.buffer)
        if self.eof and not self.closed:
            end.eof_received()

    def _refuse(self, silent: bool) -> None:
        exchange = self.tunnel.exchange
        exchange.client.frontend.counts.dresp += 1
        exchange.route.backend.counts.dresp += 1
        if exchange.server is not None:
            exchange.server.counts.dresp += 1
        if silent:
            vanish(exchange.client)
        self.buffer = b""
        self.tunnel.close(b"PD")

    def data_received(self, data: bytes) -> None:
        self.tunnel.exchange.bytes_to_client += len(data)
        self.buffer += data
        self.inspect()

    def eof_received(self) -> bool:
        self.eof = True
        self.inspect()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.tunnel.relay.timers.forget(self)
        self.closed = True
        if exc is not None:
            # It can say no more; what it said is judged.
            self.eof = True
            self.inspect()
        self.ended = True
        end = self.tunnel.server_end
        if end is self:
            super().connection_lost(exc)
        else:
            end.connection_lost(exc)

    def expire(self, now: float) -> None:
        """`tcp-response inspect-delay` is over."""
        self.late = True
        self.inspect()
