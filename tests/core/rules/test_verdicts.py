"""Verdicts: what each kind carries."""

from __future__ import annotations

import pytest
from maniple.core.config.model import Place
from maniple.core.rules.verdicts import (
    ANSWER,
    DROP,
    JUMP,
    MISSING,
    REJECT,
    STOP,
    SWITCH,
    TARPIT,
    WAIT,
    Answer,
    Jump,
    Kind,
    Switch,
    Verdict,
    Wait,
)

PLACE = Place("a.cfg", 3, 5)


def test_kinds_have_names_of_their_own() -> None:
    assert list(Kind) == [STOP, ANSWER, TARPIT, REJECT, DROP, WAIT, JUMP, SWITCH, MISSING]


@pytest.mark.parametrize("kind", [STOP, REJECT, DROP])
def test_plain_ones(kind: Kind) -> None:
    verdict = Verdict(kind, PLACE)
    assert (verdict.kind, verdict.place, verdict.unread) == (kind, PLACE, False)
    assert Verdict(kind, PLACE, True).unread


def test_answer() -> None:
    answer = Answer(PLACE, 403, page=True, termination=b"PR", denied=True)
    assert (answer.kind, answer.status, answer.page, answer.denied) == (ANSWER, 403, True, True)
    assert answer.render is None and answer.prepared is None and answer.extra == b"" and not answer.unread
    assert Answer(None, 500, kind=TARPIT).kind is TARPIT
    assert Answer(None, 200).termination == b"LR"


def test_wait_asks_the_scope() -> None:
    wait = Wait(PLACE, lambda x: x > 3, lambda x: x * 10.0)
    assert (wait.kind, wait.body, wait.timed_out) == (WAIT, False, None)
    assert not wait.ready(3) and wait.ready(4) and wait.delay(2) == 20.0
    late = Answer(PLACE, 408)
    assert Wait(PLACE, bool, float, late, body=True).timed_out is late


def test_jump_and_switch() -> None:
    steps = ((None, lambda x: None),)
    jump = Jump(PLACE, steps)
    assert (jump.kind, jump.steps) == (JUMP, steps)
    switch = Switch(PLACE, lambda x: b"b%d" % x)
    assert (switch.kind, switch.name(2)) == (SWITCH, b"b2")
