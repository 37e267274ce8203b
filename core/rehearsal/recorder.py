"""What is noted while a request is played: every pass over it, and what decided its end.

Owns: the passes' plans with an eye on each function in them. Must not know: connections, how a request is read.
Invariant: a plan's functions keep their places and their verdicts; in the place of a rule set stands the run of its
rules one by one (rules.tracing).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..relay import passes, responding
from ..relay.inspection import Inspection
from ..relay.spilling import spills
from ..rules.effects import compare, take
from ..rules.explanation import Choice, PassTrace
from ..rules.ruleset import RuleSet
from ..rules.tracing import trace
from ..rules.verdicts import STOP, Switch, Verdict
from . import candidates

if TYPE_CHECKING:
    from ..relay.exchange import RelayExchange
    from ..relay.route import Frontend, Run
    from .stage import Known, Stage


class Recorder:
    """Sits in all plans of one frontend. `passes`: those of the request, `response_passes`: of the response."""

    def __init__(self, stage: Stage, frontend: Frontend) -> None:
        self.passes: list[PassTrace] = []
        self.response_passes: list[PassTrace] = []
        self.choice: Choice | None = None
        self.ended: Verdict | None = None
        """What a rule has ended the passes with."""
        self.placed = False
        """A server was found."""
        self._variables = stage.site.variables
        self._known = stage.known()
        self._frontend = frontend
        self._into = self.passes
        self._switch: Switch | None = None
        self._asked = ""
        """The backend that a rule has named."""
        self._watch(frontend)

    def answer_comes(self) -> None:
        """From here on passes are over the response."""
        self._into = self.response_passes
        self.ended = None

    def _watch(self, frontend: Frontend) -> None:
        known = self._known
        frontend.early = tuple(self._watched(run, known) for run in frontend.early)
        plan = frontend.plan
        if not plan:
            plan = (passes.monitor,) if frontend.monitor_uri else ()
            plan = (*plan, passes.leave_frontend)
        frontend.plan = tuple(self._watched(run, known) for run in plan)
        frontend.ordinary = False
        frontend.straight = None
        frontend.monitor_fails = self._watched(frontend.monitor_fails, known)
        for route in frontend.routes:
            *own, last = route.plan or (passes.send,)
            route.plan = (*[self._watched(run, known) for run in own], self._leaving(last))
            route.response_plan = tuple(self._watched(run, known) for run in route.response_plan)
            route.after_plan = tuple(self._watched(run, known) for run in route.after_plan)
            route.whole = -1

    def _watched(self, run: Run, known: Known) -> Run:
        found = known.get(run)
        if found is not None:
            return self._traced(*found)
        if isinstance(run, Inspection):
            return run.rehearse
        if run in (passes.leave_frontend, passes.monitor):
            return run
        return self._compared(run)

    def _traced(self, proxy: str, kind: str, rules: RuleSet) -> Run:
        def run(x: RelayExchange) -> Verdict | None:
            one = PassTrace(proxy, kind, [])
            self._into.append(one)
            one.rules, verdict = trace(rules, x, self._variables)
            one.left = len(rules.rules) - len(one.rules)
            if isinstance(verdict, Switch):
                self._switch = verdict
                self._asked = verdict.name(x).decode("utf-8", "backslashreplace")
            elif isinstance(verdict, Verdict) and verdict.kind is not STOP and kind != "http-after-response":
                self.ended = verdict
            return verdict

        return run

    def _compared(self, run: Run) -> Run:
        """A function that is no rule set."""
        title = "map-uri, on the way back" if run is responding.mirror else "captures and identifiers"

        def watched(x: RelayExchange) -> Verdict | None:
            before = take(x, self._variables)
            verdict = run(x)
            changes = compare(before, take(x, self._variables))
            if changes:
                self._into.append(PassTrace(self._side(x), title, [], changes=changes))
            return verdict

        return watched

    def _side(self, x: RelayExchange) -> str:
        name = x.route.backend.name
        return f"{self._frontend.spec.kind} {self._frontend.name}" if name == self._frontend.name else f"backend {name}"

    def _leaving(self, send: Callable[[Any], Verdict | None]) -> Run:
        def run(x: RelayExchange) -> Verdict | None:
            asked = backend = x.route.backend
            choice = self.choice = candidates.describe(backend, self._reason(backend.name))
            wanted = x.wanted
            verdict: Verdict | None = passes.DONE
            if self._frontend.spec.mode == "tcp":
                # Nothing is sent, as to send means to dial.
                server = wanted or backend.choose(x)
                if server is None and x.route.backup is not None and spills(x.route):
                    server = x.route.backup.backend.choose(x)
            else:
                verdict = send(x)
                server = x.server
            if server is not None and server.backend is not asked:
                backend = server.backend
                reason = f"backup-backend of {asked.name}, {self._reason(asked.name)}"
                choice = self.choice = candidates.describe(backend, reason)
            self.placed = server is not None
            candidates.settle(choice, backend, server, wanted)
            return verdict

        return run

    def _reason(self, name: str) -> str:
        spec = self._frontend.spec
        switch = self._switch
        if switch is not None:
            place = f"use_backend, {switch.place.file}:{switch.place.line}" if switch.place else "use_backend"
            if self._asked == name:
                return place
            return f"default_backend: `{self._asked}` of {place} is no backend that it could go to"
        if spec.has_backend and name == spec.name:
            return "the section itself"
        if spec.default_backend:
            return "default_backend"
        return "there is no default_backend"
