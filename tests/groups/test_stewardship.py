"""The steward's process as the supervisor has it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest
from maniple.groups.foundation import FoundationError
from maniple.groups.stewardship import SILENT
from maniple.groups.tables import open_table
from maniple.pools.table_arrays import highest_writer
from maniple.pools.table_cells import Count
from maniple.tests.groups.stewards import Rig, accepts, configuration_of, ended, free_port


@pytest.fixture
def rig() -> Iterator[Rig]:
    one = Rig()
    yield one
    one.close()


def test_it_is_there_as_long_as_there_are_sections(rig: Rig) -> None:
    port = free_port()
    assert rig.stewardship.status() is None and rig.show() == "" and rig.show("pp") == "No such peers"
    rig.serve(configuration_of(port))
    pid = rig.stewardship.pid
    rig.until(lambda: "id=pp" in rig.show())
    assert accepts(port) and rig.show("dict", "pp") and rig.show("other") == "No such peers"
    status = rig.stewardship.status()
    assert status is not None and (status.pid, status.sections, status.deaths) == (pid, ("pp",), 0)
    assert open_table(rig.opened["pp/t"], 9).shared

    # The same again: it goes on.
    rig.serve(configuration_of(port))
    assert rig.stewardship.pid == pid
    # Another peer: the next one follows.
    rig.serve(configuration_of(port, free_port()))
    rig.until(lambda: rig.stewardship.pid not in (0, pid))
    assert ended(pid)
    rig.until(lambda: "id=you(remote,active)" in rig.show())
    assert accepts(port)
    # No section any more.
    rig.serve(configuration_of(port, more=" disabled\n"))
    rig.until(lambda: rig.stewardship.pid == 0)
    assert rig.stewardship.status() is None and not accepts(port)
    assert not open_table(rig.opened["pp/t"], 9).shared and rig.said.texts == []


def test_it_is_started_again(rig: Rig) -> None:
    rig.serve(configuration_of(free_port()))
    pid = rig.stewardship.pid
    rig.until(lambda: rig.show())
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: rig.stewardship.pid not in (0, pid))
    status = rig.stewardship.status()
    assert status is not None and status.deaths == 1
    assert "signal 9" in rig.said.texts[0] and rig.reports[0][1] == rig.said.texts[0]
    rig.until(lambda: "id=pp" in rig.show())
    # At once for the first time, later for the second.
    os.kill(rig.stewardship.pid, signal.SIGKILL)
    rig.until(lambda: rig.stewardship.pid == 0)
    assert "steward" in rig.timetable
    # Who asks meanwhile is told.
    assert rig.show() == ""
    rig.until(lambda: rig.stewardship.pid)


def test_one_that_does_not_answer_is_killed(rig: Rig) -> None:
    rig.serve(configuration_of(free_port()))
    pid = rig.stewardship.pid
    rig.until(lambda: rig.show())
    os.kill(pid, signal.SIGSTOP)
    rig.stewardship._heard -= SILENT
    rig.stewardship._look()
    rig.until(lambda: rig.stewardship.pid not in (0, pid))
    assert "has not answered" in rig.said.texts[0]


def test_one_that_does_not_end_is_killed_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maniple.groups.stewardship._END", 0.05)
    rig.serve(configuration_of(free_port()))
    pid = rig.stewardship.pid
    os.kill(pid, signal.SIGSTOP)
    rig.serve(configuration_of(free_port()))
    rig.until(lambda: rig.stewardship.pid not in (0, pid))
    os.kill(rig.stewardship.pid, signal.SIGSTOP)
    rig.stewardship.stop()
    assert rig.stewardship.pid == 0 and rig.said.texts == []


def test_a_socket_that_cannot_be_had_is_an_error_and_changes_nothing(rig: Rig) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(FoundationError, match="peers pp: cannot bind socket"):
            rig.serve(configuration_of(taken.getsockname()[1]))
    assert rig.stewardship.pid == 0


def test_tables_that_know_it_need_not_learn_again(rig: Rig) -> None:
    """Nobody is there: after a while what there is is all. The next steward does not wait."""
    port, there = free_port(), free_port()
    rig.serve(configuration_of(port, there))
    rig.until(lambda: rig.show())
    assert "resync=remote" in rig.show()
    rig.stewardship._unlearned.clear()
    rig.serve(configuration_of(port, free_port()))
    rig.until(lambda: "resync=finished" in rig.show())


def test_columns_of_peers(rig: Rig) -> None:
    """Numbers that nobody had; what is in them goes with the peer."""
    before = rig.tables.engage(2)
    port = free_port()
    rig.serve(configuration_of(port, free_port(), mode="mode sum"))
    (writer,) = rig.stewardship.writers.values()
    assert writer not in before and rig.tables.others == {writer}
    rig.until(lambda: "mode=sum" in rig.show())
    segment = rig.opened["pp/t"]
    assert highest_writer(segment) >= writer
    theirs = open_table(segment, writer)
    cell = theirs.cell("gpc0")
    assert isinstance(cell, Count)
    slot = theirs.track(bytes(9), 0)
    cell.add(slot, 5, 0)
    rig.serve(configuration_of(port, free_port(), mode="mode sum"))
    assert list(rig.stewardship.writers.values()) == [writer] and cell.value(slot, 0) == 5
    rig.serve(configuration_of(port))
    rig.until(lambda: cell.value(slot, 0) == 0)
    assert rig.stewardship.writers == {} and rig.tables.others == set()


def test_the_next_program_goes_on(rig: Rig) -> None:
    port = free_port()
    rig.serve(configuration_of(port, free_port(), mode="mode sum"))
    rig.stewardship.stop()
    found = rig.stewardship.write()
    for one in found["sockets"]:
        one["socket"] = os.dup(one["socket"])
    other = Rig()
    try:
        other.stewardship.read(found)
        other.serve(configuration_of(port, free_port(), mode="mode sum"))
        assert other.stewardship.writers == rig.stewardship.writers
        rig.stewardship.close()
        other.until(lambda: other.show())
        assert accepts(port)
    finally:
        other.close()
