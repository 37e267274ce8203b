from __future__ import annotations

import os
import signal
import time

import pytest
from maniple.cli.children import ChildProcess


def wait_for_end(child: ChildProcess) -> int:
    deadline = time.monotonic() + 10
    while child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert child.code is not None
    return child.code


def wait_for_signal() -> int:
    signal.pause()
    return 0


@pytest.mark.parametrize("code", [0, 3])
def test_exit_code_is_what_it_returned(code: int) -> None:
    assert wait_for_end(ChildProcess(lambda: code)) == code


def test_exception_is_shown_and_is_exit_code_1(capfd: pytest.CaptureFixture[str]) -> None:
    def run() -> int:
        raise ValueError("told")

    assert wait_for_end(ChildProcess(run)) == 1
    assert "ValueError: told" in capfd.readouterr().err


def test_system_exit_is_its_code() -> None:
    def run() -> int:
        raise SystemExit(4)

    assert wait_for_end(ChildProcess(run)) == 4


def test_end_asks_first() -> None:
    child = ChildProcess(wait_for_signal)
    assert child.poll() is None
    child.end()
    assert child.code == -signal.SIGTERM
    child.end()  # again: nothing to do


def test_end_kills_what_does_not_listen() -> None:
    reader, writer = os.pipe()

    def run() -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(writer, b"x")
        while True:
            signal.pause()

    child = ChildProcess(run)
    assert os.read(reader, 1) == b"x"
    child.end(patience=0.05)
    assert child.code == -signal.SIGKILL
    os.close(reader)
    os.close(writer)


def test_child_ignores_ctrl_c() -> None:
    reader, writer = os.pipe()

    def run() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        os.write(writer, b"alive")
        return 0

    child = ChildProcess(run)
    assert os.read(reader, 5) == b"alive"
    assert wait_for_end(child) == 0
    os.close(reader)
    os.close(writer)


def test_child_does_not_outlive_a_killed_parent() -> None:
    reader, writer = os.pipe()

    def parent() -> int:
        child = ChildProcess(wait_for_signal)
        os.write(writer, str(child.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert wait_for_end(ChildProcess(parent)) == -signal.SIGKILL
    os.close(writer)
    assert int(os.read(reader, 100)) > 0
    # The grandchild held the other end of the pipe: its end of file is the grandchild's end.
    deadline = time.monotonic() + 10
    os.set_blocking(reader, False)
    while True:
        assert time.monotonic() < deadline
        try:
            assert os.read(reader, 1) == b""
            break
        except BlockingIOError:
            time.sleep(0.005)
    os.close(reader)
