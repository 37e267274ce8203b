"""Cookies of Remote Desktop clients. Whole requests are compared with HAProxy in test_fetch_payload_against_haproxy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.hello import MORE, OTHER, Reading
from maniple.core.rules.rdp import read_cookie

START = b"\x03\0\0\x2a\x25\xe0\0\0\0\0\0"
WHOLE = START + b"Cookie: mstshash=alice\r\n\1\0\x08\0"

CASES: list[tuple[bytes, bytes, bytes | Reading]] = [
    (WHOLE, b"", b"alice"),
    (WHOLE, b"mstshash", b"alice"),
    (WHOLE, b"MSTSHASH", b"alice"),
    (WHOLE, b"msts", OTHER),
    (WHOLE, b"mstshashes", OTHER),
    (START + b"cookie:a=\r\n", b"", b""),
    (START + b"Cookie: a\r\n=b\r\n", b"", OTHER),
    (START + b"Cookie: a=b\r.", b"", OTHER),
    (START + b"Biscuit: a=b\r\n", b"", OTHER),
]


@pytest.mark.parametrize(("data", "name", "expected"), CASES)
def test_cookies(data: bytes, name: bytes, expected: bytes | Reading) -> None:
    assert read_cookie(data, name) == expected


@pytest.mark.parametrize("name", [b"", b"mstshash"])
def test_every_start_of_one_wants_more(name: bytes) -> None:
    end = WHOLE.index(b"\r\n") + 2
    assert all(read_cookie(WHOLE[:size], name) is MORE for size in range(end))
    assert read_cookie(WHOLE[:end], name) == b"alice"


@given(st.binary(max_size=40), st.sampled_from([b"", b"a", b"mstshash"]))
def test_it_never_raises(data: bytes, name: bytes) -> None:
    for start in (b"", START + b"Cookie: "):
        read_cookie(start + data, name)
