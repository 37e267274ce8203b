"""Cacheable responses: a table that was measured with HAProxy 3.0 (`cookie ... insert nocache` adds a line to them)."""

from __future__ import annotations

import pytest
from maniple.core.http.cacheability import is_cacheable, split_list
from maniple.core.http.head import HeadReader
from maniple.core.http.limits import Limits

# Header lines -> cacheable by themselves, and with an ETag besides.
LINES = [
    ("", False, True),
    ("Last-Modified: x", True, True),
    ("Expires:", True, True),
    ("Cache-Control: max-age", True, True),
    ("Cache-Control: MAX-AGE=4", True, True),
    ("Cache-Control: max-age=5", True, True),
    ("Cache-Control: max-age=0", False, False),
    ("Cache-Control: s-maxage=0, max-age=10", False, False),
    ("Cache-Control: max-age=0, public", False, False),
    ("Cache-Control: max-age=00", True, True),
    ("Cache-Control: xmax-age=3", False, True),
    ('Cache-Control: foo="max-age=3, no-cache"', False, True),
    ("Cache-Control: private", False, False),
    ("Cache-Control: PRIVATE", False, False),
    ("Cache-Control: no-cache", False, False),
    ("Cache-Control: no-store", False, False),
    ("Cache-Control: foo, no-cache", False, False),
    ('Cache-Control: no-cache="set-cookie"', False, True),
    ("Cache-Control: no-cachex", False, True),
    ("Cache-Control: private, public", False, True),
    ("Cache-Control: public, private", False, False),
    ("Cache-Control: public\r\nCache-Control: no-store", False, False),
    ("Cache-Control: no-transform", False, True),
    ("Pragma: no-cache", False, False),
    ("Pragma: No-Cache\r\nCache-Control: public", False, False),
    ("Pragma: x, no-cache", False, True),
]
CACHEABLE = (200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501)


def judge(lines: str, method: bytes = b"GET", status: int = 200) -> bool:
    text = "\r\n".join(filter(None, [f"HTTP/1.1 {status} OK", "Content-Length: 0", lines]))
    head = HeadReader(Limits()).read_response(text.encode() + b"\r\n\r\n", method)
    return is_cacheable(method, status, head.block)


@pytest.mark.parametrize(("lines", "alone", "validated"), LINES)
def test_lines(lines: str, alone: bool, validated: bool) -> None:
    assert judge(lines) is alone
    assert judge("\r\n".join(filter(None, ["ETag: x", lines]))) is validated


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT", b"DELETE"])
@pytest.mark.parametrize("status", [200, 201, 203, 204, 302, 303, 307, 400, 403, 404, 410, 500, 501, 503])
def test_methods_and_statuses(method: bytes, status: int) -> None:
    expected = method in (b"GET", b"HEAD", b"OPTIONS") and status in CACHEABLE
    assert judge("ETag: x", method, status) is expected
    assert judge("ETag: x\r\nCache-Control: public", method, status)


def test_lists() -> None:
    assert split_list(b'a, b="c,d\\",e" ,f') == [b"a", b'b="c,d\\",e"', b"f"]
