"""map-uri: the path to the server, and its mirror on the way back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.mapping import Mapping, back_cookie, back_reference, undo
from maniple.tests.core.rules.lines import compile_lines, mistake, run_request, sent, sent_back

REQUEST = b"GET %b HTTP/1.1\r\nHost: www.test\r\n\r\n"

FORWARD = (
    ("/app /", "/app/x?q", "/x?q"),
    ("/app /", "/app", "/"),
    ("/app /", "/app?q", "/?q"),
    ("/app /", "/apple", None),
    ("/app /", "/x/app", None),
    ("/app/ /", "/app/x", "/x"),
    ("/app /inner", "/app/x", "/inner/x"),
    ("/app /inner/", "/app", "/inner"),
    ("/ /inner", "/x?q", "/inner/x?q"),
    ("/ /inner", "/", "/inner/"),
    ("/ /inner", "*", None),
    ("/a/b /c", "/a/b/c", "/c/c"),
)


@pytest.mark.parametrize(("words", "path", "expected"), FORWARD, ids=[f"{row[0]} {row[1]}" for row in FORWARD])
def test_forward(make_scope: Any, words: str, path: str, expected: str | None) -> None:
    method = b"OPTIONS" if path == "*" else b"GET"
    x = make_scope(request=method + REQUEST[3:] % path.encode())
    assert run_request(f"map-uri {words}", x) is None
    assert sent(x).split(b" ")[1] == (expected or path).encode()
    assert (x.mirrors is None) is (expected is None)


def test_absolute_targets(make_scope: Any) -> None:
    x = make_scope(request=REQUEST % b"http://www.test/app/x?q")
    assert run_request("map-uri /app /in", x) is None
    assert sent(x).startswith(b"GET http://www.test/in/x?q HTTP/1.1\r\n")


REFERENCES = (
    # Location of the server, as its client sees it.
    ("/in/x?q#f", "/app/x?q#f"),
    ("/in", "/app"),
    ("/inner", "/inner"),
    ("/other/x", "/other/x"),
    ("relative", "relative"),
    ("", ""),
    ("http://server/in/x", "http://www.test/app/x"),
    ("http://www.test/in/x", "http://www.test/app/x"),
    ("https://SERVER/in/x", "https://www.test/app/x"),
    ("//server/in/x", "//www.test/app/x"),
    ("http://elsewhere/in/x", "http://elsewhere/in/x"),
    ("http://server", "http://www.test/"),
    ("http://server:8080/in/x", "http://server:8080/in/x"),
    ("ftp://server/in", "ftp://www.test/app"),
)
ONE = [Mapping(b"/app", b"/in")]


@pytest.mark.parametrize(("value", "expected"), REFERENCES, ids=[value for value, _ in REFERENCES])
def test_references(value: str, expected: str) -> None:
    assert back_reference(value.encode(), ONE, b"server", b"www.test") == expected.encode()


COOKIES = (
    ("a=b; Path=/in/x", "a=b; Path=/app/x"),
    ("a=b;path=/in", "a=b;path=/app"),
    ("a=b; PATH = /in ; Secure", "a=b; PATH = /app ; Secure"),
    ("a=b; Path=/other; Secure", "a=b; Path=/other; Secure"),
    ("a=b; Path=in", "a=b; Path=in"),
    ("a=/in; HttpOnly", "a=/in; HttpOnly"),
    ("path=/in", "path=/in"),
)


@pytest.mark.parametrize(("value", "expected"), COOKIES, ids=[value for value, _ in COOKIES])
def test_cookies(value: str, expected: str) -> None:
    assert back_cookie(value.encode(), ONE) == expected.encode()


RESPONSE = (
    b"HTTP/1.1 302 Found\r\nLocation: http://inner.test/in/x\r\nContent-Location: /in/y\r\n"
    b"Set-Cookie: a=b; Path=/in\r\nSet-Cookie: c=d; Path=/\r\nX: /in\r\n\r\n"
)


def test_a_response(make_scope: Any) -> None:
    x = make_scope(request=REQUEST % b"/app/x", response=RESPONSE)
    run_request("map-uri /app /in\nhttp-request set-header Host inner.test", x)
    undo(x)
    assert sent_back(x) == (
        b"HTTP/1.1 302 Found\r\nlocation: http://www.test/app/x\r\ncontent-location: /app/y\r\n"
        b"set-cookie: a=b; Path=/app\r\nset-cookie: c=d; Path=/\r\nx: /in\r\n"
    )


def test_nothing_to_change(make_scope: Any) -> None:
    x = make_scope(request=REQUEST % b"/app/x", response=b"HTTP/1.1 200 OK\r\nX: /in\r\n\r\n")
    run_request("map-uri /app /in", x)
    undo(x)
    assert not x.answer.block.edited


def test_several_are_undone_in_reverse(make_scope: Any) -> None:
    x = make_scope(request=REQUEST % b"/a/x", response=b"HTTP/1.1 200 OK\r\nLocation: /c/y\r\n\r\n")
    run_request("map-uri /a /b\nhttp-request map-uri /b /c", x)
    assert sent(x).startswith(b"GET /c/x ")
    undo(x)
    assert sent_back(x).endswith(b"location: /a/y\r\n")


SEGMENTS = st.lists(st.sampled_from((b"a", b"b", b"ab")), max_size=3).map(lambda found: b"/" + b"/".join(found))


@settings(max_examples=60)
@given(SEGMENTS, SEGMENTS, SEGMENTS)
def test_there_and_back(outer: bytes, inner: bytes, rest: bytes) -> None:
    mapping = Mapping(outer, inner)
    path = outer.rstrip(b"/") + rest
    there = mapping.forward(path)
    assert there is not None and there.startswith(b"/")
    back = mapping.back(there)
    assert back is not None
    assert back.rstrip(b"/") == path.rstrip(b"/")


def test_what_it_needs() -> None:
    assert compile_lines("http-request map-uri /a /b").request.needs & Needs.RESPONSE


def test_what_the_prefix_leaves_is_a_path(make_scope: Any) -> None:
    x = make_scope(request=REQUEST % b"/app//x")
    assert run_request("map-uri /app /", x) is None
    assert sent(x).startswith(b"GET //x ")


WRONG = (
    ("map-uri", "`map-uri` expects a path"),
    ("map-uri /a", "expects the path that takes its place"),
    ("map-uri a /b", "'a' is no path"),
    ("map-uri /a b", "'b' is no path"),
    ("map-uri /a?q /b", "'/a?q' is no path"),
    ("map-uri '/a b' /b", "'/a b' is no path"),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(f"http-request {line}")
