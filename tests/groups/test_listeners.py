from __future__ import annotations

import dataclasses
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.model import (
    Address,
    BindSpec,
    Configuration,
    GlobalSpec,
    Place,
    ProxySpec,
    ThreadRange,
    ThreadSet,
)
from maniple.groups.listeners import Listener, address_text, close_listeners, default_backlog, open_listeners
from maniple.groups.placement import GroupPlace, Placement

PLACE = Place("test.cfg", 5)
PLACEMENT = Placement((GroupPlace(1, 2, 1, ()), GroupPlace(2, 1, 3, ())))
"""Threads 1/1, 1/2 and 2/1."""
LOOPBACK = Address("inet", "127.0.0.1")


def bind_of(*addresses: Address, **words: Any) -> BindSpec:
    return BindSpec(PLACE, "text", addresses, **words)


def proxy_of(*binds: BindSpec, **words: Any) -> ProxySpec:
    return ProxySpec(PLACE, "web", "frontend", binds=binds, **words)


class Opened:
    """Opens listeners and closes them after the test."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def __call__(self, *binds: BindSpec, **words: Any) -> list[Listener]:
        listeners, errors = open_listeners(Configuration(proxies=(proxy_of(*binds, **words),)), PLACEMENT)
        assert not errors, errors
        self.listeners += listeners
        return listeners


@pytest.fixture
def opened() -> Iterator[Opened]:
    value = Opened()
    yield value
    close_listeners(value.listeners)


def errors_of(*binds: BindSpec) -> list[str]:
    listeners, errors = open_listeners(Configuration(proxies=(proxy_of(*binds),)), PLACEMENT)
    assert not listeners
    assert all((error.file, error.line, error.word) == ("test.cfg", 5, "text") for error in errors)
    return [error.message for error in errors]


def test_each_thread_has_a_socket_and_all_share_the_port(opened: Opened) -> None:
    listeners = opened(bind_of(LOOPBACK))
    assert [(item.group, item.thread) for item in listeners] == [(1, 1), (1, 2), (2, 1)]
    ports = {item.sock.getsockname()[1] for item in listeners}
    assert len(ports) == 1
    assert {item.address.port_low for item in listeners[1:]} == ports
    assert all(item.sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) for item in listeners)
    assert all(item.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for item in listeners)
    assert not any(item.sock.getblocking() for item in listeners)
    assert [item.is_for(1, 2) for item in listeners] == [False, True, False]


def test_the_first_listener_too_knows_the_port_that_the_kernel_chose(opened: Opened) -> None:
    first = opened(bind_of(LOOPBACK))[0]
    assert first.address.port_low == first.sock.getsockname()[1] > 0


def test_connections_come_to_all_sockets(opened: Opened) -> None:
    listeners = opened(bind_of(LOOPBACK))
    clients = [socket.create_connection(listeners[0].sock.getsockname()) for _ in range(60)]
    for item in listeners:
        accepted, _ = item.sock.accept()
        accepted.close()
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("threads", "expected"),
    [
        ((ThreadRange(2, 1, 0),), [(2, 1)]),
        ((ThreadRange(None, 2, 3),), None),
        ((ThreadRange(0, 1, 1),), [(1, 1), (2, 1)]),
        ((ThreadRange(None, 3, 3),), [(2, 1)]),
    ],
)
def test_thread_sets_choose_the_sockets(
    opened: Opened, threads: tuple[ThreadRange, ...], expected: list[tuple[int, int]] | None
) -> None:
    bind = bind_of(LOOPBACK, threads=ThreadSet(threads))
    if expected is None:
        assert "are not all in one group" in errors_of(bind)[0]
    else:
        assert [(item.group, item.thread) for item in opened(bind)] == expected


def test_a_thread_that_does_not_exist_is_an_error() -> None:
    assert (
        "thread group 7 does not exist" in errors_of(bind_of(LOOPBACK, threads=ThreadSet((ThreadRange(7, 1, 1),))))[0]
    )


def test_a_range_of_ports_is_an_address_each(opened: Opened) -> None:
    # A free pair of ports: found by asking for one until its neighbour is free as well.
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as probe, socket.socket() as neighbour:
            low = probe.getsockname()[1]
            try:
                neighbour.bind(("127.0.0.1", low + 1))
            except OSError:
                continue
        break
    listeners = opened(bind_of(Address("inet", "127.0.0.1", low, low + 1)))
    assert [item.sock.getsockname()[1] for item in listeners] == [low] * 3 + [low + 1] * 3


def test_several_binds_and_addresses_are_numbered(opened: Opened) -> None:
    listeners = opened(bind_of(LOOPBACK, LOOPBACK), bind_of(LOOPBACK))
    assert [item.bind_index for item in listeners] == [0] * 6 + [1] * 3
    assert len({item.address.port_low for item in listeners}) == 3


def test_disabled_proxies_are_not_bound() -> None:
    configuration = Configuration(proxies=(proxy_of(bind_of(LOOPBACK), disabled=True),))
    assert open_listeners(configuration, PLACEMENT) == ([], [])


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
@pytest.mark.parametrize(("words", "only"), [({"v4v6": True}, 0), ({"v6only": True}, 1)])
def test_ipv6_and_ipv4(opened: Opened, words: dict[str, bool], only: int) -> None:
    sock = opened(bind_of(Address("inet6", "::"), **words))[0].sock
    assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == only


def test_socket_options(opened: Opened) -> None:
    sock = opened(bind_of(LOOPBACK, tcp_ut=5000, defer_accept=True, tfo=True, mss=1000))[0].sock
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) >= 1


def test_backlog_is_the_first_that_is_written() -> None:
    bind, proxy = bind_of(), proxy_of()
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
    assert open_listeners(Configuration(GlobalSpec(maxconn=7)), PLACEMENT) == ([], [])


def test_a_unix_socket_is_one_and_for_all(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    (listener,) = opened(bind_of(Address("unix", str(path)), mode=0o640, uid=os.getuid(), gid=os.getgid()))
    assert listener.is_for(1, 1)
    assert listener.is_for(2, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert list(tmp_path.iterdir()) == [path]


def test_a_stale_unix_socket_is_replaced_and_a_file_is_not(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    opened(bind_of(Address("unix", str(path))))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    precious = tmp_path / "precious"
    precious.write_text("kept")
    assert errors_of(bind_of(Address("unix", str(precious)))) == [
        f"Binding [test.cfg:5] for frontend web: cannot bind socket (a file of another kind is there) for [{precious}]"
    ]
    assert precious.read_text() == "kept"


def test_abstract_sockets_are_padded_as_haproxys(opened: Opened) -> None:
    name = f"maniple-test-listeners-{os.getpid()}"
    opened(bind_of(Address("abns", name)))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(b"\0" + name.encode().ljust(107, b"\0"))


def test_an_inherited_socket_is_taken_as_it_is(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ready, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        listeners = opened(*(bind_of(Address("fd", str(sock.fileno()))) for sock in (ready, bound)))
        for sock in (ready, bound):
            socket.create_connection(sock.getsockname()).close()
        assert [item.group for item in listeners] == [0, 0]
        close_listeners(listeners)
        socket.create_connection(ready.getsockname()).close()


def test_descriptors_that_cannot_listen_are_refused() -> None:
    reader, writer = os.pipe()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        number = datagrams.fileno()
        messages = errors_of(
            bind_of(Address("fd", str(reader))),
            bind_of(Address("fd", str(number))),
            bind_of(Address("fd", "9999")),
        )
    assert [message.partition("cannot bind socket ")[2] for message in messages] == [
        f"(Socket operation on non-socket) for [fd@{reader}]",
        f"(Protocol wrong type for socket) for [fd@{number}]",
        "(Bad file descriptor) for [fd@9999]",
    ]
    os.close(reader)
    os.close(writer)


def test_names_that_are_too_long_are_refused(tmp_path: Path) -> None:
    for address in (Address("unix", str(tmp_path / ("x" * 100))), Address("abns", "x" * 108)):
        assert "(File name too long)" in errors_of(bind_of(address))[0]


def test_after_an_error_nothing_stays_open() -> None:
    before = os.listdir("/proc/self/fd")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        messages = errors_of(bind_of(LOOPBACK), bind_of(Address("inet", "127.0.0.1", port, port)))
    assert messages == [
        f"Binding [test.cfg:5] for frontend web: cannot bind socket (Address already in use) for [127.0.0.1:{port}]"
    ]
    assert os.listdir("/proc/self/fd") == before


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
