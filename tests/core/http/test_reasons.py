from __future__ import annotations

import pytest
from maniple.core.http.reasons import REASONS, reason_of

CASES = ((200, b"OK"), (418, b"I'm a teapot"), (299, b"Success"), (150, b"Informational"), (599, b"Server Error"))


@pytest.mark.parametrize(("status", "reason"), (*CASES, (399, b"Redirection"), (497, b"Client Error"), (999, b"Other")))
def test_reason(status: int, reason: bytes) -> None:
    assert reason_of(status) == reason


def test_all_can_stand_in_a_status_line() -> None:
    assert all(100 <= status <= 599 for status in REASONS)
    assert all(reason and reason.isascii() and b"\r" not in reason for reason in REASONS.values())
