"""What to do about a failure on the way to a server: the same server again, another one, or give up. Pure decisions.

Owns: the rules of reference 3.2 (`retries`, `option redispatch`, the turn-around delay) and trap T6. Must not know:
servers, connections, clocks.

- `retries` counts attempts after the first; only failures to *connect* are retried.
- `option redispatch` lets a retry go to another server. For a request that persistence sent here: P > 0 every P-th
  retry, -N on the N-th before the last, counted so that -1, the option's default, is the last one; 0: never.
- A request without persistence, in a backend that does not hash and has more than one active server, goes to another
  server at once under any `option redispatch` but 0. (The manual does not say so; HAProxy 2.6 and 3.0 do it, whatever
  the interval, with roundrobin, leastconn, first and random; hashing keeps to the interval.)
- The turn-around: after a connection was *refused* (not timed out), the same server is left alone for `timeout connect`
  or one second, whichever is less. Also if there is at most one active server: then another choice is the same one.
- A *reused* connection that the server closes before the first byte of a response: the client gets no response, its
  connection is just closed, so that it repeats the request by itself, as it would on its own keep-alive connection
  (T6). Never sent again by us: the server may have acted on it. A new connection that is closed likewise is a 502.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

TURN_AROUND = 1000
"""Milliseconds."""


class Failure(IntEnum):
    """What happened."""

    REFUSED = 0
    """The connection could not be made: refused, reset, unreachable."""
    TIMED_OUT = 1
    """It was not made within `timeout connect`."""
    LOST = 2
    """It was closed or failed after the request (or part of it) was sent, before the first byte of the response."""


class Action(IntEnum):
    """What to do."""

    AGAIN = 0
    """Try the same server, keeping its slot."""
    ELSEWHERE = 1
    """Free the slot and balance anew, avoiding this server; persistence no longer counts."""
    FAIL = 2
    """Answer with the failure's status: 503, or 502 for LOST."""
    HANG_UP = 3
    """Close the client's connection without a word."""


class Decision(NamedTuple):
    action: Action
    delay: int = 0
    """Milliseconds to wait before it."""


def is_redispatch(retry: int, retries: int, redispatch: int) -> bool:
    """Whether the `retry`-th retry (from 1) of at most `retries` goes to another server under `option redispatch`."""
    if redispatch > 0:
        return retry % redispatch == 0
    if redispatch < 0:
        period = retries + 1 + redispatch
        return period > 0 and retry % period == 0
    return False


def decide(
    failure: Failure,
    retry: int,
    *,
    retries: int,
    redispatch: int,
    reused: bool = False,
    persistent: bool = False,
    rotating: bool = True,
    active: int = 1,
    connect_timeout: int | None = None,
) -> Decision:
    """`retry`: the number of the retry that would follow, 1 after the first attempt. `retries`, `redispatch`: the
    backend's (ProxySpec). `reused`: the connection came from a pool. `persistent`: persistence chose the server.
    `rotating`: the algorithm's attribute. `active`: eligible active servers. `connect_timeout`: ms, None for none."""
    if failure is Failure.LOST:
        return Decision(Action.HANG_UP if reused else Action.FAIL)
    if retry > retries:
        return Decision(Action.FAIL)
    moves = is_redispatch(retry, retries, redispatch) or (
        redispatch != 0 and rotating and not persistent and active > 1
    )
    delay = 0
    if failure is Failure.REFUSED and not reused and (not moves or active <= 1):
        delay = TURN_AROUND if connect_timeout is None else min(connect_timeout, TURN_AROUND)
    return Decision(Action.ELSEWHERE if moves else Action.AGAIN, delay)
