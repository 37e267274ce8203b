"""Plays a case through maniple and through HAProxy, both at a time, and compares."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from maniple.tests.wire.rig.cases import Case, Outcome, Stage
from maniple.tests.wire.rig.facts import differences, in_order_of
from maniple.tests.wire.rig.haproxy import Oracle
from maniple.tests.wire.rig.ours import LoopThread
from maniple.tests.wire.rig.versions import NOT_IN_2_6


def play_ours(case: Case, thread: LoopThread) -> Outcome:
    stage = Stage(case)
    try:
        run = thread.start(stage.unbound_text, stage.sockets)
        try:
            peers = stage.play()
            found = stage.gather(peers, run)
            for peer in peers:
                peer.close()
            remains = run.settle()
        finally:
            run.stop()
        log = stage.log.lines
        return Outcome(found, log, remains)
    finally:
        stage.close()


def play_theirs(case: Case, oracle: Oracle) -> Outcome:
    stage = Stage(case)
    try:
        run = oracle.start(stage.text, stage.descriptors)
        try:
            peers = stage.play()
            found = stage.gather(peers, run)
            for peer in peers:
                peer.close()
        finally:
            run.stop()
        return Outcome(found, stage.log.lines, {})
    finally:
        stage.close()


class Plays:
    """Cases played ahead of the tests that look at them, several at a time: most of a case is waiting."""

    def __init__(self, cases: Iterable[Case], thread: LoopThread, oracle: Oracle | None) -> None:
        self._thread = thread
        self._oracle = oracle
        self._executor = ThreadPoolExecutor(8)
        self._ours: dict[str, Future[Outcome]] = {}
        self._theirs: dict[str, Future[Outcome]] = {}
        for case in cases:
            self._ours[case.name] = self._executor.submit(play_ours, case, thread)
            if oracle is not None and case.compared and not (oracle.version == "2.6" and case.name in NOT_IN_2_6):
                self._theirs[case.name] = self._executor.submit(play_theirs, case, oracle)

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)

    def compare(self, case: Case) -> None:
        """Fail with a table of all facts that are not as they should be.

        Two programs race the clock here, eight cases at a time, on a machine that others use. So facts that differ are
        looked at once more, with the case played anew; a difference that is one is there again. A complaint of the loop
        or something that was left behind fails at once: no load excuses it."""
        ours = self._ours[case.name].result()
        theirs = self._theirs[case.name].result() if case.name in self._theirs else None
        faults = self._faults(ours)
        wrong = _wrong(case, ours, theirs)
        if wrong and not faults:
            ours = play_ours(case, self._thread)
            if theirs is not None and self._oracle is not None:
                theirs = play_theirs(case, self._oracle)
            faults = self._faults(ours)
            wrong = _wrong(case, ours, theirs)
        if wrong or faults:
            pytest.fail("\n".join(wrong + faults) + "\n", pytrace=False)

    def _faults(self, ours: Outcome) -> list[str]:
        # Complaints of this case, or of one that was played at the same time.
        complaints = [f"loop: {complaint}" for complaint in self._thread.take_complaints()]
        return complaints + [f"remains: {name} {value}" for name, value in ours.remains.items()]


def _wrong(case: Case, ours: Outcome, theirs: Outcome | None) -> list[str]:
    wrong = [
        f"{key}: expected {value!r}, is {ours.facts.get(key, '(none)')!r}"
        for key, value in case.expect.items()
        if ours.facts.get(key, "(none)") != value
    ]
    return wrong if theirs is None else wrong + _compared(case, ours, theirs)


def _compared(case: Case, ours: Outcome, theirs: Outcome) -> list[str]:
    wrong = []
    several = len(case.clients) > 1
    found = differences(in_order_of(ours.facts, theirs.facts) if several else ours.facts, theirs.facts)
    for key, (mine, other_value) in found.items():
        meant = case.differs.get(key)
        if meant is None:
            wrong.append(f"{key}:\n    ours   {mine}\n    theirs {other_value}")
        elif meant.ours != mine:
            wrong.append(f"{key}: meant to be {meant.ours!r}, is {mine!r}, HAProxy has {other_value!r}")
    wrong += [f"{key}: no difference any more" for key in case.differs if key not in found]
    return wrong
