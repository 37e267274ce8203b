"""`http-err-codes` and `http-fail-codes` on the wire, as HAProxy 3.0 counts them. (Of ranges with commas and without a
sign it keeps the last one only, against its manual: tests/core/config/test_status_codes holds us to that.)"""

from __future__ import annotations

import pytest
from maniple.tests.wire import test_tables as base
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays

PATHS = ("/200", "/302", "/404", "/look", "/429", "/500", "/look", "/501", "/503", "/200", "/look")
CODES = {
    "replaced": "http-err-codes 404\nhttp-fail-codes 501 +503",
    "added and taken": "http-err-codes -404 +302\nhttp-fail-codes -500 +501",
    "both at once": "http-err-codes 400-599\nhttp-fail-codes +429,200",
    "in several lines": "http-err-codes 100-599 -200\nhttp-err-codes -302 -404",
}
TRACKS = {"request": "http-request track-sc0 src table t", "response": "http-response track-sc0 src table t"}


def cases() -> list[Case]:
    return [
        base.case(f"codes: {name}, tracked by the {scope}", PATHS, track, settings=lines)
        for name, lines in CODES.items()
        for scope, track in TRACKS.items()
    ]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
