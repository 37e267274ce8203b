"""A supervisor's generations of listening sockets, for tests."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from typing import Any

from maniple.core.config.model import (
    Address,
    BindSpec,
    Configuration,
    GlobalSpec,
    Place,
    ProxySpec,
)
from maniple.groups.listener import Listener
from maniple.groups.listening import Listening, open_listeners
from maniple.groups.placement import GroupPlace, Placement
from maniple.groups.sockets import ListeningSocket

HOST = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}.7"
"""An address of our own: ports of 127.0.0.1 are taken by other programs' outgoing connections at any time."""
PLACE = Place("test.cfg", 5)
PLACEMENT = Placement((GroupPlace(1, 2, 1, ()), GroupPlace(2, 1, 3, ())), groups_written=True)
"""Threads 1/1, 1/2 and 2/1."""
LARGER = Placement((GroupPlace(1, 2, 1, ()), GroupPlace(2, 2, 3, ())))
ONE = Placement((GroupPlace(1, 1, 1, ()),))
LOOPBACK = Address("inet", HOST)
ALL = ((1, 1), (1, 2), (2, 1))


def bind_of(*addresses: Address, **words: Any) -> BindSpec:
    return BindSpec(PLACE, "text", addresses, **words)


def proxy_of(*binds: BindSpec, name: str = "web", **words: Any) -> ProxySpec:
    return ProxySpec(PLACE, name, "frontend", binds=binds, **words)


def at(port: int, host: str = HOST, kind: str = "inet") -> Address:
    return Address(kind, host, port, port)


class World:
    """A supervisor's generations; all sockets are closed after the test."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.current: Listening | None = None
        self._opened: list[Listening] = []

    def open(
        self,
        *proxies: ProxySpec | BindSpec,
        placement: Placement = PLACEMENT,
        activated: Any = (),
        spec: GlobalSpec | None = None,
    ) -> Listening:
        """Not started yet. Bind lines stand for one frontend that has them."""
        listening, errors = self.attempt(*proxies, placement=placement, activated=activated, spec=spec)
        assert errors == []
        return listening

    def attempt(
        self,
        *proxies: ProxySpec | BindSpec,
        placement: Placement = PLACEMENT,
        activated: Any = (),
        spec: GlobalSpec | None = None,
    ) -> tuple[Listening, list[str]]:
        binds = [one for one in proxies if isinstance(one, BindSpec)]
        if binds:
            proxies = (proxy_of(*binds),)
        configuration = Configuration(
            globals=spec or GlobalSpec(), proxies=tuple(one for one in proxies if isinstance(one, ProxySpec))
        )
        listening, errors = open_listeners(configuration, placement, self.current, activated, self.numbers)
        assert all((error.file, error.line, error.word) == ("test.cfg", 5, "text") for error in errors)
        self._opened.append(listening)
        return listening, [error.message for error in errors]

    def reload(self, *proxies: ProxySpec | BindSpec, **words: Any) -> Listening:
        """Opened, started, and in service."""
        listening = self.open(*proxies, **words)
        assert listening.start() == []
        self.current = listening
        return listening

    def close(self) -> None:
        for listening in self._opened:
            listening.close()


def owners(listening: Listening) -> list[Any]:
    return [listener.owners for listener in listening.listeners]


def port_of(listening: Listening) -> int:
    return int(listening.listeners[0].sock.getsockname()[1])


def connect(listening: Listening, count: int = 1) -> list[socket.socket]:
    return [socket.create_connection(listening.listeners[0].sock.getsockname()[:2]) for _ in range(count)]


def backlog_of(listener: Listener) -> int:
    """tcpi_sacked of a listening socket: the longest queue."""
    facts = listener.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    return int.from_bytes(facts[28:32], "little")


def free_port(count: int = 1) -> int:
    """The first of `count` ports in a row that nobody uses at HOST."""
    while True:
        with contextlib.ExitStack() as stack:
            low = stack.enter_context(socket.create_server((HOST, 0))).getsockname()[1]
            try:
                for port in range(low + 1, low + count):
                    stack.enter_context(socket.create_server((HOST, port)))
            except (OSError, OverflowError):
                continue
            return int(low)


def given(*, joinable: bool = True, host: str = HOST, foreign: bool = False) -> ListeningSocket:
    sock = ListeningSocket(socket.AF_INET, socket.SOCK_STREAM)
    if joinable:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, 0))
    sock.listen(5)
    sock.foreign = foreign
    return sock
