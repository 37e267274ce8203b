"""The passes of rules over a server's response.

```
backend: tcp-response content, http-response; mirrors of map-uri; frontend: http-response
http-after-response of both: also over answers of our own (after)
```

Owns: their order, what verdicts do to a response, the moments when rules begin and cease to hold it back. Must not
know: passes over requests (passes), what has come of a response that is held back (holding), how one is handed on
(receiving).

Invariants: nothing of this is called on ways without such rules; a head is sealed before its bytes are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from ..http.edit import seal
from ..rules.mapping import undo
from ..rules.quiet import quiet
from ..rules.ruleset import go_on
from ..rules.verdicts import ANSWER, DROP, REJECT, STOP, WAIT, Answer, Verdict
from .refusing import answer, close, vanish

if TYPE_CHECKING:
    from ..http.head import ResponseHead
    from .exchange import RelayExchange
    from .holding import HeldResponse
    from .route import Run
    from .upstream import ServerConnection


def begin(
    connection: ServerConnection, exchange: RelayExchange, head: ResponseHead, data: bytes, end: int
) -> ResponseHead | None:
    """A response's head is here, and `data[end:]` behind it: run its rules. Returns what goes on, None if a rule has
    ended it or holds it back (`exchange.held`)."""
    exchange.answer = head
    exchange.request_variables = exchange.response_variables = None
    exchange.received_head = head
    exchange.received = data
    exchange.received_from = end
    return _go_through(connection, exchange, head, iter(exchange.route.response_plan), None)


def resume(connection: ServerConnection, held: HeldResponse) -> ResponseHead | None:
    """What a response was held back for is here: as `begin`."""
    exchange = held.exchange
    return _go_through(connection, exchange, held.head, held.runs, go_on(exchange))


def _go_through(
    connection: ServerConnection, exchange: RelayExchange, head: ResponseHead, runs: Iterator[Run], verdict: Any
) -> ResponseHead | None:
    """Run what is left of the response's plan. `verdict`: of the set that was under way."""
    while True:
        if verdict is not None and verdict.kind is not STOP:
            if verdict.kind is WAIT:
                if not verdict.ready(exchange):
                    exchange.hold().wait(verdict, runs, _too_long)
                    return None
                verdict = go_on(exchange)
                continue
            connection.keep = connection.keep and head.keep_alive
            held = exchange.held
            if held is not None:
                whole = held.done and not held.ended and held.head.length >= 0 and held.size == held.head.length
            else:
                whole = len(exchange.received) - exchange.received_from == head.length
            _refuse_response(connection, exchange, verdict, whole and exchange.request_done)
            return None
        run = next(runs, None)
        if run is None:
            break
        exchange.lenient = False
        verdict = run(exchange)
    for run in exchange.route.after_plan:
        exchange.lenient = False
        run(exchange)
    exchange.received_head = None
    exchange.received = b""
    changed = exchange.answer
    assert changed is not None
    seal(changed)
    return changed


def _too_long(held: HeldResponse) -> None:
    """The time of a rule that holds a response back is over."""
    exchange = held.exchange
    connection = exchange.upstream
    if connection is None:
        return
    late = held.verdict.timed_out
    if late is None:
        connection.released(held)
        return
    exchange.steps = None
    connection.server.counts.eresp += 1
    exchange.route.backend.counts.eresp += 1
    _refuse_response(connection, exchange, late, False)


@quiet
def mirror(exchange: RelayExchange) -> None:
    """The response says what the client knows, not what `map-uri` made of it (BK5)."""
    if exchange.mirrors:
        undo(exchange)


def _refuse_response(connection: ServerConnection, exchange: RelayExchange, verdict: Verdict, whole: bool) -> None:
    exchange.last_rule = verdict.place
    held = exchange.held
    if verdict.kind is not REJECT:
        exchange.response_at = exchange.client.relay.now() if held is None else held.at
    exchange.received_head = None
    exchange.received = b""
    if held is not None:
        held.stop()
        exchange.held = None
    if whole and verdict.kind is not REJECT:
        # Nothing of it is left to come: the connection serves the next request.
        connection.release(exchange)
    else:
        connection.drop()
    frontend, backend = exchange.client.frontend, exchange.route.backend
    if verdict.kind is not ANSWER or cast(Answer, verdict).denied:
        frontend.counts.dresp += 1
        backend.counts.dresp += 1
        if exchange.server is not None:
            exchange.server.counts.dresp += 1
    if verdict.kind is DROP:
        vanish(exchange.client)
        changed = exchange.answer
        assert changed is not None
        # As HAProxy logs it: the response's head was on its way.
        exchange.bytes_to_client += len(changed.start) + len(changed.block.wire) + 2
        close(exchange, changed.status, exchange.head_at)
        return
    if verdict.kind is REJECT:
        exchange.termination = b"PD"
        close(exchange, head_at=exchange.head_at)
        return
    given = cast(Answer, verdict)
    # H: in the midst of the response's head.
    exchange.termination = given.termination[:1] + b"H"
    answer(exchange, given)
