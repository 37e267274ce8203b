"""The step for codes that are not the usual ones. (On the wire, beside HAProxy: tests/wire/test_status_codes.)"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.config.global_spec import ERROR_CODES, FAILURE_CODES
from maniple.core.relay import tracking
from maniple.core.relay.judging import counting


class Tracked:
    """An entry that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.tracker = self
        self.slot = 1

    def error(self, slot: int, now: int) -> None:
        self.told.append("error")

    def failure(self, slot: int, now: int) -> None:
        self.told.append("failure")


CASES: list[tuple[int, list[str]]] = [
    (200, []),
    (302, ["error"]),
    (404, []),
    (500, ["failure"]),
    (429, ["error", "failure"]),
]


@pytest.mark.parametrize(("status", "expected"), CASES)
def test_what_counts(status: int, expected: list[str]) -> None:
    entry = Tracked()
    relay = SimpleNamespace(clock=lambda: 1.0)
    exchange: Any = SimpleNamespace(
        answer=SimpleNamespace(status=status),
        client=SimpleNamespace(relay=relay),
        session=SimpleNamespace(tracked=(entry,)),
        tracked=None,
    )
    counting(frozenset({302, 429}), frozenset({500, 429}))(exchange)
    assert entry.told == expected


def test_the_usual_codes_have_the_usual_step() -> None:
    assert counting(ERROR_CODES, frozenset(FAILURE_CODES)) is tracking.count_response
