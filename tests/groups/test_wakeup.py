from __future__ import annotations

import os
import signal

import pytest
from maniple.groups.wakeup import SignalPipe


def test_signals_are_read_in_order_and_dispositions_come_back() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    wakeup = signal.set_wakeup_fd(-1)
    with SignalPipe((signal.SIGUSR1, signal.SIGHUP)) as pipe:
        assert pipe.read() == []
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        assert pipe.read() == [signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1]
        assert pipe.read() == []
        fd = pipe.fileno()
    assert signal.getsignal(signal.SIGUSR1) is before
    assert signal.set_wakeup_fd(wakeup) == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_closing_twice_is_allowed() -> None:
    with SignalPipe(()) as pipe:
        pipe.close()
        pipe.close()
        signal.set_wakeup_fd(-1)
