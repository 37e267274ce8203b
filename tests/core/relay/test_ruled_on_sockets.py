"""What rules set of the connection to the server, with real sockets: its packets have it, and nobody else gets it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from maniple.tests.core.relay.live import DEFAULTS, Answering, Whole, a_server, answer

SAVED_SYN = 28
CONFIGURATION = """
frontend f
    bind 127.0.0.1:1
    mode {mode}
    {rule}
    default_backend b
backend b
    mode {mode}
    server s 127.0.0.1:{port}
"""


class Noting(Answering):
    """Notes the TOS byte of the packet that began its connection."""

    seen: list[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        sock: Any = transport.get_extra_info("socket")
        type(self).seen.append(sock.getsockopt(socket.IPPROTO_TCP, SAVED_SYN, 256)[1])


@pytest.fixture
def saving(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server whose listening socket keeps these packets."""
    real = socket.create_server

    def create(*arguments: Any, **words: Any) -> socket.socket:
        sock = real(*arguments, **words)
        sock.setsockopt(socket.IPPROTO_TCP, 27, 1)
        return sock

    Noting.seen = []
    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_server", create)
        context = a_server(Noting)
        port = context.__enter__()
    try:
        yield port
    finally:
        context.__exit__(None, None, None)


def asked(port: int, rule: str, *paths: str, mode: str = "http") -> list[int]:
    """The bytes of the connections that the server saw, when one client has asked for these paths."""
    whole = Whole(DEFAULTS + CONFIGURATION.format(port=port, rule=rule, mode=mode), 1)
    try:
        with whole.connect() as client:
            for path in paths:
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                assert answer(client).endswith(b"ok")
    finally:
        whole.end()
    return Noting.seen


def test_of_one_request(saving: int) -> None:
    rule = "http-request set-bc-tos 0x10 if { path /a }\n"
    rule += "    http-request set-bc-tos req.hdr(host),length,mul(32) if { path /b }"
    # What the plain requests have is one connection; the others have one each.
    assert asked(saving, rule, "/", "/a", "/", "/a", "/b", "/") == [0, 0x10, 0x10, 0x20]


def test_of_a_tcp_connection(saving: int) -> None:
    rule = "tcp-request content set-bc-tos 0x28"
    assert asked(saving, rule, "/", "/", mode="tcp") == [0x28]


def test_marks_that_are_not_allowed_are_left_out(saving: int) -> None:
    rule = "http-request set-bc-mark 7\n    http-request set-bc-tos 8"
    assert asked(saving, rule, "/", "/") == [8, 8]


def test_a_frontend_that_does_not_know_the_way_yet(saving: int) -> None:
    assert asked(saving, "http-request set-retries 2", "/", "/") == [0]
