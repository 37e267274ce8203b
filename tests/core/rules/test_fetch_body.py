"""Fetches of bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError

LONG = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

CASES: list[tuple[bytes, str, Any]] = [
    (LONG, "req.body", b"a=1&B=2"),
    (LONG, "req.body_len", 7),
    (LONG, "req.body_size", 100),
    (CHUNKED, "req.body_size", 7),
    (LONG, "req.body_param(a)", b"1"),
    (LONG, "req.body_param(b)", None),
    (LONG, "req.body_param(b,i)", b"2"),
    (LONG, "req.body_param(c,i)", None),
    (LONG, "req.body_param", b"1"),
    (b"", "req.body", None),
    (b"", "req.body_len", None),
    (b"", "req.body_size", None),
    (b"", "req.body_param(a)", None),
]


@pytest.mark.parametrize(("request_head", "text", "expected"), CASES)
def test_value(
    request_head: bytes, text: str, expected: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    assert value_of(text, make_scope(request=request_head, body=b"a=1&B=2")) == expected


def test_flags(value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="the only flag"):
        value_of("req.body_param(a,x)", None)
