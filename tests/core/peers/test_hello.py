"""Greetings and statuses: cases as data, split at every byte, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.faults import HelloFault
from maniple.core.peers.hello import LONGEST, Hello, take_hello, take_status

GOOD = [
    (b"HAProxyS 2.1\nA\nB 16448 1\n", Hello("A", "B", 16448, 1)),
    (b"HAProxyS 2.0\nA\nB 16448 0\n", Hello("A", "B", 16448, 0)),
    (b"HAProxyS 2.1\r\nA\r\nB 1 1\r\n", Hello("A", "B", 1, 1)),
    (b"HAProxyS 2.1\nA\nB x y\n", Hello("A", "B", 0, 1)),
    (b"HAProxyS 2.1\nlb.example-1\nhost_2 7 1\n", Hello("lb.example-1", "host_2", 7, 1)),
]


@pytest.mark.parametrize(("data", "hello"), GOOD)
def test_split_at_every_byte(data: bytes, hello: Hello) -> None:
    for cut in range(len(data)):
        held = bytearray(data[:cut])
        assert take_hello(held) is None
        held += data[cut:] + b"\0\4"
        assert take_hello(held) == hello
        assert held == b"\0\4"


BAD = [
    (b"GET / HTTP/1.0\n\n", 501),
    (b"GET / HTTP/1.0 and no end in sight", 501),
    (b"\n", 501),
    (b"HAProxyS 2.2\nA\nB 1 1\n", 502),
    (b"HAProxyS 3.0\nA\nB 1 1\n", 502),
    (b"HAProxyS\nA\nB 1 1\n", 502),
    (b"HAProxyS 2.1\nA\nB\n", 501),
    (b"HAProxyS 2.1\nA\n 1 1\n", 501),
    (b"HAProxyS 2.1\n" + b"A" * LONGEST, 501),
]


@pytest.mark.parametrize(("data", "status"), BAD)
def test_refused(data: bytes, status: int) -> None:
    with pytest.raises(HelloFault) as caught:
        take_hello(bytearray(data))
    assert caught.value.status == status


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: b"HAProxyS 2.1\n" + tail))
def test_whatever_bytes(data: bytes) -> None:
    for take in (take_hello, take_status):
        try:
            take(bytearray(data))
        except HelloFault:
            continue


def test_encoding() -> None:
    assert Hello("A", "B", 5).encode() == b"HAProxyS 2.1\nA\nB 5 1\n"
    assert Hello("A", "B", 5, 0).encode() == b"HAProxyS 2.0\nA\nB 5 1\n"


@pytest.mark.parametrize(("data", "status"), [(b"200\n\0\4", 200), (b"504\r\n\0\4", 504), (b"299\n\0\4", 299)])
def test_status(data: bytes, status: int) -> None:
    held = bytearray()
    for byte in data[:-3]:
        held.append(byte)
        assert take_status(held) is None
    held += data[-3:]
    assert take_status(held) == status
    assert held == b"\0\4"


@pytest.mark.parametrize("data", [b"\n", b"ok\n", b"2" * 16, b"200 OK\n"])
def test_no_status(data: bytes) -> None:
    with pytest.raises(HelloFault):
        take_status(bytearray(data))
