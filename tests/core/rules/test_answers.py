"""Answers that rules make: their bytes, and the words they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from maniple.core.rules.answers import PAGES
from maniple.core.rules.proxy_rules import check_rules
from maniple.core.rules.verdicts import Answer
from maniple.tests.core.rules.lines import mistake, read, reply_of, run_request, run_response

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\tb\r\n\r\n"

ANSWERS = (
    ("return", "HTTP/1.1 200 OK|content-length: 0||"),
    ("return status 404", "HTTP/1.1 404 Not Found|content-length: 0||"),
    ("return hdr A b hdr C <%[path]>", "HTTP/1.1 200 OK|a: b|c: </a>|content-length: 0||"),
    ("return hdr Empty %[hdr(none)]", "HTTP/1.1 200 OK|content-length: 0||"),
    (
        "return content-type text/plain string hello",
        "HTTP/1.1 200 OK|content-length: 5|content-type: text/plain||hello",
    ),
    (
        "return status 503 content-type a/b lf-string <%[path]>",
        "HTTP/1.1 503 Service Unavailable|content-length: 4|content-type: a/b||</a>",
    ),
    ("return content-type a/b lf-string %[hdr(none)]", "HTTP/1.1 200 OK|content-length: 0||"),
    ("return content-type a/b string %[path]", "HTTP/1.1 200 OK|content-length: 7|content-type: a/b||%[path]"),
    ("return status 204 hdr A b", "HTTP/1.1 204 No Content|a: b||"),
    ("deny status 403 hdr A b", "HTTP/1.1 403 Forbidden|a: b|content-length: 0||"),
    ("deny content-type a/b string no", "HTTP/1.1 403 Forbidden|content-length: 2|content-type: a/b||no"),
    ("deny status 599", "HTTP/1.1 599 |content-length: 0||"),
)


@pytest.mark.parametrize(("line", "expected"), ANSWERS, ids=[line for line, _ in ANSWERS])
def test_bytes(make_scope: Any, line: str, expected: str) -> None:
    x = make_scope(request=REQUEST)
    raw = reply_of(run_request(line, x), x)
    start, _, rest = expected.partition("|")
    made, _, others = raw.decode().partition("\r\n")
    if start.endswith(" "):
        assert made.startswith(start), "which word stands behind an unknown status is not our business"
    else:
        assert made == start
    assert others == rest.replace("|", "\r\n")


def test_responses_are_answered_with_their_facts(make_scope: Any) -> None:
    x = make_scope(request=REQUEST, response=b"HTTP/1.1 404 No\r\n\r\n")
    verdict = run_response("return status 200 content-type a/b lf-string %[status]", x)
    assert reply_of(verdict, x).endswith(b"\r\n\r\n404")


FILES = {
    "plain": b"some text\n",
    "format": b"<%[path]>\n",
    "whole": b"HTTP/1.1 400 What\nContent-Type: text/plain\n\nnot understood\n",
    "whole-crlf": b"HTTP/1.0 400 What\r\nA: b\r\n\r\nline\r\nline\n\nline",
    "nothing": b"",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


FROM_FILES = (
    ("content-type a/b file {}/plain", b"content-length: 10\r\ncontent-type: a/b\r\n\r\nsome text\n"),
    ("content-type a/b file {}/format", b"content-length: 10\r\ncontent-type: a/b\r\n\r\n<%[path]>\n"),
    ("content-type a/b lf-file {}/format", b"content-length: 5\r\ncontent-type: a/b\r\n\r\n</a>\n"),
    ("status 400 errorfile {}/whole", b"HTTP/1.1 400 What\r\nContent-Type: text/plain\r\n\r\nnot understood\n"),
    ("status 400 errorfile {}/whole-crlf", b"HTTP/1.0 400 What\r\nA: b\r\n\r\nline\r\nline\n\nline"),
    ("status 400 errorfile {}/nothing", b""),
)


@pytest.mark.parametrize(("words", "end"), FROM_FILES, ids=[words for words, _ in FROM_FILES])
def test_files(make_scope: Any, folder: Path, words: str, end: bytes) -> None:
    x = make_scope(request=REQUEST)
    raw = reply_of(run_request(f"return {words.format(folder)}", x), x)
    assert raw.endswith(end) if end else raw == b""


def test_what_is_constant(make_scope: Any, folder: Path) -> None:
    x = make_scope(request=REQUEST)
    for words, constant in (
        ("", True),
        ("hdr A b", True),
        ("hdr A %[path]", False),
        ("content-type a/b string x", True),
        ("content-type a/b lf-string x", True),
        ("content-type a/b lf-string %[path]", False),
        (f"content-type a/b file {folder}/format", True),
        (f"content-type a/b lf-file {folder}/format", False),
    ):
        verdict = run_request(f"return {words}", x)
        assert isinstance(verdict, Answer) and verdict.constant is constant, words


@pytest.mark.parametrize("status", sorted(PAGES))
def test_denials_with_nothing_but_a_status_are_pages(make_scope: Any, status: int) -> None:
    verdict = run_request(f"deny deny_status {status}", make_scope(request=REQUEST))
    assert isinstance(verdict, Answer) and (verdict.page, verdict.status) == (True, status)


def test_no_line_end_gets_into_a_head(make_scope: Any) -> None:
    x = make_scope(request=b"GET /%0d%0aEvil:1 HTTP/1.1\r\nHost: h\r\n\r\n")
    raw = reply_of(run_request("return hdr A %[path,url_dec]", x), x)
    assert b"\nevil" not in raw.lower()


WRONG = (
    ("return status", "`return` expects a status"),
    ("return status abc", "'abc' is no number"),
    ("return status 600", "a status is from 200 to 599"),
    ("return string x", "a body needs a content-type"),
    ("return content-type a/b string x file y", ""),
    ("return status 204 content-type a/b string x", "a response with status 204 has no body"),
    ("deny deny_status 418", "no error page has status 418"),
    ("tarpit deny_status 599", "no error page has status 599"),
    ("return status 418 default-errorfiles", "no error page has status 418"),
    ("return hdr A: b", "'A:' is no name of a header"),
    ("return hdr A", "`return` expects a value"),
    ("return nonsense", "unknown word 'nonsense'"),
    ("return content-type ''", ""),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    if " file " in line:
        line = line.replace("file y", "lf-string y")
        message = "there is a body already, by `string`"
    assert message in mistake(f"http-request {line}")


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("return status 404 errorfiles pages", 0),
        ("return status 403 errorfiles pages", 403),
        ("return status 200 errorfiles pages", 200),
        ("return errorfiles pages", 200),
        ("deny errorfiles pages", 403),
        ("tarpit deny_status 404 errorfiles pages", 0),
    ],
)
def test_sections_without_the_page_are_warned_of(line: str, warned: int, tmp_path: Path) -> None:
    page = tmp_path / "404"
    page.write_bytes(b"HTTP/1.1 404 Not here\r\nContent-Length: 0\r\n\r\n")
    found = check_rules(read(f"http-request {line}", more=f"http-errors pages\n    errorfile 404 {page}\n"))
    assert not found.errors
    assert [f"has no page for status {warned}" in one.message for one in found.warnings] == [True] * bool(warned)
    assert all(one.line and one.word == "pages" for one in found.warnings)
