"""Header fetches. Most are compared with HAProxy in expressions.txt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.http.edit import edit_request
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.fetch_headers import address_in, split_list, spoe_number

LISTS: list[tuple[bytes, list[bytes]]] = [
    (b"", [b""]),
    (b"a", [b"a"]),
    (b"a, b ,c", [b"a", b"b", b"c"]),
    (b"a,", [b"a", b""]),
    (b'"a,b", c', [b'"a,b"', b"c"]),
    (rb'"a\",b", c', [rb'"a\",b"', b"c"]),
    (b'"a, b', [b'"a, b']),
    (b'x"a,b"y,z', [b'x"a,b"y', b"z"]),
]


@pytest.mark.parametrize(("value", "expected"), LISTS)
def test_lists(value: bytes, expected: list[bytes]) -> None:
    assert split_list(value) == expected


@given(st.binary(max_size=20))
def test_lists_end(value: bytes) -> None:
    assert split_list(value)


ADDRESSES: list[tuple[bytes, bytes | None]] = [
    (b"1.2.3.4", b"\1\2\3\4"),
    (b"1.2.3.4:80", b"\1\2\3\4"),
    (b"1.2.3.4:99999", None),
    (b"1.2.3.4:", None),
    (b"::1", bytes(15) + b"\1"),
    (b"[::1]", bytes(15) + b"\1"),
    (b"[1.2.3.4]", None),
    (b"unknown", None),
]


@pytest.mark.parametrize(("value", "expected"), ADDRESSES)
def test_addresses(value: bytes, expected: bytes | None) -> None:
    assert address_in(value) == expected


REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nA: 1, 2\r\nB: x\r\nA: 3\r\nIp: no, 1.2.3.4\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nA: 9\r\nContent-Length: 0\r\n\r\n"

EACH: list[tuple[str, list[Any]]] = [
    ("req.hdr(a)", [b"1", b"2", b"3"]),
    ("req.fhdr(a)", [b"1, 2", b"3"]),
    ("req.hdr(a,2)", [b"2"]),
    ("req.hdr(a,9)", []),
    ("req.hdr(c)", []),
    ("hdr_val(a)", [1, 2, 3]),
    ("hdr_ip(ip)", [b"\1\2\3\4"]),
    ("req.hdr", [b"h", b"1", b"2", b"x", b"3", b"no", b"1.2.3.4"]),
]


@pytest.mark.parametrize(("text", "expected"), EACH)
def test_each(text: str, expected: list[Any], value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    assert value_of(text, make_scope(request=REQUEST), each=True) == expected
    assert value_of(text, make_scope(), each=True) == []


def test_either_direction(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request=REQUEST, response=RESPONSE)
    assert value_of("hdr(a)", x) == b"3"
    assert value_of("hdr(a)", x, stage=Stage.FRONT_RESPONSE) == b"9"
    assert value_of("res.hdr(a)", make_scope(), stage=Stage.FRONT_RESPONSE) is None
    assert value_of("req.hdrs", make_scope()) is None


def test_after_edits(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request=REQUEST)
    x.head = edit_request(x.head)
    x.head.block.add(b"a", b"4")
    x.head.block.delete(b"b")
    assert value_of("req.hdr(a)", x) == b"4" and value_of("req.hdr(b)", x) is None
    assert value_of("req.hdr(a)", x, each=True) == [b"1", b"2", b"3", b"4"]
    assert value_of("req.hdr_names", x) == b"host,a,a,ip,a"


@pytest.mark.parametrize("text", ["req.hdr(a,-11)", "req.hdr(,2)", "req.hdr(a,x)", "res.hdr(a)"])
def test_wrong(text: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError):
        value_of(text, None)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "00"), (239, "ef"), (240, "f000"), (2287, "ff7f"), (2288, "f08000")]
)
def test_lengths(number: int, expected: str) -> None:
    assert spoe_number(number).hex() == expected
