"""Idle clients: opened, answered, held, and counted when the other side closes them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from maniple.perf.load import IdleClients, complete, count_closed
from maniple.perf.origin import Origin
from maniple.perf.processes import ProcessFault, free_port

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "whole"), [(b"", False), (ANSWER[:-1], False), (ANSWER + b"ab", False), (ANSWER + b"abc", True)]
)
def test_complete(answer: bytes, whole: bool) -> None:
    assert complete(answer) is whole


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 No\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"])
def test_anything_else_is_an_error(answer: bytes) -> None:
    with pytest.raises(ConnectionError):
        complete(answer)


def test_count_closed() -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    for near, _ in pairs:
        near.setblocking(False)
    pairs[1][1].close()
    assert count_closed([near for near, _ in pairs]) == 1
    for pair in pairs:
        for end in pair:
            end.close()


def test_idle_clients(tmp_path: Path) -> None:
    with Origin(tmp_path, None) as origin, IdleClients(tmp_path, origin.port, 150, "/small", None) as idle:
        assert idle.wait_ready() == 150
        assert idle.released() == 0


def test_nobody_there(tmp_path: Path) -> None:
    with (
        IdleClients(tmp_path, free_port(), 1, "/", None) as idle,
        pytest.raises(ProcessFault, match="idle connections"),
    ):
        idle.wait_ready()
