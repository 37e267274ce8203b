from __future__ import annotations

import os
import signal

import pytest
from maniple.groups.forking import fork


def test_it_ends_with_what_the_work_says() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    pid = fork(lambda: 7 if signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()) else 8, failure=70)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_what_it_raises_is_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise SystemExit(3)

    pid = fork(work, failure=70)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 70


def test_no_room_leaves_the_signals_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(11, "no room")

    monkeypatch.setattr(os, "fork", refuse)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(OSError, match="no room"):
        fork(lambda: 0, failure=1)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
