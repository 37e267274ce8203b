"""Sections `http-errors`, and which of a proxy's lines counts for a status."""

from __future__ import annotations

from typing import Any

import pytest

FILES = {name: f"HTTP/1.1 503 {name}\r\n\r\n".encode() for name in ("a", "b", "c")}
SECTIONS = "http-errors one\n  errorfile 503 a\n  errorfile 404 b\nhttp-errors two\n  errorfile 503 c\n"
PROXY = "backend p\n  mode http\n  timeout connect 1s\n  timeout server 1s\n"
TEXT = "http-error status 503 content-type text/plain string x"


@pytest.mark.parametrize(
    ("lines", "pages", "rules"),
    [
        ("errorfiles one", {503: "a", 404: "b"}, 0),
        ("errorfiles one 404", {404: "b"}, 0),
        ("errorfiles one\nerrorfiles two", {503: "c", 404: "b"}, 0),
        ("errorfile 503 b\nerrorfiles one", {503: "a", 404: "b"}, 0),
        ("errorfiles one\nerrorfile 503 b", {503: "b", 404: "b"}, 0),
        ("errorfiles one\nerrorloc 503 /x", {503: "/x", 404: "b"}, 0),
        (f"{TEXT}\nerrorfiles one 404", {404: "b"}, 1),
        (f"{TEXT}\nerrorfiles one", {503: "a", 404: "b"}, 0),
        (f"errorfile 503 a\n{TEXT}", {}, 1),
        (f"{TEXT}\nerrorfile 503 a", {503: "a"}, 0),
        (f"{TEXT}\nerrorfile 503 a\n{TEXT}", {}, 1),
        (f"{TEXT}\n{TEXT}", {}, 1),
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_the_last_line_counts(read: Any, lines: str, pages: dict[int, str], rules: int, split: bool) -> None:
    """Also where the first line is that of a defaults section, and where sections stand behind the proxy."""
    first, *rest = lines.split("\n")
    indented = "".join(f"  {line}\n" for line in ([] if split else [first]) + rest)
    before = f"defaults d\n  mode http\n  {first}\n" if split else ""
    found = read(
        before + PROXY.replace("backend p", "backend p from d" if split else "backend p") + indented + SECTIONS, FILES
    )
    proxy = found.proxy("p")
    assert {status: page.value for status, page in proxy.error_files.items()} == pages
    assert len(proxy.rules) == rules


def test_a_page_that_is_not_there(read: Any) -> None:
    found = read(SECTIONS + PROXY + "  errorfiles two 404 503\n", FILES)
    assert found.warnings == ["10:14 backend 'p': http-errors 'two' has no page for 404"]
    assert list(found.proxy("p").error_files) == [503]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (PROXY + "  errorfiles tow\n", "10:14 backend 'p': there is no section http-errors 'tow'"),
        (PROXY + "  errorfiles\n", "10:3 `errorfiles` expects"),
        (PROXY + "  errorfiles one 418\n", "10:18 `errorfiles`: no built-in reply has status 418"),
        ("http-errors one\n", "6:13 http-errors 'one' is there already, in line 1"),
        ("http-errors a/b\n", "6:13 character '/' is not permitted"),
        ("http-errors x\n  errorfile 418 a\n", "7:13 `errorfile`: no built-in reply has status 418"),
        ("http-errors x\n  errorfile 503 none\n", "7:17 `errorfile 503`: cannot read 'none'"),
        ("http-errors x\n  errorloc 503 /x\n", "7:3 unknown keyword 'errorloc' in a http-errors section"),
    ],
)
def test_mistakes(read: Any, text: str, error: str) -> None:
    (found,) = read(SECTIONS + text, FILES).errors
    assert found.startswith(error)
