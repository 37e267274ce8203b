"""When requests go to the backup backend, as a table; what that means for them is in tests/wire/test_backups.py."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.relay.spilling import spills, switch


@dataclass
class Half:
    """A backend: servers that are balanced over, and whether one has a free slot."""

    candidates: int
    room: bool
    sessions: int = 0

    def has_room(self) -> bool:
        return self.room


NOBODY, FULL, FREE = (0, False), (1, False), (1, True)


@pytest.mark.parametrize(
    ("main", "spare", "on_full", "expected"),
    [
        (NOBODY, FREE, False, True),
        (NOBODY, FULL, False, True),
        (NOBODY, NOBODY, False, False),
        (FULL, FREE, False, False),
        (FULL, FREE, True, True),
        (FULL, FULL, True, False),
        (FULL, NOBODY, True, False),
        (NOBODY, FULL, True, True),
    ],
)
def test_when(main: tuple[int, bool], spare: tuple[int, bool], on_full: bool, expected: bool) -> None:
    route: Any = SimpleNamespace(backend=Half(*main), backup=SimpleNamespace(backend=Half(*spare)), spills_full=on_full)
    assert spills(route) is expected


def test_switch() -> None:
    backup = SimpleNamespace(backend=Half(1, True))
    exchange: Any = SimpleNamespace(route=SimpleNamespace(backup=backup), dirty=False)
    switch(exchange)
    assert exchange.route is backup
    assert exchange.dirty
    assert backup.backend.sessions == 1
