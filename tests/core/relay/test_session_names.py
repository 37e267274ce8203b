"""Where messages name a session: all values of one name, and nothing of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance.cookie_line import make_cut
from maniple.core.http.block import HeaderBlock
from maniple.core.http.head import HeadReader
from maniple.core.http.limits import Limits
from maniple.core.relay.session_names import cookie_reader, header_reader, set_cookie_reader


def block(*lines: str) -> HeaderBlock:
    text = "".join(f"{line}\r\n" for line in lines)
    reader = HeadReader(Limits(max_head=15360, max_headers=101, cache_size=0))
    return reader.read_request(f"GET / HTTP/1.1\r\nHost: a\r\n{text}\r\n".encode()).block


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        ((), []),
        (("Cookie: a=1",), []),
        (("Cookie: S=1",), [b"1"]),
        (("Cookie: a=1; S=1; b=2",), [b"1"]),
        (("Cookie: SS=1; S=2; xS=3",), [b"2"]),
        (("Cookie: a=1; S=; b=2",), [b""]),
        (("Cookie: S=1; S=2",), [b"1", b"2"]),
        (("Cookie: S=1", "Cookie: S=2"), [b"1", b"2"]),
        (("Cookie: S=1", "Cookie: a=2"), [b"1"]),
        (('Cookie: a="; S=1"; S=2',), [b"2"]),
    ],
)
def test_cookies(lines: tuple[str, ...], values: list[bytes]) -> None:
    assert cookie_reader(b"S")(block(*lines)) == values


@given(
    st.lists(st.sampled_from(["S", "=", ";", " ", "a", '"', ",", "\\", "\t", "; ", "S=", "$"]), max_size=12).map(
        "".join
    )
)
def test_the_fast_way_finds_the_same(line: str) -> None:
    line = line.strip()
    expected = make_cut(b"S")(line.encode())[0] if line else []
    assert cookie_reader(b"S")(block(f"Cookie: {line}")) == expected


@pytest.mark.parametrize(
    ("lines", "values"),
    [((), []), (("X-S: 1",), [b"1"]), (("x-s: 1", "X-T: 2"), [b"1"]), (("X-S: 1", "X-S: 2"), [b"1", b"2"])],
)
def test_headers(lines: tuple[str, ...], values: list[bytes]) -> None:
    assert header_reader(b"x-s")(block(*lines)) == values


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        ((), []),
        (("Set-Cookie: T=1",), []),
        (("Set-Cookie: T=1; S=2",), []),
        (("Set-Cookie: S=1; Path=/",), [b"1"]),
        (("Set-Cookie: S=; Path=/",), [b""]),
        (("Set-Cookie: T=1", "Set-Cookie: S=2"), [b"2"]),
        (("Set-Cookie: S=1", "Set-Cookie: S=2"), [b"1", b"2"]),
        (("Set-Cookie: S",), []),
        (("Set-Cookie: ",), []),
    ],
)
def test_set_cookies(lines: tuple[str, ...], values: list[bytes]) -> None:
    assert set_cookie_reader(b"S")(block(*lines)) == values
