from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.model import Address, BindSpec, Place
from maniple.groups.address_key import AddressKey, found_key, without_transparent, written_key


def key(kind: str, host: str, port: int = 0, text: str = "text", occurrence: int = 0, **words: Any) -> AddressKey:
    address = Address(kind, host, port, port)
    return written_key(address, BindSpec(Place("f", 1), text, (address,), **words), "web", occurrence)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (key("inet", "", 80), key("inet", "0.0.0.0", 80)),
        (key("inet", "*", 80, text="*:80"), key("inet", "0.0.0.0", 80)),
        (key("inet6", "::0:1", 80), key("inet6", "::1", 80)),
        (key("inet6", "*", 80, v4v6=True), key("inet6", "::", 80, v4v6=True)),
        (key("inet6", "::1", 80, v4v6=True), key("inet6", "::1", 80, v6only=True)),
        (key("inet", "1.2.3.4", 80, backlog=5), key("inet", "1.2.3.4", 80, mss=1000)),
        (key("unix", "/x", mode=0o600), key("unix", "/x")),
    ],
)
def test_the_same(left: AddressKey, right: AddressKey) -> None:
    assert left == right


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (key("inet", "", 80), key("inet6", "::", 80)),
        (key("inet", "", 80), key("inet", "", 81)),
        (key("inet", "", 80), key("inet", "127.0.0.1", 80)),
        (key("inet", "", 80), key("inet", "", 80, interface="lo")),
        (key("inet", "", 80), key("inet", "", 80, transparent=True)),
        (key("inet6", "::", 80, v4v6=True), key("inet6", "::", 80, v6only=True)),
        (key("inet", "", 0), key("inet", "", 0, text="other")),
        (key("inet", "", 0), key("inet", "", 0, occurrence=1)),
        (key("unix", "/x"), key("abns", "/x")),
        (key("fd", "3"), key("fd", "4")),
    ],
)
def test_another(left: AddressKey, right: AddressKey) -> None:
    assert left != right


def test_a_scope_is_left_as_it_is() -> None:
    assert key("inet6", "fe80::1%lo", 80).host == "fe80::1%lo"


def test_found_sockets_have_the_key_of_their_address(tmp_path: Path) -> None:
    path, name = str(tmp_path / "x"), f"maniple-key-{os.getpid()}"
    cases: list[tuple[int, Any, AddressKey | None]] = [
        (socket.AF_UNIX, f"{path}.123.tmp", key("unix", path)),
        (socket.AF_UNIX, f"{path}.bak", key("unix", f"{path}.bak")),
        (socket.AF_UNIX, "\0" + name.ljust(107, "\0"), key("abns", name)),
        (socket.AF_UNIX, None, None),
    ]
    for family, target, expected in cases:
        with socket.socket(family) as sock:
            if target is not None:
                sock.bind(target)
            assert found_key(sock) == expected
    for host in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as sock:
            sock.bind((host, 0))
            port = sock.getsockname()[1]
            assert found_key(sock) == without_transparent(key("inet", host, port, transparent=True))
    for v6only in (True, False):
        with socket.socket(socket.AF_INET6) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
            sock.bind(("::", 0))
            assert found_key(sock) == key("inet6", "::", sock.getsockname()[1], v6only=v6only, v4v6=not v6only)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        assert found_key(datagrams) is None


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_found_sockets_know_their_interface() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        sock.bind(("127.0.0.1", 0))
        assert found_key(sock) == key("inet", "127.0.0.1", sock.getsockname()[1], interface="lo")
