"""The straight way of an ordinary request (no body, in one piece) through rules: what can be known when the proxies are
built is not asked for each request.

Owns: which frontends have such a way, and the function. Must not know: rules. It does what `passes.enter_request` does
(a test holds that); requests that are not ordinary go there, and so does all that a rule's verdict asks for.

Invariant: it is made of a frontend's plan; who puts another one in its place (a rehearsal) takes the way away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..http.edit import seal
from ..rules.fused import Light, light_of
from ..rules.verdicts import STOP, Verdict
from ..session import NOT_REACHED
from . import connect, passes, tracking
from .exchange import RelayExchange

if TYPE_CHECKING:
    from .route import Frontend, Route, Run

Way = Callable[[RelayExchange, float], None]
"""(exchange, now): on to a server."""


def straight_way(frontend: Frontend) -> Way | None:
    """The way for ordinary requests of a frontend that is built; None where it has no rules, or looks at more than the
    head."""
    plan = frontend.plan
    if not plan or frontend.spec.mode != "http" or frontend.monitor_uri or frontend.log_at_start or frontend.close:
        return None
    start = 1 if plan[0] is tracking.count_request and len(plan) == 3 else 0
    route = frontend.default_route
    if frontend.route_to.get(route.backend.name.encode()) is not route:
        # Nowhere to go: passes.leave_frontend knows what that means.
        return _direct
    if len(plan) != start + 2 or plan[-1] is not passes.leave_frontend:
        return _direct
    untouched = not frontend.early and frontend.unique_id is None and all(one.whole > 0 for one in frontend.routes)
    light = light_of(plan[start])
    if light is not None and not start and untouched and not route.plan:
        return _light_way(route, light)
    return _single_way(frontend, start)


def _counting(run: Run) -> Run:
    """What the session tracks is told of the request first."""
    count = tracking.count_request

    def both(exchange: RelayExchange) -> Verdict | None:
        count(exchange)
        return run(exchange)

    return both


def _direct(exchange: RelayExchange, now: float) -> None:
    passes.enter_request(exchange)


def _light_way(route: Route, light: Light) -> Way:
    """One set, which only edits the head or tracks an entry of a table (let go of when the exchange ends), and nothing
    else that would touch what `fresh` restores."""
    dispatch = connect.dispatch

    def go(exchange: RelayExchange, now: float) -> None:
        exchange.route = route
        light(exchange, now)
        dispatch(exchange, now)

    return go


def _single_way(frontend: Frontend, start: int) -> Way:
    """One set. `start`: 1 where requests are counted before it."""
    plan = frontend.plan
    first = frontend.route
    route = frontend.default_route
    run = _counting(plan[1]) if start else plan[0]
    dispatch = connect.dispatch

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
        exchange.at = start + 1
        verdict = run(exchange)
        if verdict is not None:
            if verdict is not passes.DONE and (
                verdict.kind is STOP or passes.HANDLERS[verdict.kind](exchange, verdict)
            ):
                passes.proceed(exchange)
            return
        if exchange.route is not first or route.plan or exchange.hints is not None or exchange.wanted is not None:
            passes.proceed(exchange)
            return
        exchange.route = route
        head = exchange.head
        if head is not None:
            seal(head)
        dispatch(exchange, now)

    return go
