"""The passes of rules over a request, and their suspension.

```
connection   tcp-request connection, session                  before the first byte (refusing)
request      frontend: tcp-request content, monitor-uri, http-request, redirect, use_backend
             backend, if it is another proxy: tcp-request content, http-request, redirect; use-server; then the server
response     (responding)
```

A plan is a tuple of functions of the exchange, made when the proxies are built (build_rules); what has no rules is not
in it. Owns: the order of passes, suspension, verdicts. Must not know: rules and how they are written.

Invariants: nothing of this is called for proxies without rules; heads are sealed before their bytes are used; an
exchange that is suspended holds no slot, and is forgotten if its client leaves (`abandon`, as a dial's).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..http.edit import edit_request, seal
from ..rules.ruleset import go_on
from ..rules.verdicts import (
    ANSWER,
    DROP,
    MISSING,
    REJECT,
    STOP,
    SWITCH,
    TARPIT,
    WAIT,
    Answer,
    Kind,
    Missing,
    Switch,
    Verdict,
    Wait,
)
from ..session import NOT_REACHED
from . import connect, replying
from .exchange import RelayExchange
from .refusing import answer_refused, answer_request, count_refused, drop, reject, send_hints
from .timers import NEVER

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
DONE = Verdict(STOP, None)
"""The exchange has left the passes: it ended, waits, or is on its way to a server."""

Handler = Callable[[RelayExchange, Any], bool]
"""(exchange, verdict) -> do the passes go on?"""


# Requests.


def enter_request(exchange: RelayExchange) -> None:
    """A request is here: run its rules, and send it on."""
    begin(exchange)
    exchange.plan = exchange.client.frontend.plan
    proceed(exchange)


def begin(exchange: RelayExchange) -> None:
    """Restores all that rules may have touched."""
    exchange.fresh()
    exchange.slot_at = exchange.connect_at = NOT_REACHED
    exchange.server_name = "<NOSRV>"


def proceed(exchange: RelayExchange) -> None:
    """Run what is left of the plan."""
    while True:
        at = exchange.at
        exchange.at = at + 1
        exchange.lenient = False
        verdict = exchange.plan[at](exchange)
        if verdict is not None:
            if verdict is DONE:
                return
            if verdict.kind is not STOP and not HANDLERS[verdict.kind](exchange, verdict):
                return


def leave_frontend(exchange: RelayExchange) -> Verdict | None:
    """The end of every frontend's plan: on to the backend's."""
    frontend = exchange.client.frontend
    if exchange.route is frontend.route:
        exchange.route = frontend.default_route
        if frontend.route_to.get(exchange.route.backend.name.encode()) is not exchange.route:
            # Nowhere to go.
            exchange.head_at = NOT_REACHED
    plan = exchange.route.plan
    if not plan:
        return send(exchange)
    exchange.plan = plan
    exchange.at = 0
    return None


def send(exchange: RelayExchange) -> Verdict:
    """The end of every backend's plan: on to a server."""
    head = exchange.head
    if head is not None:
        seal(head)
    if exchange.hints is not None:
        send_hints(exchange)
    if exchange.variations is not None:
        exchange.vary()
    now = exchange.client.relay.now()
    server = exchange.wanted
    if server is None:
        connect.dispatch(exchange, now)
    else:
        connect.assign(exchange, server, now)
    return DONE


def monitor(exchange: RelayExchange) -> Verdict | None:
    """`monitor-uri` in a frontend with rules."""
    client = exchange.client
    frontend = client.frontend
    head = exchange.head
    if head is None or head.target != frontend.monitor_uri:
        return None
    exchange.dirty = True
    # A body would be taken for the next request: the connection is closed then.
    exchange.request_done = head.length == 0
    replying.monitor(client, exchange, 503 if frontend.monitor_fails(exchange) is not None else 200)
    return DONE


# What verdicts do.


class Suspended:
    """Rules that wait: for a moment, or for what `ready` asks for."""

    __slots__ = ("deadline", "exchange", "expired", "filed", "ready", "relay")

    def __init__(
        self,
        exchange: RelayExchange,
        delay: float,
        expired: Callable[[RelayExchange], None],
        ready: Callable[[Any], bool] | None = None,
    ) -> None:
        self.exchange = exchange
        self.relay = exchange.client.relay
        self.expired = expired
        self.ready = ready
        self.deadline = NEVER
        self.filed = 0
        exchange.dirty = True
        exchange.suspended = self
        # Whoever gives up an exchange that has no server connection abandons its dial.
        exchange.dial = cast(Any, self)
        if delay != NEVER:
            self.relay.timers.arm(self, self.relay.now() + delay)

    def abandon(self) -> None:
        """The exchange has ended, or goes on."""
        self.exchange.dial = None
        self.exchange.suspended = None
        self.relay.timers.forget(self)

    def expire(self, now: float) -> None:
        exchange = self.exchange
        self.abandon()
        self.expired(exchange)

    def wake(self) -> None:
        """What is waited for may be there. Called by others than the client, maybe when it has left, and its exchange
        serves somebody else."""
        exchange = self.exchange
        if exchange.suspended is self:
            try:
                arrived(exchange)
            except Exception as error:
                # Others are woken by the same event.
                self.relay.failed(error)


def arrived(exchange: RelayExchange) -> None:
    """Bytes have come, while rules wait."""
    suspended = exchange.suspended
    if suspended is not None and suspended.ready is not None and suspended.ready(exchange):
        suspended.abandon()
        resume(exchange)


def resume(exchange: RelayExchange) -> None:
    """Go on with the rules that waited."""
    verdict = go_on(exchange)
    if verdict is None or verdict.kind is STOP or HANDLERS[verdict.kind](exchange, verdict):
        proceed(exchange)


def _wait(exchange: RelayExchange, verdict: Wait) -> bool:
    if verdict.ready(exchange):
        resume(exchange)
        return False
    client = exchange.client
    head = exchange.head
    if verdict.body and head is not None and head.expect:
        client.write(CONTINUE)
        exchange.bytes_to_client += len(CONTINUE)
        _forget_expectation(exchange)
    late = verdict.timed_out

    def expired(exchange: RelayExchange) -> None:
        if late is None:
            resume(exchange)
        else:
            exchange.steps = None
            exchange.head_at = NOT_REACHED
            HANDLERS[late.kind](exchange, late)

    suspended = Suspended(exchange, verdict.delay(exchange), expired, verdict.ready)
    if verdict.started is not None:
        verdict.started(suspended.wake)
    return False


def _missing(exchange: RelayExchange, verdict: Missing) -> bool:
    """Content rules lack bytes: run them again when some have come, for as long as `inspect-delay` says."""
    exchange.steps = None
    exchange.at -= verdict.back
    client = exchange.client
    now = client.relay.now()
    if exchange.inspect_until == 0.0:
        exchange.inspect_until = now + verdict.delay
    rest = max(exchange.inspect_until - now, 0.0)
    frontend = client.frontend
    if frontend.spec.mode == "tcp" and frontend.client_timeout < rest:
        Suspended(exchange, frontend.client_timeout, _silent, _at_once)
    else:
        Suspended(exchange, rest, _too_late, _at_once)
    return False


def _silent(exchange: RelayExchange) -> None:
    """`timeout client` is over, before the rules have seen enough."""
    exchange.client.fail(exchange, 408, b"cR")


def _too_late(exchange: RelayExchange) -> None:
    exchange.inspect_until = -1.0
    resume(exchange)


def _at_once(exchange: RelayExchange) -> bool:
    return True


def _forget_expectation(exchange: RelayExchange) -> None:
    """We have answered it: the server must not do so again."""
    head = exchange.head
    assert head is not None
    head = exchange.head = edit_request(head)
    head.expect = False
    head.block.delete(b"expect")  # type: ignore[attr-defined]


def _tarpit(exchange: RelayExchange, verdict: Answer) -> bool:
    exchange.steps = None
    count_refused(exchange)

    def expired(exchange: RelayExchange) -> None:
        exchange.slot_at = exchange.client.relay.now()
        answer_refused(exchange, verdict)

    delay = exchange.tarpit_delay()
    if delay == NEVER:
        delay = 0.0
    Suspended(exchange, delay, expired)
    return False


def _switch(exchange: RelayExchange, verdict: Switch) -> bool:
    route = exchange.client.frontend.route_to.get(verdict.name(exchange))
    if route is not None:
        exchange.route = route
    # The last function of a frontend's plan leaves it.
    exchange.at = len(exchange.plan) - 1
    return True


HANDLERS: dict[Kind, Handler] = {
    ANSWER: answer_request,
    TARPIT: _tarpit,
    REJECT: reject,
    DROP: drop,
    WAIT: _wait,
    MISSING: _missing,
    SWITCH: _switch,
}
