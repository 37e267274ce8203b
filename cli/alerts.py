"""Complaints about a configuration in HAProxy's form, on the standard error.

Owns: the two lines that HAProxy puts before its first complaint, and how a report of ours reads in its words. Must not
know: flags, what is done about a complaint. Invariant: with `-q` not even alerts are shown, as with HAProxy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from ..core.config.diagnostics import Diagnostic
from ..groups.notices import Notices
from .version import SPOKEN_VERSION


class Alerts(Notices):
    """Notices that introduce themselves before the first alert or warning."""

    __slots__ = ("_introduced", "_program", "_silent")

    def __init__(self, program: str, quiet: bool = False, stream: TextIO | None = None) -> None:
        """`stream`: None is the standard error."""
        super().__init__(quiet, stream)
        self._program = program
        self._silent = quiet
        self._introduced = False

    def alert(self, text: str) -> None:
        if not self._silent:
            self._introduce()
            super().alert(text)

    def warning(self, text: str) -> None:
        if not self._silent:
            self._introduce()
            super().warning(text)

    def report(self, reports: Iterable[Diagnostic]) -> None:
        """All reports; after the errors of each file the line that names it, and after all errors the final one."""
        broken: list[str] = []
        for report in reports:
            if report.level == "error":
                if broken and broken[-1] != report.place.file:
                    self._name(broken[-1])
                if report.place.file not in broken:
                    broken.append(report.place.file)
                self.alert(wording(report))
            elif report.level == "warning":
                self.warning(wording(report))
            else:
                self.notice(wording(report))
        if broken:
            self._name(broken[-1])
            self.alert("config : Fatal errors found in configuration.")

    def _name(self, file: str) -> None:
        self.alert(f"config : Error(s) found in configuration file : {file}")

    def _introduce(self) -> None:
        if not self._introduced:
            self._introduced = True
            self.notice(f"haproxy version is {SPOKEN_VERSION}")
            self.notice(f"path to executable is {os.path.abspath(self._program)}")


def wording(report: Diagnostic) -> str:
    """`config : parsing [file:line] : message; hint`; without a line where the whole file is meant."""
    place = report.place
    where = f"parsing [{place.file}:{place.line}]" if place.line > 0 else f"[{place.file}]"
    hint = f"; {report.hint}" if report.hint else ""
    return f"config : {where} : {report.message}{hint}"
