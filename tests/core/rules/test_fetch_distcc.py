"""distcc's fetches: values and errors. (Streams, cut and whole: test_fetch_payload_against_haproxy.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.catalogue import Stage

MESSAGE = b"DIST00000001ARGV00000003gccARGV00000002-cDOTI00000004int"
CASES: list[tuple[str, Any, bool]] = [
    ("distcc_param(DIST)", 1, False),
    ("distcc_param(ARGV,2)", 2, False),
    ("distcc_body(ARGV,2)", b"-c", False),
    ("distcc_param(DOTI)", 4, False),
    ("distcc_body(DOTI)", None, True),
    ("distcc_param(DOTO)", None, True),
]


@pytest.mark.parametrize(("text", "expected", "unsure"), CASES)
def test_values(
    text: str, expected: Any, unsure: bool, value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    x = make_scope(payload=(MESSAGE, MESSAGE))
    assert value_of(text, x, stage=Stage.FRONT_CONTENT) == expected and x.unsure is unsure
    # Of a response: what the server said.
    x = make_scope(payload=(b"", MESSAGE))
    assert value_of(text, x, stage=Stage.BACK_RESPONSE_CONTENT) == expected


def test_of_http_nothing(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    assert value_of("distcc_param(DIST)", make_scope(payload=(None, None)), stage=Stage.FRONT_CONTENT) is None


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("distcc_param(ARG)", 14, "four characters"),
        ("distcc_body(ARGV,0)", 18, "counted from 1"),
        ("distcc_body(ARGV,x)", 18, "an integer is expected"),
    ],
)
def test_errors(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None, stage=Stage.FRONT_CONTENT)
    assert caught.value.column == column
