from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maniple.groups.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


SAID: list[tuple[Callable[[Notifier], None], str]] = [
    (lambda notifier: notifier.ready(), "READY=1"),
    (lambda notifier: notifier.ready("4 groups"), "READY=1\nSTATUS=4 groups"),
    (lambda notifier: notifier.stopping(), "STOPPING=1"),
    (lambda notifier: notifier.status("a\nb"), "STATUS=a b"),
    (lambda notifier: notifier.main_pid(7), "MAINPID=7"),
    (lambda notifier: notifier.main_pid(), f"MAINPID={os.getpid()}"),
    (lambda notifier: notifier.ping(), "WATCHDOG=1"),
]


@pytest.mark.parametrize(("say", "told"), SAID, ids=[told.partition("=")[0] for _, told in SAID])
def test_messages(manager: socket.socket, say: Callable[[Notifier], None], told: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    assert notifier
    say(notifier)
    assert manager.recv(1000).decode() == told


def test_reloading_tells_the_time(manager: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    Notifier({"NOTIFY_SOCKET": manager.getsockname()}).reloading("new files")
    match = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=new files", manager.recv(1000).decode())
    assert match and before <= int(match[1]) <= time.monotonic_ns() // 1000


def test_abstract_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{tmp_path}/notify")
        sock.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{tmp_path}/notify"}).ready()
        assert sock.recv(100) == b"READY=1"


@pytest.mark.parametrize("path", ["", "relative", "/nobody/listens/there"])
def test_nobody_listens(path: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": path})
    notifier.ready()
    notifier.ping()
    assert bool(notifier) == path.startswith("/")


def test_nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not Notifier() and Notifier().period is None


@pytest.mark.parametrize(
    ("variables", "period"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "42"}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
        ({}, None),
    ],
)
def test_watchdog(variables: dict[str, str], period: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/x", **variables}, pid=42).period == period
    assert Notifier(variables, pid=42).period is None
