"""Fetches of the request line. Most are compared with HAProxy in expressions.txt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.http.edit import edit_request
from maniple.core.rules.fetch_request import parameters

REQUEST = b"GET /a/b?x=1&y=&x=2 HTTP/1.1\r\nHost: h\r\nAuthorization: basic dTpwOnE=\r\n\r\n"

CASES: list[tuple[str, Any]] = [
    ("method", b"GET"),
    ("url", b"/a/b?x=1&y=&x=2"),
    ("path", b"/a/b"),
    ("pathq", b"/a/b?x=1&y=&x=2"),
    ("query", b"x=1&y=&x=2"),
    ("base", b"h/a/b"),
    ("baseq", b"h/a/b?x=1&y=&x=2"),
    ("req.ver", b"1.1"),
    ("req.proto_http", True),
    ("http_first_req", True),
    ("unique-id", b"id"),
    ("urlp(x)", b"1"),
    ("urlp(y)", b""),
    ("urlp(z)", None),
    ("urlp_val(x)", 1),
    ("http_auth_type", b"Basic"),
    ("http_auth_user", b"u"),
    ("http_auth_pass", b"p:q"),
    ("http_auth_bearer", None),
    ("capture.req.method", b"GET"),
    ("capture.req.uri", b"/a/b?x=1&y=&x=2"),
    ("capture.req.ver", b"HTTP/1.1"),
    ("capture.req.hdr(0)", b"seen"),
    ("capture.req.hdr(1)", None),
    ("capture.req.hdr(2)", None),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_value(text: str, expected: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request=REQUEST, unique_id=b"id", request_captures=["seen", None])
    assert value_of(text, x) == expected


NEEDING = (
    "method url path pathq query base baseq base32 url32 url_ip url_port req.ver urlp(a) urlp_val(a) http_auth_user"
)


@pytest.mark.parametrize("text", NEEDING.split())
def test_without_a_request(text: str, value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    assert value_of(text, make_scope()) is None


def test_all_parameters(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request=REQUEST)
    assert value_of("urlp(x)", x, each=True) == [b"1", b"2"]
    assert value_of("urlp", x, each=True) == [b"1", b"", b"2"]
    assert value_of("urlp_val(x)", x, each=True) == [1, 2]
    assert value_of("urlp(x)", make_scope(), each=True) == []


def test_captures_do_not_follow_edits(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request=REQUEST)
    x.head = edit_request(x.head)
    x.head.method, x.head.target = b"PUT", b"/new"
    assert value_of("method", x) == b"GET" and value_of("path", x) == b"/new"  # the method stays, as in HAProxy
    assert value_of("capture.req.method", x) == b"GET" and value_of("capture.req.uri", x).startswith(b"/a/b")


@pytest.mark.parametrize("text", ["urlp(a,bc)", "capture.req.hdr(-1)", "capture.req.hdr(x)"])
def test_wrong(text: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError):
        value_of(text, None)


def test_parameters() -> None:
    assert parameters(b"a=1&b;c=2,d=3&=e", b"&;,") == [(b"a", b"1"), (b"c", b"2"), (b"d", b"3"), (b"", b"e")]
