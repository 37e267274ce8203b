"""Dates beside the standard library's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import CONVERTERS, Call, Scoped, Stage

SECONDS = st.integers(-(10**10), 253402300799)


@given(seconds=SECONDS)
def test_http_date(seconds: int, value_of: Callable[..., Any]) -> None:
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert value_of(f"int({seconds}),http_date", None) == format_datetime(date, usegmt=True).encode()


@given(number=st.integers(-(10**15), 10**17))
def test_fractions(number: int, value_of: Callable[..., Any]) -> None:
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number)
    assert value_of(f"int({number}),us_utime(%H:%M:%S.%N)", None) == date.strftime("%H:%M:%S.%f000").encode()
    assert value_of(f"int({number}),http_date(0,us)", None).endswith(date.strftime("%H:%M:%S.%f GMT").encode())


def test_last_date_is_kept_for_its_second_only(site: Any) -> None:
    assert keywords.MODULES
    numbers = iter([59, 60, 1059, 59])
    converter = CONVERTERS["ms_utime"]
    call = Call("ms_utime", (b"%S.%N", None), (), 1, site, Stage.FRONT_REQUEST)
    run = converter.make(call)
    assert not isinstance(run, Scoped)
    assert [run(number) for number in numbers] == [b"00.059000000", b"00.060000000", b"01.059000000", b"00.059000000"]


def test_local_time(monkeypatch: pytest.MonkeyPatch, value_of: Callable[..., Any]) -> None:
    monkeypatch.setenv("TZ", "XYZ-3:30")
    time.tzset()
    try:
        assert value_of("int(0),ltime(%H:%M %z %Z)", None) == b"03:30 +0330 XYZ"
        assert (
            value_of("int(0),ms_ltime(%H:%M)", None) == b"03:30"
            and value_of("int(0),us_ltime(%H:%M,60)", None) == b"03:31"
        )
    finally:
        monkeypatch.undo()
        time.tzset()


CASES: list[tuple[str, Any]] = [
    ("int(0),http_date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
    ("int(0),http_date(0,ms)", b"Thu, 01 Jan 1970 00:00:00.000 GMT"),
    ("int(9223372036854775807),http_date", None),
    ("int(9223372036854775807),utime(%Y)", None),
    ("int(1234567890123),ms_utime(%Y %N %N %%N)", b"2009 123000000 123000000 %N"),
    ("int(5),utime", b""),
    ("int(5),ms_utime(%N%S%N)", b"00500000000005000000"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expressions(text: str, expected: Any, value_of: Callable[..., Any]) -> None:
    assert value_of(text, None) == expected


WRONG: list[tuple[str, int, str]] = [
    ("int(0),http_date(0,x)", 20, "a unit is s, ms or us"),
    ("int(0),utime(%S,x)", 17, "an integer is expected"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
