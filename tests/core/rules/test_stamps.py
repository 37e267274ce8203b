from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from maniple.core.rules import stamps

SECOND = 1233918854  # 6 February 2009, 11:14:14 UTC


@pytest.fixture(params=["UTC0", "CET-1CEST", "IST-5:30", "NST3:30"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_notations(zone: str) -> None:
    hours, offset = {
        "UTC0": ("11:14:14", "+0000"),
        "CET-1CEST": ("12:14:14", "+0100"),
        "IST-5:30": ("16:44:14", "+0530"),
        "NST3:30": ("07:44:14", "-0330"),
    }[zone]
    assert stamps.local_date(SECOND) == f"06/Feb/2009:{hours}"
    assert stamps.local_zone_date(SECOND) == f"06/Feb/2009:{hours} {offset}"
    assert stamps.gmt_zone_date(SECOND) == "06/Feb/2009:11:14:14 +0000"
    assert stamps.syslog_date(SECOND) == f"Feb  6 {hours}"
    assert stamps.iso_parts(SECOND) == (f"2009-02-06T{hours}", f"{offset[:3]}:{offset[3:]}")


def test_milliseconds() -> None:
    assert (stamps.MILLISECONDS[0], stamps.MILLISECONDS[42], stamps.MILLISECONDS[999]) == ("000", "042", "999")
