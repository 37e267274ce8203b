"""Bytes of streams: which side is meant, when the answer may change, what is refused. Values are compared with
HAProxy's in test_fetch_payload_against_haproxy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.acl import compile_acl
from maniple.core.rules.acl_flags import Piece
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.fetch_payload import hello_in
from maniple.core.rules.hello import MORE
from maniple.tests.core.rules.hellos import FULL

UNSURE: list[tuple[str, bytes, Any, bool]] = [
    ("req.len", b"", 0, True),
    ("req.len", b"abc", 3, True),
    ("req.payload(0,2)", b"a", None, True),
    ("req.payload(0,2)", b"ab", b"ab", False),
    ("req.payload(1,0)", b"abc", b"bc", True),
    ("req.payload(3,0)", b"ab", None, True),
    ("req.payload_lv(0,1)", b"", None, True),
    ("req.payload_lv(0,1)", b"\2a", None, True),
    ("req.payload_lv(0,1)", b"\2ab", b"ab", False),
    ("req.payload_lv(0,1)", b"\0ab", None, False),
    ("req.payload_lv(0,1,2)", b"\2abc", b"bc", False),
    ("req.payload_lv(0,1,+1)", b"\2abc", b"bc", False),
    ("req.payload_lv(1,1,-2)", b"a\2", b"a\2", False),
    ("req.ssl_sni", FULL[:60], None, True),
    ("req.ssl_sni", FULL, b"Www.X.test", False),
    ("req.ssl_sni", b"GET /", None, False),
    ("req.ssl_cipherlist", FULL, b"\x13\1\xc0\x2f", False),
    ("req.ssl_sigalgs", FULL, b"\4\3\x08\4", False),
    ("req.ssl_supported_groups", FULL, b"\0\x1d\0\x17", False),
    ("req.ssl_keyshare_groups", FULL, b"\0\x1d\0\x17", False),
    ("req.rdp_cookie", b"\3\0", None, True),
    ("req.rdp_cookie_cnt", bytes(30), 0, False),
]


@pytest.mark.parametrize(("text", "data", "value", "unsure"), UNSURE)
def test_when_the_answer_may_change(
    text: str, data: bytes, value: Any, unsure: bool, value_of: Any, make_scope: Any
) -> None:
    x = make_scope(payload=(data, b""))
    assert value_of(text, x, stage=Stage.FRONT_CONTENT) == value
    assert x.unsure is unsure


def test_a_hello_is_read_once() -> None:
    one, other = bytes(bytearray(FULL)), bytes(bytearray(FULL))
    found = hello_in(one)
    assert hello_in(one) is found
    assert hello_in(other) is not found and hello_in(FULL[:50]) is MORE


def test_of_the_response(value_of: Any, make_scope: Any) -> None:
    stage = Stage.BACK_RESPONSE_CONTENT
    x = make_scope(payload=(b"asked", b"\4said"))
    for text in ("res.payload_lv(0,1)", "payload_lv(0,1)", "payload(1,4)", "res.payload(1,0)"):
        assert value_of(text, x, stage=stage) == b"said"
    assert value_of("res.len", x, stage=stage) == 5
    assert value_of("payload(0,0)", x) == b"asked"
    server = b"\x16\3\3\0\x06\2\0\0\2\3\3"
    assert value_of("res.ssl_hello_type", make_scope(payload=(b"", server)), stage=stage) == 2


def test_the_end(value_of: Any, make_scope: Any) -> None:
    x = make_scope(payload=(b"", b""), uncertain=int(Needs.PAYLOAD))
    assert value_of("wait_end", x) is None and x.unsure
    x.uncertain = 0
    assert value_of("wait_end", x) is True


def test_http_has_lengths_only(value_of: Any, make_scope: Any) -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    x = make_scope(request=request, body=b"ab", response=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert value_of("req.len", x) == len(request) + 2
    assert value_of("res.len", x, stage=Stage.BACK_RESPONSE) > 20
    for text in ("req.payload(0,0)", "req.payload_lv(0,1)", "req.ssl_sni", "req.rdp_cookie_cnt"):
        assert value_of(text, x) is None
    assert (
        value_of("req.len", make_scope()) is None
        and value_of("res.len", make_scope(), stage=Stage.BACK_RESPONSE) is None
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("req.payload(0)", "argument"),
        ("req.payload(-1,2)", "a number of bytes"),
        ("req.payload_lv(0,0)", "1 to 8"),
        ("req.payload_lv(-1,1)", "an offset is expected"),
        ("req.payload_lv(0,1,x)", "'x' is no offset"),
        ("req.payload_lv(0,1,-2)", "before the first"),
    ],
)
def test_refused(text: str, message: str, value_of: Any, make_scope: Any) -> None:
    with pytest.raises(ConfigError, match=message):
        value_of(text, make_scope())


@pytest.mark.parametrize(("pattern", "true"), [("3.3", True), ("3.1:3.4", True), ("gt 3.3", False), ("196611", True)])
def test_versions_as_patterns(pattern: str, true: bool, site: Any, make_scope: Callable[..., Any]) -> None:
    words = [Piece(word, 0) for word in ("req.ssl_ver", *pattern.split())]
    assert compile_acl(words, site, Stage.FRONT_CONTENT).test(make_scope(payload=(FULL, b""))) is true
