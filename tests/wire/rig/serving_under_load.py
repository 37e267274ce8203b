"""One maniple under load, the beginning of every test of what must not disturb clients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maniple.tests.wire.rig.serving import HOST, Ports, Serving, Traffic

PLAIN = """\
global
    nbgroup {groups}
    nbthread {groups}
    stats socket $control level admin expose-fd listeners
    {tune}
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-keep-alive 30s

frontend clients
{binds}
    default_backend origin

backend origin
    server one 127.0.0.1:{origin} maxconn 1000
"""


class Rig:
    """One maniple and its traffic."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = Ports()
        self.port = self.ports.take()
        self.traffic: Traffic
        self.serving: Serving

    def start(self, groups: int = 2, tune: str = "", *, think: float = 0.1, flags: Sequence[str] | None = None) -> None:
        """`tune`: a line of the global section; `flags`: of maniple-haproxy (None: it is `maniple run`)."""
        self._lines = (groups, tune)
        self.traffic = Traffic([self.port], think=think)
        self.serving = Serving(self.folder, self.text([self.port]), flags=flags)
        self.serving.wait_ready()

    def begin(self) -> None:
        """Clients come, and some have been answered."""
        self.traffic.begin()
        self.traffic.wait_for(100)

    def text(self, ports: Sequence[int]) -> str:
        """A configuration that serves these ports."""
        return PLAIN.format(
            groups=self._lines[0],
            tune=self._lines[1],
            binds="\n".join(f"    bind {HOST}:{port}" for port in ports),
            origin=self.traffic.origin,
        )

    def close(self) -> None:
        self.traffic.close()
        self.serving.close()
        self.ports.close()


def assert_nothing_lost(counts: dict[str, int]) -> None:
    assert counts["ok"]
    assert set(counts) <= {"ok", "closed idle"}, counts
