"""Clients without a valid cookie, where it is enforced: whom a redirect is for, and where to. Over real connections:
tests/wire/test_sticky.py."""

from __future__ import annotations

import pytest
from maniple.core.http.head import HeadReader, RequestHead
from maniple.core.http.limits import Limits
from maniple.core.relay.challenge import accepts_html, same_address


def head(line: str, *lines: str) -> RequestHead:
    reader = HeadReader(Limits(max_head=15360, max_headers=101, cache_size=0))
    text = "".join(f"{one}\r\n" for one in ("Host: a.test", *lines))
    return reader.read_request(f"{line} HTTP/1.1\r\n{text}\r\n".encode())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), False),
        (("Accept: */*",), False),
        (("Accept: text/*",), False),
        (("Accept: application/json",), False),
        (("Accept: text/html",), True),
        (("Accept: Text/HTML;q=0.9, */*",), True),
        (("Accept: a/b", "Accept: c/d , text/html ; q=1"), True),
        (("Accept: text/html5",), False),
    ],
)
def test_accepts_html(lines: tuple[str, ...], expected: bool) -> None:
    assert accepts_html(head("GET /", *lines)) is expected


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/", b"/"),
        ("/a/b?c=d", b"/a/b?c=d"),
        ("//evil.test/", b"/.//evil.test/"),
        ("///evil.test/", b"/.///evil.test/"),
        ("http://a.test/x?y", b"/x?y"),
        ("http://a.test", b"/"),
        ("http://a.test//evil.test", b"/.//evil.test"),
    ],
)
def test_same_address(asked: str, location: bytes) -> None:
    assert same_address(head(f"GET {asked}")) == location
