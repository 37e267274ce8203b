"""Plays a case through maniple and through HAProxy, both at a time, and compares."""

from __future__ import annotations

import re
import threading

import pytest
from rig.cases import Case, Outcome, Stage
from rig.facts import differences
from rig.haproxy import Oracle
from rig.maniple import LoopThread


def play_ours(case: Case, thread: LoopThread) -> Outcome:
    stage = Stage(case)
    try:
        # Here the sockets are handed over by the caller; the address is never bound.
        text = re.sub(r"bind fd@\d+", "bind 127.0.0.1:1", stage.text)
        run = thread.start(text, stage.sockets)
        try:
            peers = stage.play()
            found = stage.gather(peers)
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
            found = stage.gather(peers)
            for peer in peers:
                peer.close()
        finally:
            run.stop()
        return Outcome(found, stage.log.lines, {})
    finally:
        stage.close()


def compare(case: Case, thread: LoopThread, oracle: Oracle | None) -> None:
    """Fail with a table of all facts that are not as they should be."""
    theirs: list[Outcome] = []
    faults: list[BaseException] = []

    def other() -> None:
        assert oracle is not None
        try:
            theirs.append(play_theirs(case, oracle))
        except BaseException as error:
            faults.append(error)

    beside = None
    if oracle is not None and (not case.versions or oracle.version in case.versions):
        beside = threading.Thread(target=other)
        beside.start()
    try:
        ours = play_ours(case, thread)
    finally:
        if beside is not None:
            beside.join(30)
    wrong = [
        f"{key}: expected {value!r}, is {ours.facts.get(key, '(none)')!r}"
        for key, value in case.expect.items()
        if ours.facts.get(key, "(none)") != value
    ]
    wrong += [f"loop: {complaint}" for complaint in thread.complaints]
    wrong += [f"remains: {name} {value}" for name, value in ours.remains.items()]
    if faults:
        wrong.append(f"haproxy: {faults[0]!r}")
    if theirs:
        found = differences(ours.facts, theirs[0].facts)
        for key, (mine, other_value) in found.items():
            meant = case.differs.get(key)
            if meant is None:
                wrong.append(f"{key}:\n    ours   {mine}\n    theirs {other_value}")
            elif meant.ours != mine:
                wrong.append(f"{key}: meant to be {meant.ours!r}, is {mine!r}, HAProxy has {other_value!r}")
        wrong += [f"{key}: no difference any more" for key in case.differs if key not in found]
    if wrong:
        pytest.fail("\n".join(wrong) + "\n", pytrace=False)
