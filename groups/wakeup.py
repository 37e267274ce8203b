"""Signals as numbers to be read: each one that the supervisor cares for becomes a byte in a pipe.

Owns: the pipe, and the dispositions while it is open. Must not know: what a signal means.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any


class SignalPipe:
    """Use it in a `with`, in the main OS thread; the former dispositions come back at the end."""

    __slots__ = ("_before", "_numbers", "_reader", "_wakeup_before", "_writer")

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = tuple(numbers)
        self._before: dict[int, Any] = {}
        self._reader = self._writer = self._wakeup_before = -1

    def __enter__(self) -> SignalPipe:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A full pipe holds 65536 unread signals: what is lost then repeats what is in it.
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._numbers:
            self._before[number] = signal.signal(number, _ignore)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup_before)
        for number, disposition in self._before.items():
            signal.signal(number, signal.SIG_DFL if disposition is None else disposition)
        self.close()

    def fileno(self) -> int:
        return self._reader

    def read(self) -> list[int]:
        """Signals since the last call, in the order of their arrival."""
        try:
            return list(os.read(self._reader, 65536))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Of the descriptors alone: what a forked child does, whose dispositions are its own matter."""
        if self._reader >= 0:
            os.close(self._reader)
            os.close(self._writer)
            self._reader = self._writer = -1


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Python writes the byte; there is nothing else to do."""
