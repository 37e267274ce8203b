"""A process beside the groups."""

from __future__ import annotations

import os
import signal
import sys

from maniple.groups.lone_process import fork_alone


def test_it_has_streams_and_what_is_kept() -> None:
    reader, writer = os.pipe()
    other, another = os.pipe()
    try:

        def work() -> int:
            left = [int(one) for one in os.listdir("/proc/self/fd") if int(one) > 2]
            blocked = signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
            os.write(writer, f"{other in left} {writer in left} {blocked}".encode())
            return 7

        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        pid = fork_alone(work, [writer])
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert os.read(reader, 100) == b"False True True"
    finally:
        for one in (reader, writer, other, another):
            os.close(one)


def test_what_it_raises_is_its_end(capfd, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    # The stream of pytest has another descriptor.
    def work() -> int:
        monkeypatch.setattr(sys, "stderr", open(2, "w", closefd=False))  # noqa: SIM115
        raise RuntimeError("broken")

    pid = fork_alone(work, [])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert "RuntimeError: broken" in capfd.readouterr().err
