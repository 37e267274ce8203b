from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.core.config.model import (
    Address,
)
from maniple.groups.sockets import ListeningSocket
from maniple.tests.groups.listening_rig import ALL, HOST, World, at, backlog_of, bind_of, given, owners


@pytest.fixture
def world() -> Iterator[World]:
    value = World()
    yield value
    value.close()


def test_a_socket_that_was_given_serves_its_address(world: World) -> None:
    sock, other = given(), given()
    port = sock.getsockname()[1]
    client = socket.create_connection(sock.getsockname())
    listening = world.reload(bind_of(at(port), backlog=33), activated=[sock, other])
    assert listening.listeners[0].sock is sock
    assert owners(listening) == [(one,) for one in ALL]
    assert other.fileno() == -1
    assert not sock.getblocking()
    assert backlog_of(listening.listeners[0]) == 33
    sock.accept()[0].close()
    client.close()


def test_a_socket_that_cannot_be_joined_serves_all_threads(world: World) -> None:
    sock = given(joinable=False, foreign=True)
    listening = world.reload(bind_of(at(sock.getsockname()[1]), backlog=33), activated=[sock])
    assert owners(listening) == [ALL]
    assert listening.listeners[0].sock is sock
    assert backlog_of(listening.listeners[0]) == 5
    assert not listening.is_ours(listening.listeners[0])
    again = world.reload(bind_of(at(sock.getsockname()[1])))
    assert again.numbers == listening.numbers
    assert not again.is_ours(again.listeners[0])


def test_more_sockets_than_threads_are_all_used(world: World) -> None:
    first = given()
    rest = []
    for _ in range(4):
        sock = ListeningSocket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(first.getsockname())
        sock.listen()
        rest.append(sock)
    listening = world.reload(bind_of(at(first.getsockname()[1])), activated=[first, *rest])
    assert len(listening.listeners) == 5
    assert sorted(len([one for one in owners(listening) if one == ((*pair,),)]) for pair in ALL) == [1, 2, 2]


def test_sockets_of_another_kind_do_not_match(world: World, tmp_path: Path) -> None:
    any_v4, unix = given(host="0.0.0.0"), ListeningSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(str(tmp_path / "given"))
    unix.listen()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening = world.reload(bind_of(Address("unix", str(tmp_path / "given"))), activated=[any_v4, unix, datagrams])
    assert [item.sock for item in listening.listeners] == [unix]
    assert (any_v4.fileno(), datagrams.fileno()) == (-1, -1)


def test_with_an_error_what_was_given_is_closed(world: World) -> None:
    sock = given()
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        _, errors = world.attempt(bind_of(at(sock.getsockname()[1])), bind_of(at(port)), activated=[sock])
    assert len(errors) == 1
    assert sock.fileno() == -1


def test_two_descriptors_of_one_socket_are_one(world: World) -> None:
    sock = given(joinable=False)
    listening = world.reload(bind_of(at(sock.getsockname()[1])), activated=[sock, sock.dup()])
    assert [listener.sock for listener in listening.listeners] == [sock]
