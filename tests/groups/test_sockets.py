from __future__ import annotations

import dataclasses
import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.model import Address, BindSpec, Place, ProxySpec
from maniple.groups import sockets
from maniple.groups.sockets import ListeningSocket, address_text, default_backlog

PLACE = Place("test.cfg", 5)


def bind_of(**words: Any) -> BindSpec:
    return BindSpec(PLACE, "text", (), **words)


def test_backlog_is_the_first_that_is_written() -> None:
    bind, proxy = bind_of(), ProxySpec(PLACE, "web", "frontend")
    assert default_backlog(bind, proxy, None) == 1024
    assert default_backlog(bind, proxy, 5) == 5
    proxy = dataclasses.replace(proxy, maxconn=4)
    assert default_backlog(bind, proxy, 5) == 4
    bind = dataclasses.replace(bind, maxconn=3)
    assert default_backlog(bind, proxy, 5) == 3
    proxy = dataclasses.replace(proxy, backlog=2)
    assert default_backlog(bind, proxy, 5) == 2
    bind = dataclasses.replace(bind, backlog=1)
    assert default_backlog(bind, proxy, 5) == 1


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("inet", "*", 80, 80), "0.0.0.0:80"),
        (Address("inet", "", 80, 80), "0.0.0.0:80"),
        (Address("inet6", "*", 80, 80), "[::]:80"),
        (Address("inet6", "::1", 80, 80), "[::1]:80"),
        (Address("unix", "/run/x"), "/run/x"),
        (Address("abns", "x"), "abns@x"),
        (Address("fd", "3"), "fd@3"),
    ],
)
def test_addresses_are_shown(address: Address, text: str) -> None:
    assert address_text(address) == text


def test_tcp_is_bound_with_its_options_and_listens_later() -> None:
    bind = bind_of(tcp_ut=5000, defer_accept=True, tfo=True, mss=1000)
    with sockets.bind_tcp(bind, Address("inet", "127.0.0.1")) as sock:
        assert not sockets.is_listening(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        assert not sock.getblocking()
        sockets.listen(sock, bind, 5)
        assert sockets.is_listening(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) >= 1
        sockets.set_options(sock, bind_of(), only_written=True)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
        sockets.set_options(sock, bind_of(), only_written=False)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
@pytest.mark.parametrize(("kind", "host"), [("inet", "192.0.2.1"), ("inet6", "2001:db8::1")])
def test_transparent_and_interface(kind: str, host: str) -> None:
    with sockets.bind_tcp(bind_of(transparent=True, interface="lo"), Address(kind, host)) as sock:
        assert sock.getsockname()[0] == host
        assert sockets.bound_interface(sock) == "lo"


def test_what_cannot_be_bound_is_closed(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    calls: list[Callable[[], object]] = [
        lambda: sockets.bind_tcp(bind_of(), Address("inet", "192.0.2.1", 1, 1)),
        lambda: sockets.bind_unix(str(tmp_path / ("x" * 120)), bind_of(), 5),
        lambda: sockets.bind_unix(str(tmp_path / "no" / "x"), bind_of(), 5),
        lambda: sockets.bind_abstract("x" * 108),
        lambda: sockets.inherit(9999),
    ]
    for call in calls:
        with pytest.raises(OSError) as found:
            call()
        assert found.value.errno
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_unix_socket_is_found_when_it_is_published(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    with sockets.bind_unix(path, bind_of(mode=0o600), 5) as sock, socket.socket(socket.AF_UNIX) as client:
        assert sockets.is_listening(sock)
        assert client.connect_ex(path) == errno.ENOENT
        sockets.publish(path, sock)
        client.connect(path)
        assert sockets.bound_path(sock) == path
        # Somebody else's file at that path stays.
        os.rename(path, f"{path}.moved")
        Path(path).write_text("kept")
        sockets.unpublish(path, sock)
        assert Path(path).read_text() == "kept"
        os.rename(f"{path}.moved", path)
        sockets.unpublish(path, sock)
    assert list(tmp_path.iterdir()) == []


def test_paths_of_sockets() -> None:
    with socket.socket(socket.AF_UNIX) as nameless, sockets.bind_abstract(f"maniple-{os.getpid()}") as abstract:
        assert sockets.bound_path(nameless) == sockets.bound_path(abstract) == ""


def test_whose_a_socket_is() -> None:
    with ListeningSocket(socket.AF_INET, socket.SOCK_STREAM) as sock, socket.socket() as plain:
        assert not sockets.is_foreign(sock)
        assert not sockets.is_foreign(plain)
        with sockets.inherit(sock.fileno()) as inherited, sock.dup() as duplicate:
            assert sockets.is_foreign(inherited)
            assert not sockets.is_foreign(duplicate)
