"""Lines on the standard error, in HAProxy's form: `[ALERT]    (<pid>) : <text>`. Scripts and alert rules read them.

Owns: the form and who is told (`-q` silences all but alerts). Must not know: logs, which go through a runtime.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO


class Notices:
    """Where the supervisor tells the person who started it. The process id is that of the moment."""

    __slots__ = ("_stream", "quiet")

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self._stream = stream

    def alert(self, text: str) -> None:
        self._write("[ALERT]   ", text)

    def warning(self, text: str) -> None:
        if not self.quiet:
            self._write("[WARNING] ", text)

    def notice(self, text: str) -> None:
        if not self.quiet:
            self._write("[NOTICE]  ", text)

    def lines(self, text: str) -> None:
        """Text that has its form already, such as a configuration's errors."""
        self._put(text.rstrip("\n") + "\n")

    def _write(self, level: str, text: str) -> None:
        self._put(f"{level} ({os.getpid()}) : {text}\n")

    def _put(self, text: str) -> None:
        stream = self._stream or sys.stderr
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more (a closed pipe, or the descriptor is gone): that is no reason to stop serving.
            pass
