"""Retries and redispatch. What HAProxy 2.6 and 3.0 did was observed with dead servers and `timeout connect 500ms`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance.retry import Action, Decision, Failure, decide, is_redispatch


def course(persistent: bool, retries: int, redispatch: int, **words: Any) -> tuple[str, int]:
    """What happens when every attempt is refused: S the same server again, E elsewhere, F the end (persistence ends
    with E); and the milliseconds spent waiting."""
    steps = ""
    waited = 0
    for retry in range(1, 20):
        decision = decide(
            Failure.REFUSED,
            retry,
            **{
                "retries": retries,
                "redispatch": redispatch,
                "persistent": persistent,
                "active": 3,
                "connect_timeout": 500,
                **words,
            },
        )
        steps += {Action.AGAIN: "S", Action.ELSEWHERE: "E", Action.FAIL: "F"}[decision.action]
        waited += decision.delay
        if decision.action is Action.FAIL:
            break
        persistent = persistent and decision.action is Action.AGAIN
    return steps, waited


@pytest.mark.parametrize(
    ("retries", "redispatch", "steps", "waited"),
    [
        (3, 0, "SSSF", 1500),
        (3, -1, "SSEF", 1000),
        (3, -2, "SEEF", 500),
        (3, 1, "EEEF", 0),
        (3, 2, "SEEF", 500),
        (3, 3, "SSEF", 1000),
        (6, 3, "SSEEEEF", 1000),
        (6, -1, "SSSSSEF", 2500),
        (6, -2, "SSSSEEF", 2000),
        (6, 0, "SSSSSSF", 3000),
        (0, -1, "F", 0),
        (1, -1, "EF", 0),
    ],
)
def test_with_persistence(retries: int, redispatch: int, steps: str, waited: int) -> None:
    """The waiting times are HAProxy's; after the first redispatch persistence is over."""
    assert course(True, retries, redispatch) == (steps, waited)


@pytest.mark.parametrize(
    ("redispatch", "rotating", "active", "steps", "waited"),
    [
        (0, True, 3, "SSSF", 1500),
        (-1, True, 3, "EEEF", 0),
        (2, True, 3, "EEEF", 0),
        (-1, True, 1, "SSEF", 1500),
        (-1, False, 3, "SSEF", 1000),
        (2, False, 3, "SESF", 1000),
    ],
)
def test_without_persistence(redispatch: int, rotating: bool, active: int, steps: str, waited: int) -> None:
    assert course(False, 3, redispatch, rotating=rotating, active=active) == (steps, waited)


@pytest.mark.parametrize(("timeout", "delay"), [(None, 1000), (500, 500), (5000, 1000)])
def test_turn_around_is_a_second_at_most(timeout: int | None, delay: int) -> None:
    assert decide(Failure.REFUSED, 1, retries=3, redispatch=0, connect_timeout=timeout) == (Action.AGAIN, delay)


def test_no_turn_around_after_a_timeout_or_a_reused_connection() -> None:
    assert decide(Failure.TIMED_OUT, 1, retries=3, redispatch=0) == (Action.AGAIN, 0)
    assert decide(Failure.REFUSED, 1, retries=3, redispatch=0, reused=True) == (Action.AGAIN, 0)


@pytest.mark.parametrize(("reused", "action"), [(True, Action.HANG_UP), (False, Action.FAIL)])
@pytest.mark.parametrize("redispatch", [0, -1, 1])
def test_lost_request_is_never_sent_again(reused: bool, action: Action, redispatch: int) -> None:
    """T6."""
    assert decide(Failure.LOST, 1, retries=3, redispatch=redispatch, reused=reused, active=9) == Decision(action)


@given(st.integers(0, 10), st.integers(-12, 12))
def test_redispatches_of_the_manual(retries: int, redispatch: int) -> None:
    marked = [retry for retry in range(1, retries + 1) if is_redispatch(retry, retries, redispatch)]
    if redispatch == 0 or -redispatch > retries:
        assert marked == []
    elif redispatch > 0:
        assert marked == list(range(redispatch, retries + 1, redispatch))
    else:
        assert marked[0] == retries + 1 + redispatch
