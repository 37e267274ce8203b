"""`maniple upgrade`: the supervisor executes the program's present files in its own place.

Owns: the trial before it, and the execution. Must not know: how the next program takes over (supervisor, handover).

Theory. The process stays the same one (a container's first process may not end, a service manager knows it by its
number), so there is no way back once it is executed. Therefore the present files are first tried in another process: it
reads the configuration with the same command line, imports all that serving needs, and ends. Only after that are the
descriptors left behind and the program executed. Signals are blocked meanwhile; the next program unblocks them. Groups
go on serving all the time: they are children of the process, not of the program.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..core.config.model import Configuration
from .foundation import plan
from .handover import PREFLIGHT, VARIABLE, descriptors_of, leave
from .messages import PROTOCOL

LONGEST_TRIAL = 30.0
"""Seconds."""


class Trial:
    """The present files in a process of their own. `done` is called once: with "" or with what was wrong."""

    def __init__(self, done: Callable[[str], None], environment: Mapping[str, str] | None = None) -> None:
        """Starts it. Raises OSError."""
        self._done = done
        self._due = time.monotonic() + LONGEST_TRIAL
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - read when it has ended
        variables = dict(os.environ if environment is None else environment)
        variables[PREFLIGHT] = str(PROTOCOL)
        try:
            self._process = subprocess.Popen(
                command(), env=variables, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT
            )
        except OSError:
            self._output.close()
            raise

    def look(self) -> None:
        """Some child may be dead, or time has passed."""
        code = self._process.poll()
        if code is None and time.monotonic() >= self._due:
            self._process.kill()
            code = self._process.wait()
        if code is not None:
            self._output.seek(0)
            said = self._output.read(65536).decode("utf-8", "replace").strip()
            self._output.close()
            self._done("" if code == 0 else said or f"the new program ended with code {code}")

    def stop(self) -> None:
        """We end, and it with us."""
        self._process.kill()
        self._process.wait()
        self._output.close()


def command() -> list[str]:
    """The command line that we were started with."""
    return [sys.executable, *sys.orig_argv[1:]]


def execute(found: dict[str, Any]) -> None:
    """Leaves `found` to the program's present files and becomes them. Raises OSError when that cannot be done, and then
    nothing has changed."""
    descriptor = leave(found)
    handed = [descriptor, *descriptors_of(found)]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        for one in handed:
            os.set_inheritable(one, True)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, command(), {**os.environ, VARIABLE: str(descriptor)})
    except OSError:
        for one in handed:
            with contextlib.suppress(OSError):
                os.set_inheritable(one, False)
        os.close(descriptor)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def is_trial(environment: Mapping[str, str] = os.environ) -> bool:
    """We are the trial of an upgrade: say whether we could serve, and end."""
    return PREFLIGHT in environment


def fits(configuration: Configuration, environment: Mapping[str, str] = os.environ) -> str:
    """In the trial: "" when we understand what the program before leaves to us and could serve it, else why not."""
    if environment.get(PREFLIGHT) != str(PROTOCOL):
        return "The new program's groups speak otherwise: a restart is needed."
    try:
        plan(configuration)
    except ValueError as error:
        return f"config : {error}"
    return ""
