"""Peers sections as the supervisor has them, without groups."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable

from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.groups.notices import Notices
from maniple.groups.privileges import Identity
from maniple.groups.steering import Answer
from maniple.groups.stewardship import Stewardship
from maniple.groups.tables import Tables
from maniple.groups.timetable import Timetable
from maniple.pools.segment import Segment

PATIENCE = 10.0
TABLE = "type string len 9 size 20 expire 1h store gpc0"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configuration_of(port: int, there: int = 0, *, mode: str = "", name: str = "me", more: str = "") -> Configuration:
    """A section `pp` that listens on the port, with a peer `you`, and its table `t`."""
    text = (
        f"global\n localpeer {name}\npeers pp\n bind 127.0.0.1:{port}\n server {name}\n {mode}\n table t {TABLE}\n"
        + (f" server you 127.0.0.1:{there}\n" if there else "")
        + more
        + "frontend f\n bind :80\n timeout client 1s\n"
    )
    configuration, diagnostics = load([("x.cfg", text)], {})
    assert configuration is not None, diagnostics.render()
    return configuration


class Said(Notices):
    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.texts: list[str] = []

    def warning(self, text: str) -> None:
        self.texts.append(text)

    alert = warning


class Rig:
    """A stewardship with its loop. To be closed."""

    def __init__(self) -> None:
        self.said = Said()
        self.timetable = Timetable()
        self.tables = Tables()
        self.selector = selectors.DefaultSelector()
        self.reports: list[tuple[int, str]] = []
        self.stewardship = Stewardship(
            self.tables, self.said, self.timetable, self.selector, lambda *report: self.reports.append(report)
        )
        self.tables.fill = lambda spec, segment, before: self.stewardship.made(segment)
        self.opened: dict[str, Segment] = {}
        self.knowing = False
        """Tables need not learn what peers know: their lessons would overwrite what is counted meanwhile."""
        self._generations: list[dict[str, Segment]] = []

    def serve(self, configuration: Configuration) -> None:
        """A start, or a reload."""
        opened = self.tables.open(configuration, self.opened)
        self._generations.append(opened)
        self.stewardship.prepare(configuration, opened)
        self.opened = opened
        if self.knowing:
            self.stewardship._unlearned.clear()
        self.stewardship.set(configuration, opened, Identity())

    def turn(self) -> None:
        """One turn of the supervisor's loop."""
        for key, _ in self.selector.select(0.005):
            if self.selector.get_map().get(key.fd) is key:
                key.data()
        self.timetable.keep(time.monotonic())
        self.stewardship.child_ended()

    def until(self, met: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not met():
            assert time.monotonic() < end, self.said.texts
            self.turn()

    def show(self, *words: str) -> str:
        """What `show peers` answers."""
        found: list[str] = []
        self.stewardship.show(words, Answer(lambda lines, ok: found.append("\n".join(lines))))
        self.until(lambda: found)
        return found[0]

    def close(self) -> None:
        self.stewardship.close()
        self.selector.close()
        for opened in self._generations:
            self.tables.close(opened)


def ended(pid: int) -> bool:
    """No such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def accepts(port: int) -> bool:
    with socket.socket() as link:
        link.settimeout(PATIENCE)
        return link.connect_ex(("127.0.0.1", port)) == 0
