"""The straight way of an ordinary request (no body, in one piece) through rules: what can be known when the proxies are
built is not asked for each request.

Owns: which frontends have such a way, and the function. Must not know: rules. It does what `passes.enter_request` does
(a test holds that); requests that are not ordinary go there, and so does all that a rule's verdict asks for.

Invariant: it is made of a frontend's plan; who puts another one in its place (a rehearsal) takes the way away.

Three kinds, the cheapest that will do: a set that only edits or tracks (fused.light_of); quiet sets (rules/quiet),
which restore nothing but where they give a verdict; one set of any kind, which restores all that `fresh` does.

Measured (bytecodes): to track an entry and deny above a rate cost 541 more than a plain request, and costs 288.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..http.edit import seal
from ..rules.catalogue import Needs
from ..rules.fused import beginning_of, light_of
from ..rules.quiet import is_quiet, may_edit
from ..rules.verdicts import STOP, Verdict
from ..session import NOT_REACHED
from . import binding, connect, passes, tracking
from .exchange import RelayExchange

if TYPE_CHECKING:
    from .route import Frontend, Route, Run

Way = Callable[[RelayExchange, float], None]
"""(exchange, now): on to a server."""

_BEFORE = (tracking.count_request, binding.show)
"""Steps that may stand before the set: they take note of the request."""


def straight_way(frontend: Frontend) -> Way | None:
    """The way for ordinary requests of a frontend that is built; None where it has no rules, or looks at more than the
    head."""
    plan = frontend.plan
    if not plan or frontend.spec.mode != "http" or frontend.monitor_uri or frontend.log_at_start or frontend.close:
        return None
    route = frontend.default_route
    if frontend.route_to.get(route.backend.name.encode()) is not route:
        # Nowhere to go: passes.leave_frontend knows what that means.
        return _direct
    *before, last = plan
    if last is not passes.leave_frontend:
        return _direct
    steps = route.plan[:-1]
    knows = all(map(is_quiet, steps))
    if knows and _untouched(frontend):
        if not before:
            return _quiet_way(route)
        looked_at = steps or any(one.closing is not None for one in frontend.routes)
        light = light_of(before[-1]) if len(before) == 1 or before[:-1] == [binding.show] else None
        if light is not None:
            # It only edits the head or tracks an entry of a table, which is let go of when the exchange ends, and
            # touches nothing else that `fresh` restores. (With `show` there is a step that says it anew.)
            return light(route, _quiet_way(route) if looked_at else connect.dispatch)
        if all(is_quiet(step) or step is tracking.count_request for step in before):
            edits = any(map(may_edit, before))
            return _ruled_way(frontend, _quiet_way(route) if looked_at else _send if edits else connect.dispatch)
    if not before or any(step not in _BEFORE for step in before[:-1]):
        return _direct
    return _single_way(frontend, (_quiet_way(route) if steps else _send) if knows else None)


def _untouched(frontend: Frontend) -> bool:
    """Leaves nothing that its exchanges meet something for the next one to find, where rules over requests are quiet?
    (What denies or answers one makes it dirty: all of that is restored.)"""
    logs = (frontend.access_log, frontend.early_log)
    return (
        not frontend.early
        and frontend.unique_id is None
        and all(one.whole > 0 for one in frontend.routes)
        and not any(log is not None and log.needs & Needs.LEAVES for log in logs)
    )


def _in_turn(before: Sequence[Run], run: Run) -> Run:
    """Steps that only take note of the request, and the set behind them."""

    def both(exchange: RelayExchange) -> Verdict | None:
        for step in before:
            step(exchange)
        return run(exchange)

    return both


def _direct(exchange: RelayExchange, now: float) -> None:
    passes.enter_request(exchange)


def _send(exchange: RelayExchange, now: float) -> None:
    """The backend has no rules."""
    head = exchange.head
    if head is not None:
        seal(head)
    connect.dispatch(exchange, now)


def _quiet_way(route: Route) -> Way:
    """What the backend runs is quiet: cookies, stick tables, sticky sessions. Restores what that touches, so that it is
    a whole way where the frontend runs nothing."""
    plan = route.plan
    steps = plan[:-1]
    dispatch, assign = connect.dispatch, connect.assign

    def go(exchange: RelayExchange, now: float) -> None:
        exchange.route = route
        exchange.answer = exchange.wanted = None
        exchange.persistence = 0
        exchange.cookie_state = b"--"
        exchange.slot_at = exchange.connect_at = NOT_REACHED
        exchange.server_name = "<NOSRV>"
        for step in steps:
            verdict = step(exchange)
            if verdict is not None:
                exchange.plan = plan
                exchange.at = steps.index(step) + 1
                if verdict.kind is STOP or passes.HANDLERS[verdict.kind](exchange, verdict):
                    passes.proceed(exchange)
                return
        head = exchange.head
        if head is not None and head.block.edited:
            seal(head)
        server = exchange.wanted
        if server is None:
            dispatch(exchange, now)
        else:
            assign(exchange, server, now)

    return go


def _ruled_way(frontend: Frontend, onward: Way) -> Way:
    """All that the frontend runs is quiet: nothing that it looks at has changed since the last request, so that nothing
    is restored but for a verdict. `onward`: what follows where there is none."""
    first, route = frontend.route, frontend.default_route
    *runs, _ = frontend.plan
    refused = _verdict_way(frontend)
    last = len(runs)
    if last > 1:
        steps = tuple(enumerate(runs, 1))

        def go_through(exchange: RelayExchange, now: float) -> None:
            exchange.route = first
            for at, step in steps:
                verdict = step(exchange)
                if verdict is not None:
                    refused(exchange, verdict, at)
                    return
            exchange.route = route
            onward(exchange, now)

        return go_through
    begun = beginning_of(runs[0])
    run = runs[0] if begun is None else begun[1]

    def rest(exchange: RelayExchange, now: float) -> None:
        verdict = run(exchange)
        if verdict is not None:
            refused(exchange, verdict, 1)
            return
        exchange.route = route
        onward(exchange, now)

    if begun is not None:
        # It tracks an entry without a call of its own, and notes the route.
        return begun[0](first, rest)

    def go(exchange: RelayExchange, now: float) -> None:
        exchange.route = first
        rest(exchange, now)

    return go


def _verdict_way(frontend: Frontend) -> Callable[[RelayExchange, Verdict, int], None]:
    """What follows a verdict of a quiet set, behind which the plan goes on at `at`: all that the passes restore before
    the first rule is restored now, and they go on."""
    plan = frontend.plan
    shows = binding.show in plan

    def follow(exchange: RelayExchange, verdict: Verdict, at: int) -> None:
        passes.begin(exchange)
        if shows:
            binding.show(exchange)
        exchange.plan = plan
        exchange.at = at
        if verdict.kind is STOP or passes.HANDLERS[verdict.kind](exchange, verdict):
            passes.proceed(exchange)

    return follow


def _single_way(frontend: Frontend, onward: Way | None) -> Way:
    """One set. `onward`: what follows it where it has neither chosen a backend nor a server, nor has anything to say to
    the client; None: the passes know."""
    plan = frontend.plan
    first = frontend.route
    route = frontend.default_route
    *before, run, _ = plan
    if before:
        run = _in_turn(before, run)
    behind = len(plan) - 1

    def go(exchange: RelayExchange, now: float) -> None:
        # As in RelayExchange.fresh and enter_request, without their calls.
        exchange.route = first
        exchange.answer = exchange.variables = exchange.request_variables = exchange.response_variables = None
        exchange.unique_id = exchange.last_rule = exchange.steps = None
        exchange.numbered = exchange.lenient = False
        exchange.hints = exchange.mirrors = exchange.suspended = exchange.wanted = None
        exchange.persistence = 0
        exchange.cookie_state = b"--"
        exchange.slot_at = exchange.connect_at = NOT_REACHED
        exchange.server_name = "<NOSRV>"
        exchange.plan = plan
        exchange.at = behind
        verdict = run(exchange)
        if verdict is not None:
            if verdict is not passes.DONE and (
                verdict.kind is STOP or passes.HANDLERS[verdict.kind](exchange, verdict)
            ):
                passes.proceed(exchange)
            return
        if onward is None or exchange.route is not first or exchange.hints is not None or exchange.wanted is not None:
            passes.proceed(exchange)
            return
        if exchange.variations is not None:
            # Settings of its own for the way to the server (`set-retries`, `set-bc-mark`).
            passes.proceed(exchange)
            return
        exchange.route = route
        onward(exchange, now)

    return go
