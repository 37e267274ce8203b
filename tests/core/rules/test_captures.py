from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.config import parser as _keywords  # noqa: F401 -- it registers them
from maniple.core.config.model import Place, ProxySpec, RuleSpec, RuleWord
from maniple.core.rules.captures import CookieCapture, cookie_of, mistakes, request_capture, response_capture

REQUEST = b"GET / HTTP/1.1\r\nHost: www.example.org\r\nX-Two: a\r\nX-Two: b, c\r\nCookie: x=1;sid9=ab; sid=c\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nServer: s\xe9\r\nSet-Cookie: a=1\r\nSet-Cookie: sid=zz; path=/\r\n\r\n"


def line(kind: str, text: str) -> RuleSpec:
    words = [RuleWord(word, 20 + number) for number, word in enumerate(text.split())]
    return RuleSpec(Place("t.cfg", 7, 5), kind, tuple(words))


def proxy(*lines: RuleSpec) -> ProxySpec:
    return ProxySpec(Place("t.cfg", 1), "web", "frontend", rules=lines)


def test_headers_and_cookies(make_scope: Callable[..., Any]) -> None:
    spec = proxy(
        line("capture request header", "host len 5"),
        line("declare capture", "request len 9"),
        line("capture request header", "X-Two len 99"),
        line("capture request header", "X-None len 99"),
        line("capture response header", "Server len 9"),
        line("capture response header", "X-None len 9"),
        line("capture cookie", "sid len 6"),
    )
    x = make_scope(request=REQUEST, response=RESPONSE)
    request, response = request_capture(spec, 63), response_capture(spec, 63)
    assert request is not None and response is not None
    request(x)
    assert x.request_captures == ["www.e", None, "b, c", None]
    assert x.response_captures == [None, None]
    assert x.request_cookie == "sid9=a"
    response(x)
    assert x.response_captures == ["s\xe9", None]
    assert x.response_cookie == "sid=zz"
    request(x)
    assert x.response_captures == [None, None], "the next request begins with nothing"


def test_without_a_head_nothing_is_there(make_scope: Callable[..., Any]) -> None:
    capture = request_capture(proxy(line("capture request header", "host len 5")), 63)
    assert capture is not None
    x = make_scope()
    capture(x)
    assert x.request_captures == [None]


def test_cookies_that_are_not_there(make_scope: Callable[..., Any]) -> None:
    spec = proxy(line("capture cookie", "none= len 6"))
    request, response = request_capture(spec, 63), response_capture(spec, 63)
    assert request is not None and response is not None
    for head, answer in ((REQUEST, RESPONSE), (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")):
        x = make_scope(request=head, response=answer)
        request(x)
        response(x)
        assert (x.request_cookie, x.response_cookie) == ("", "")


def test_who_captures_nothing_has_no_function() -> None:
    assert request_capture(proxy(), 63) is None
    assert response_capture(proxy(line("capture request header", "host len 5")), 63) is None
    backend = ProxySpec(Place("t", 1), "b", "backend", rules=(line("capture request header", "host len 5"),))
    assert request_capture(backend, 63) is None


def test_a_cookie_is_no_longer_than_the_process_allows() -> None:
    assert cookie_of(proxy(line("capture cookie", "a len 100")), 63) == CookieCapture(b"a", 63)


@pytest.mark.parametrize(
    ("kind", "text", "message", "column"),
    [
        ("capture request header", "host size 5", "expects len, not 'size'", 21),
        ("capture request header", "host len x", "'x' is not a length", 22),
        ("capture response header", "host len 0", "'0' is not a length", 22),
        ("capture cookie", "a len 5 6", "extra argument '6'", 23),
        ("declare capture", "both len 5", "neither request nor response", 20),
    ],
)
def test_mistakes(kind: str, text: str, message: str, column: int) -> None:
    (error,) = mistakes(line(kind, text))
    assert message in error.message
    assert (error.file, error.line, error.column) == ("t.cfg", 7, column)


def test_no_mistake() -> None:
    assert mistakes(line("declare capture", "request len 5")) == []
    assert mistakes(line("http-request", "deny")) == []
