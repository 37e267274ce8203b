"""Hellos: whole, cut at every byte, over several records, damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.hello import (
    MORE,
    OTHER,
    SIGNATURE_ALGORITHMS,
    SUPPORTED_GROUPS,
    ClientHello,
    hello_type,
    hello_version,
    read_client_hello,
    read_handshake,
)
from maniple.tests.core.rules import hellos
from maniple.tests.core.rules.hellos import FULL, extension, message, record, records, server_name, vector


def read(data: bytes) -> ClientHello:
    found = read_client_hello(data)
    assert isinstance(found, ClientHello)
    return found


def test_all_that_is_told() -> None:
    found = read(FULL)
    assert (found.version, found.ciphers) == (0x30003, b"\x13\1\xc0\x2f")
    assert (found.server_name, found.protocol) == (b"Www.X.test", b"h2")
    assert found.list_of(SUPPORTED_GROUPS) == b"\0\x1d\0\x17"
    assert found.list_of(SIGNATURE_ALGORITHMS) == b"\4\3\x08\4"
    assert found.key_share_groups == b"\0\x1d\0\x17"
    assert hello_type(FULL) == 1 and hello_version(FULL) == 0x30003


@pytest.mark.parametrize("data", [FULL, hellos.hello("b.test"), records(FULL[5:], 40)], ids=["ours", "OpenSSL", "cut"])
def test_every_start_of_one_wants_more(data: bytes) -> None:
    for size in range(len(data)):
        assert read_client_hello(data[:size]) is MORE
        assert hello_type(data[:size]) is MORE and hello_version(data[:size]) is MORE
    for behind in (b"", b"\0", data):
        assert read(data + behind).server_name


@pytest.mark.parametrize("size", [1, 2, 4, 5, 30, 100])
def test_over_several_records(size: int) -> None:
    data = message(server_name(b"x"))[: size * 32] if size == 1 else message(server_name(b"x"))
    found = read_client_hello(records(data, size))
    if len(data) <= 32 * size and size > 1:
        assert isinstance(found, ClientHello) and found.server_name == b"x"
    else:
        assert found is OTHER


BROKEN = {
    "another content": record(message(), kind=0x17),
    "another protocol": b"GET / HTTP/1.1\r\n",
    "SSH": b"SSH-2.0-x\r\n",
    "version of the record": record(message(), version=b"\2\1"),
    "empty record": record(b""),
    "record too long": b"\x16\3\1\x40\1" + bytes(16385),
    "a server's hello": record(b"\2" + vector(b"\3\3" + bytes(60), 3)),
    "version of the hello": record(message(version=b"\2\0")),
    "SSL 3": record(message(version=b"\3\0")),
    "session": record(message(session=bytes(33))),
    "no cipher": record(message(ciphers=b"")),
    "odd ciphers": record(message(ciphers=b"abc")),
    "no compression": record(message(compressions=b"")),
    "extensions too long": record(message(tail=b"\0\5abcd")),
    "extensions too short": record(message(tail=b"\0\3abcd")),
    "half an extension": record(message(tail=vector(b"\0\0\0", 2))),
    "extension too long": record(message(tail=vector(b"\0\0\0\5abcd", 2))),
    "the same twice": record(message(server_name(b"a"), server_name(b"b"))),
    "too short": record(b"\1" + vector(b"\3\3" + bytes(20), 3)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    assert read_client_hello(BROKEN[name]) is OTHER


NAMES = {
    "none": (extension(0, b""), None),
    "empty list": (extension(0, vector(b"", 2)), None),
    "empty": (server_name(b""), None),
    "another kind": (server_name(b"abc", 1), None),
    "second": (extension(0, vector(b"\1" + vector(b"x", 2) + b"\0" + vector(b"y", 2), 2)), b"y"),
    "list too long": (extension(0, vector(b"\0" + vector(b"abc", 2), 2) + b"x"), None),
    "name too long": (extension(0, vector(b"\0\0\5abc", 2)), None),
    "any bytes": (server_name(b"a\0\xff"), b"a\0\xff"),
}


@pytest.mark.parametrize("name", NAMES)
def test_server_names(name: str) -> None:
    told, expected = NAMES[name]
    assert read(record(message(told))).server_name == expected


def test_lists_that_are_none() -> None:
    found = read(
        record(
            message(extension(16, vector(b"\0", 2)), extension(51, vector(b"\0\x1d\0\5x", 2)), extension(10, b"\0\7"))
        )
    )
    assert found.protocol is found.key_share_groups is found.list_of(SUPPORTED_GROUPS) is None


def test_version_2() -> None:
    data = b"\x80\x2e\1\3\1\0\x15\0\0\0\x10" + bytes(0x15) + bytes(16)
    assert hello_version(data) == 0x30001
    assert all(hello_version(data[:size]) is MORE for size in range(len(data)))
    assert hello_version(b"\x80\x2e\2\3\1") is OTHER
    assert hello_version(data.replace(b"\0\x10\0", b"\0\x11\0", 1)) is OTHER


def test_damaged_ones_never_raise() -> None:
    for data in hellos.damaged(3, 400):
        found = read_client_hello(data)
        if isinstance(found, ClientHello):
            _ = (found.server_name, found.protocol, found.key_share_groups, found.list_of(10))


@given(st.binary(max_size=80))
def test_bytes_of_any_kind(data: bytes) -> None:
    for start in (b"", b"\x16\3\1", b"\x16\3\1\0\x40\1\0\0\x3c\3\3"):
        read_handshake(start + data)
        hello_version(start + data)
        found = read_client_hello(start + data)
        # What is something else stays so, whatever follows.
        if found is OTHER:
            assert read_client_hello(start + data + bytes(9)) is OTHER
