"""The request/response cycle of one client connection: what each side of it is doing, and which moves there are.

Theory. On a connection that speaks HTTP/1 the two directions each go through messages one after the other, and each
message through the same parts: nothing yet, a head, a body, nothing left. A request may be finished long before its
response begins, or the other way round (an early answer to an upload), so one state for both would need their
product; two states of one table do instead, one a direction. The exchange is over when both are DONE. Then both
either go back to IDLE, where the next request may begin (bytes that came early wait until then: answers must keep the
order of the questions, RFC 9112 9.3.2), or the connection ends.

    IDLE    between messages: before a head's first byte HEAD    some bytes of a head, not all INTERIM a 1xx response
    was passed on; the final head is still to come (only the response's side is ever here) BODY    the head is
    complete, the body is not DONE    the message is complete TUNNEL  after CONNECT or Upgrade: bytes without meaning
    to us, until both directions end CLOSING no further message is read in this direction; what arrives is dropped
    (drained), so that the peer is not reset
            while the last answer is on its way (S17)
    CLOSED  nothing can come or go

Owns: the states and the moves. Must not know: which direction it describes, sockets, heads. The relay calls `advance`
once a message part, never once a chunk.
"""

from __future__ import annotations

from enum import IntEnum

from ..errors import ManipleError


class Stage(IntEnum):
    """Where one direction of a connection is in its message. See the module."""

    IDLE = 0
    HEAD = 1
    INTERIM = 2
    BODY = 3
    DONE = 4
    TUNNEL = 5
    CLOSING = 6
    CLOSED = 7

    # Enum's own hash is a Python function: 0.2 µs of every move.
    __hash__ = int.__hash__


class IllegalMove(ManipleError):
    """A move that the table does not have: an error of ours, never of a peer."""


MOVES: dict[Stage, frozenset[Stage]] = {
    # A head that arrives whole skips HEAD; one without a body skips BODY.
    Stage.IDLE: frozenset(
        (Stage.HEAD, Stage.INTERIM, Stage.BODY, Stage.DONE, Stage.TUNNEL, Stage.CLOSING, Stage.CLOSED)
    ),
    Stage.HEAD: frozenset((Stage.INTERIM, Stage.BODY, Stage.DONE, Stage.TUNNEL, Stage.CLOSING, Stage.CLOSED)),
    # Further 1xx may follow the first; a 101 ends in the tunnel.
    Stage.INTERIM: frozenset(
        (Stage.INTERIM, Stage.HEAD, Stage.BODY, Stage.DONE, Stage.TUNNEL, Stage.CLOSING, Stage.CLOSED)
    ),
    Stage.BODY: frozenset((Stage.DONE, Stage.CLOSING, Stage.CLOSED)),
    # A request is DONE before its 101 or its CONNECT's 2xx makes a tunnel of it.
    Stage.DONE: frozenset((Stage.IDLE, Stage.TUNNEL, Stage.CLOSING, Stage.CLOSED)),
    Stage.TUNNEL: frozenset((Stage.CLOSING, Stage.CLOSED)),
    Stage.CLOSING: frozenset((Stage.CLOSED,)),
    Stage.CLOSED: frozenset(),
}
"""From each stage to those that may follow it."""


class Cycle:
    """Both directions of one connection's exchange. The relay may read `request` and `response` directly."""

    __slots__ = ("request", "response")

    def __init__(self) -> None:
        self.request = Stage.IDLE
        self.response = Stage.IDLE

    def advance_request(self, stage: Stage) -> None:
        """Move the direction from the client. Raises IllegalMove."""
        self.request = advance(self.request, stage)

    def advance_response(self, stage: Stage) -> None:
        """Move the direction to the client. Raises IllegalMove."""
        self.response = advance(self.response, stage)

    @property
    def over(self) -> bool:
        """Are both messages complete?"""
        return self.request is Stage.DONE and self.response is Stage.DONE

    def restart(self) -> None:
        """The exchange is over and the connection persists. Raises IllegalMove if it is not over."""
        self.request = advance(self.request, Stage.IDLE)
        self.response = advance(self.response, Stage.IDLE)

    def __repr__(self) -> str:
        return f"<Cycle {self.request.name} {self.response.name}>"


def advance(now: Stage, after: Stage) -> Stage:
    """The stage after the move. Raises IllegalMove where the table has none (0.12 µs)."""
    if after not in MOVES[now]:
        raise IllegalMove(f"{now.name} -> {after.name}")
    return after
