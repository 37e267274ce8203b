"""Redirections: location, prefix, scheme, and their options."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.redirects import CODES
from maniple.core.rules.verdicts import Answer
from maniple.tests.core.rules.lines import compile_lines, mistake, reply_of, run_request, run_response

REQUEST = b"GET /a/b?q=1 HTTP/1.1\r\nHost: h:8080\r\n\r\n"

LOCATIONS = (
    ("location /x", "/x"),
    ("location /x%[path]", "/x/a/b"),
    ("location http://y%[pathq]", "http://y/a/b?q=1"),
    ("prefix http://y", "http://y/a/b?q=1"),
    ("prefix http://y drop-query", "http://y/a/b"),
    ("prefix http://y drop-query append-slash", "http://y/a/b/"),
    ("prefix http://y append-slash", "http://y/a/b?q=1/"),
    ("prefix /", "/a/b?q=1"),
    ("prefix /p%[method]", "/pGET/a/b?q=1"),
    ("scheme https", "https://h:8080/a/b?q=1"),
    ("scheme https drop-query", "https://h:8080/a/b"),
    ("scheme https append-slash", "https://h:8080/a/b?q=1/"),
)


@pytest.mark.parametrize(("words", "location"), LOCATIONS, ids=[words for words, _ in LOCATIONS])
def test_locations(make_scope: Any, words: str, location: str) -> None:
    x = make_scope(request=REQUEST)
    verdict = run_request(f"redirect {words}", x)
    assert isinstance(verdict, Answer)
    assert verdict.status == 302 and not verdict.denied and verdict.termination == b"LR"
    assert reply_of(verdict, x) == (
        b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: %b\r\ncache-control: no-cache\r\n\r\n"
        % location.encode()
    )


def test_line_of_its_own_takes_the_text_as_it_stands(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    verdict = compile_lines("redirect location /x%[path] code 301").redirects.run(x)
    assert b"\r\nlocation: /x%[path]\r\n" in reply_of(verdict, x)


@pytest.mark.parametrize("code", CODES)
def test_codes(make_scope: Any, code: int) -> None:
    x = make_scope(request=REQUEST)
    raw = reply_of(run_request(f"redirect location /x code {code}", x), x)
    assert raw.startswith(b"HTTP/1.1 %d " % code)
    assert (b"cache-control: no-cache\r\n" in raw) == (code in (302, 303, 307))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("set-cookie A=1", b"set-cookie: A=1; path=/;"),
        ("clear-cookie A=", b"set-cookie: A=; path=/; Max-Age=0;"),
        ("clear-cookie A", b"set-cookie: A; path=/; Max-Age=0;"),
    ],
)
def test_cookies(make_scope: Any, words: str, line: bytes) -> None:
    x = make_scope(request=REQUEST)
    assert line in reply_of(run_request(f"redirect location /x {words}", x), x).split(b"\r\n")


def test_ignore_empty(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    assert run_request("redirect location %[hdr(none)] ignore-empty", x) is None
    assert b"location: h:8080\r\n" in reply_of(run_request("redirect location %[hdr(host)] ignore-empty", x), x)


def test_constant_ones_are_prepared_once(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    for words, constant in (("location /x", True), ("location %[path]", False), ("prefix /x", False)):
        verdict = run_request(f"redirect {words}", x)
        assert isinstance(verdict, Answer) and verdict.constant is constant


def test_no_path_no_host(make_scope: Any) -> None:
    x = make_scope(request=b"OPTIONS * HTTP/1.0\r\n\r\n")
    assert b"\r\nlocation: https:///\r\n" in reply_of(run_request("redirect scheme https", x), x)
    assert b"\r\nlocation: /p/\r\n" in reply_of(run_request("redirect prefix /p", x), x)


def test_of_responses(make_scope: Any) -> None:
    x = make_scope(request=REQUEST, response=b"HTTP/1.1 404 No\r\n\r\n")
    assert b"\r\nlocation: /x404\r\n" in reply_of(run_response("redirect location /x%[status]", x), x)


def test_no_line_end_gets_into_a_location(make_scope: Any) -> None:
    x = make_scope(request=b"GET /%0d%0aEvil:1 HTTP/1.1\r\nHost: h\r\n\r\n")
    raw = reply_of(run_request("redirect location /%[path,url_dec]", x), x)
    assert b"\nevil" not in raw.lower()


WRONG = (
    ("http-request redirect", "expects location, prefix or scheme"),
    ("http-request redirect code 301", "expects location, prefix or scheme"),
    ("http-request redirect code 301 if TRUE", "expects location, prefix or scheme"),
    ("redirect drop-query unless FALSE", "expects location, prefix or scheme"),
    ("http-request redirect location", "expects a location"),
    ("http-request redirect location /x code 404", "404 is no code of a redirection"),
    ("http-request redirect location /x code x", "x is no code of a redirection"),
    ("http-request redirect location /x prefix /y", "it redirects by location already"),
    ("http-request redirect location /x nonsense", "unknown word 'nonsense'"),
    ("http-request redirect location /x set-cookie", "expects a cookie"),
    ("http-response redirect prefix /x", "a response cannot be redirected by prefix"),
    ("redirect location /x if nothing", "nothing"),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(line)
