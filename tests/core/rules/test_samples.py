"""Casts and values of samples."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.samples import (
    ANY,
    BIN,
    BOOL,
    CASTS,
    INT,
    INT_MAX,
    INT_MIN,
    IP,
    METH,
    STR,
    Type,
    clamp,
    find_cast,
    is_needless,
    pack_ip,
    unpack_ip,
    wrap,
)

CASES: list[tuple[Type, Any, Type, Any]] = [
    (BOOL, True, INT, 1),
    (BOOL, False, STR, b"0"),
    (INT, 7, BOOL, True),
    (INT, -7, STR, b"-7"),
    (INT, 16909060, IP, b"\1\2\3\4"),
    (INT, -1, IP, b"\xff\xff\xff\xff"),
    (INT, 5, BIN, b"\0\0\0\0\0\0\0\5"),
    (IP, b"\1\2\3\4", INT, 16909060),
    (IP, bytes(16), INT, None),
    (IP, b"\1\2\3\4", STR, b"1.2.3.4"),
    (IP, bytes(15) + b"\1", STR, b"::1"),
    (IP, b"\1\2\3\4", BIN, b"\1\2\3\4"),
    (STR, b"12", INT, 12),
    (STR, b"-12ab", INT, -12),
    (STR, b"ab", INT, 0),
    (STR, b"", INT, None),
    (STR, b"99999999999999999999", INT, INT_MAX),
    (STR, b"-99999999999999999999", INT, INT_MIN),
    (STR, b"1", BOOL, True),
    (STR, b"no", BOOL, False),
    (STR, b"1.2.3.4", IP, b"\1\2\3\4"),
    (STR, b"1.2.3", IP, None),
    (STR, b"a\0b", BIN, b"a\0b"),
    (BIN, b"a\0b", STR, b"a"),
    (STR, b"GET", METH, b"GET"),
    (METH, b"GET", STR, b"GET"),
    (STR, b"x", ANY, (STR, b"x")),
    (ANY, (STR, b"12"), INT, 12),
    (ANY, (IP, b"\1\2\3\4"), STR, b"1.2.3.4"),
    (ANY, (BIN, b"1"), INT, None),
    (ANY, (INT, 3), ANY, (INT, 3)),
]


@pytest.mark.parametrize(("source", "value", "target", "expected"), CASES)
def test_cast(source: Type, value: Any, target: Type, expected: Any) -> None:
    cast = find_cast(source, target)
    assert cast is not None
    got = cast(value)
    assert got == expected and type(got) is type(expected)


@pytest.mark.parametrize("pair", [(BIN, INT), (BIN, IP), (METH, INT), (BOOL, IP), (IP, BOOL), (INT, METH)])
def test_what_cannot_be_cast(pair: tuple[Type, Type]) -> None:
    assert pair not in CASTS


def test_a_type_is_cast_to_itself_by_nothing() -> None:
    for kind in Type:
        assert is_needless(CASTS[kind, kind])


@given(st.ip_addresses())
def test_addresses_are_packed_as_everybody_packs_them(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert pack_ip(str(address).encode()) == address.packed
    assert unpack_ip(address.packed) and pack_ip(unpack_ip(address.packed)) == address.packed


@pytest.mark.parametrize("text", [b"", b"1.2.3", b"1.2.3.256", b"1.2.3.4.5", b"[::1]", b"fe80::1%eth0", b"\xff", b"x"])
def test_what_is_no_address(text: bytes) -> None:
    assert pack_ip(text) is None


@given(st.integers(-(1 << 70), 1 << 70))
def test_64_bits(number: int) -> None:
    assert INT_MIN <= wrap(number) <= INT_MAX and (wrap(number) - number) % (1 << 64) == 0
    assert clamp(number) == min(max(number, INT_MIN), INT_MAX)
