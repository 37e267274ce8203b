"""Formats of rules: what they give for facts. A whole proxy is compared in the wire tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.samples import BIN, STR
from maniple.core.rules.text_format import compile_text_format, read_text_format

assert keywords.MODULES

REQUEST = b"GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Odd: a\tb\x80\xff\r\n\r\n"
ODD = b'A\n\0B\t\x7f\x80"#[\\]{'


@pytest.fixture
def x(make_scope: Callable[..., Any]) -> Any:
    scope = make_scope(request=REQUEST, unique_id=b"id-1")
    scope.variables = {"odd": (STR, ODD), "bytes": (BIN, b"ab\0cd")}
    scope.snapshots = 0
    scope.backend_name, scope.server_name, scope.redispatched = "back", "<NOSRV>", False
    scope.request_cookie = ""
    scope.request_line, scope.process_connections = b'GET "/', 7

    def snapshot() -> None:
        scope.snapshots += 1

    scope.snapshot = snapshot
    return scope


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", b""),
        ("abc", b"abc"),
        ("%%a  b%%", b"%a  b%"),
        ("\u00e9\udcff", b"\xc3\xa9\xff"),
        ("%[src]", b"192.0.2.7"),
        ("%[hdr(none)]", b""),
        ("%[hdr(host)]", b"h"),
        ("%[hdr(x-odd)]", b"a\tb\x80\xff"),
        ("<%[src]>", b"<192.0.2.7>"),
        (" a %[src]  %[hdr(host)]-%[hdr(none)] ", b" a 192.0.2.7  h- "),
        ("%[var(txn.odd)]", b'A%0A%00B\t%7F\x80"#[\\]{'),
        ("%{+E}[var(txn.odd)]", b'A%0A%00B\t%7F\x80\\"#[\\\\\\]{'),
        ("%{+Q}[hdr(host)] %{+Q}[hdr(none)] %{+E}[hdr(none)].", b"h  ."),
        ("%{+X}[src]", b"192.0.2.7"),
        ("%[var(txn.bytes)] %[bool(true)] %[int(-5)] %[method]", b"ab 1 -5 GET"),
        ("%ci:%cp", b"192.0.2.7:40000"),
        ("%{+X}o %ci:%cp", b" C0000207:9C40"),
        ("%f %{+Q}f  %CC|", b'web "web"  |'),
        ("%r", b"GET #22/"),
        ("%ID", b"id-1"),
        ("%b", b"web"),
        ("\u00e9 %ci %[hdr(x-odd)] {%ac}", b"\xc3\xa9 192.0.2.7 a\tb\x80\xff {7}"),
        ("%hr", b""),
    ],
)
def test_value(text: str, value: bytes, site: Any, x: Any) -> None:
    assert compile_text_format(text, site, Stage.FRONT_REQUEST)(x) == value


def test_what_is_no_part_of_a_message_is_not_encoded(site: Any, x: Any) -> None:
    for text in ("%[var(txn.odd)]", "%[var(txn.odd)]%[hdr(none)]"):
        assert compile_text_format(text, site, Stage.FRONT_REQUEST, encoded=False)(x) == ODD


def test_the_backend_has_its_own_name_in_its_own_rules(site: Any, x: Any) -> None:
    assert compile_text_format("%b/%s", site, Stage.BACK_REQUEST)(x) == b"back/<NOSRV>"


def test_facts_are_filled_in_only_where_they_are_shown(site: Any, x: Any) -> None:
    compile_text_format("%ci %[src] %ID", site, Stage.FRONT_REQUEST)(x)
    assert x.snapshots == 0
    compile_text_format("%r", site, Stage.FRONT_REQUEST)(x)
    assert x.snapshots == 1


def test_constant_and_needs(site: Any) -> None:
    stage = Stage.FRONT_REQUEST
    assert read_text_format("a%%", site, stage).constant == b"a%"
    assert read_text_format("%[src]", site, stage).constant is None
    assert read_text_format("%[src]", site, stage).needs == Needs.CONNECTION
    assert read_text_format("%[src] %[path]", site, stage).needs == Needs.CONNECTION | Needs.HEAD
    assert read_text_format("%[path] %ci", site, stage).needs == Needs.CONNECTION | Needs.HEAD


def test_delimiters_merge_where_that_is_asked_for(site: Any, x: Any) -> None:
    def shown(text: str) -> bytes:
        return read_text_format(text, site, Stage.FRONT_REQUEST, merge=True).run(x)

    assert shown("  a   b ") == b"a b "
    assert shown("  %[src]   b ") == b"192.0.2.7 b "
    assert shown("  %ci   b ") == b"192.0.2.7 b "


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("a %[nosuch]", 14, "nosuch"),
        ("a %[path,nosuch]", 19, "nosuch"),
        ("%zz", 10, "%zz"),
        ("ab %zz", 13, "%zz"),
        ("ab %[path", 13, "%[path"),
    ],
)
def test_errors_have_their_column_in_the_line(text: str, column: int, word: str, site: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_text_format(text, site, Stage.FRONT_REQUEST, 10)
    assert (caught.value.column, caught.value.word) == (column, word)
