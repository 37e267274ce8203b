"""Fetches of the status line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.http.edit import edit_response
from maniple.core.rules.catalogue import Stage

RESPONSE = b"HTTP/1.0 404 No\r\nContent-Length: 3\r\n\r\n"

CASES: list[tuple[str, Any, Any]] = [
    ("status", 404, None),
    ("server_status", 404, None),
    ("res.ver", b"1.0", None),
    ("capture.res.ver", b"HTTP/1.0", None),
    ("capture.res.hdr(0)", b"x", b"x"),
    ("res.body_size", 3, None),
    ("res.comp", False, False),
    ("res.comp_algo", None, None),
    ("res.cache_name", None, None),
    ("res.cache_hit", False, False),
]


@pytest.mark.parametrize(("text", "expected", "without"), CASES)
def test_value(
    text: str, expected: Any, without: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    x = make_scope(response=RESPONSE, response_captures=["x"])
    assert value_of(text, x, stage=Stage.BACK_RESPONSE) == expected
    assert value_of(text, make_scope(response_captures=["x"]), stage=Stage.BACK_RESPONSE) == without


def test_status_of_our_own_answers_and_of_edited_ones(
    value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    assert value_of("status", make_scope(status=503), stage=Stage.LOG) == 503
    x = make_scope(response=RESPONSE)
    x.answer = edit_response(x.answer)
    x.answer.status = 200
    assert value_of("status", x, stage=Stage.LOG) == 200
    assert value_of("server_status", x, stage=Stage.LOG) == 404
