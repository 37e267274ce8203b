"""Messages to the service manager: sd_notify(3), without its library.

Owns: the protocol, and what the environment says about it. Must not know: when anything is said. Invariant: nothing
here raises or waits: a service manager that does not listen must not keep us from serving.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Does nothing where the environment names no socket."""

    __slots__ = ("_address", "period")

    def __init__(self, environment: Mapping[str, str] | None = None, pid: int | None = None) -> None:
        """`pid`: the process that serves as the main one; a watchdog meant for another is not ours."""
        environment = os.environ if environment is None else environment
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = ""
        if path.startswith("/"):
            self._address = path
        elif path.startswith("@"):
            self._address = "\0" + path[1:]
        self.period: float | None = None
        """Seconds between two calls of `ping`: half of what the service manager waits; None: it does not watch."""
        if self._address:
            self.period = _watchdog_period(environment, os.getpid() if pid is None else pid)

    def __bool__(self) -> bool:
        """Somebody listens."""
        return bool(self._address)

    def ready(self, status: str = "") -> None:
        """After the start, and after a reload, whatever came of it."""
        self._send("READY=1", status)

    def reloading(self, status: str = "") -> None:
        """`Type=notify-reload` wants the time on the monotonic clock, in microseconds, before READY=1 comes again."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now}", status)

    def stopping(self, status: str = "") -> None:
        self._send("STOPPING=1", status)

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send("", text)

    def main_pid(self, pid: int | None = None) -> None:
        """Which process is the service: a daemon is not the one that was started."""
        self._send(f"MAINPID={os.getpid() if pid is None else pid}")

    def ping(self) -> None:
        """We are alive."""
        self._send("WATCHDOG=1")

    def _send(self, message: str, status: str = "") -> None:
        if not self._address:
            return
        if status:
            line = " ".join(status.split())
            message = f"{message}\nSTATUS={line}" if message else f"STATUS={line}"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sock:
                sock.sendto(message.encode("utf-8", "replace"), self._address)
        except OSError:
            pass


def _watchdog_period(environment: Mapping[str, str], pid: int) -> float | None:
    """sd_watchdog_enabled(3): without WATCHDOG_PID it is meant for whoever sees the variables."""
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", ""))
        wanted = int(environment.get("WATCHDOG_PID", "") or pid)
    except ValueError:
        return None
    return microseconds / 2e6 if microseconds > 0 and wanted == pid else None
