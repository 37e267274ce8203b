from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.core.config.model import Configuration, Place
from maniple.core.config.table_spec import TableSpec
from maniple.groups.notices import Notices
from maniple.groups.table_file import read_file
from maniple.groups.table_keeper import TableKeeper
from maniple.groups.tables import Tables, open_table
from maniple.groups.timetable import Timetable
from maniple.pools.segment import Segment
from maniple.pools.table_shape import Stored, TableShape


class Said(Notices):
    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.texts: list[str] = []

    def warning(self, text: str) -> None:
        self.texts.append(text)

    alert = warning


class Rig:
    """A supervisor's tables, without a supervisor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said = Said()
        self.timetable = Timetable()
        self.tables = Tables()
        self.keeper = TableKeeper(self.tables, self.said, self.timetable)
        self.tables.fill = self.keeper.fill
        self.opened: list[dict[str, Segment]] = []

    def open(
        self, size: int = 100, kept: dict[str, Segment] | None = None, interval: int = 60_000, file: str = "tables"
    ) -> dict[str, Segment]:
        specs = {
            name: TableSpec(
                name,
                Place("x", 1),
                TableShape("ip", 4, size, 100_000, True, (Stored("gpc0"),)),
                file=str(self.path / file) if name != "forgotten" else "",
                file_interval=interval + 5000 * (name == "one"),
            )
            for name in ("one", "two", "forgotten")
        }
        configuration = Configuration(tables=specs)
        opened = self.tables.open(configuration, kept or {})
        self.keeper.set(specs, opened)
        self.opened.append(opened)
        return opened

    def save(self) -> None:
        self.keeper._save(str(self.path / "tables"))

    def close(self) -> None:
        self.keeper.finish()
        for opened in self.opened:
            self.tables.close(opened)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    one = Rig(tmp_path)
    yield one
    one.close()


def count(segment: Segment, value: int | None = None) -> int:
    table = open_table(segment, 0)
    now = time.monotonic_ns() // 1_000_000
    slot = table.track(b"abcd", now)
    cell = table.cell("gpc0")
    assert cell is not None
    if value is not None:
        cell.set(slot, value, now)
    found = cell.value(slot, now)
    table.release(slot)
    table.close()
    return found


def wait_for_writer(rig: Rig) -> None:
    deadline = time.monotonic() + 20
    while rig.keeper._pid:
        assert time.monotonic() < deadline
        os.waitid(os.P_PID, rig.keeper._pid, os.WEXITED | os.WNOWAIT)
        rig.keeper.child_ended()


def test_written_at_the_end_and_read_at_the_start(rig: Rig, tmp_path: Path) -> None:
    opened = rig.open()
    for name, value in (("one", 1), ("two", 2), ("forgotten", 3)):
        count(opened[name], value)
    rig.close()
    rig.opened.clear()
    again = Rig(tmp_path)
    opened = again.open()
    assert {name: count(segment) for name, segment in opened.items()} == {"one": 1, "two": 2, "forgotten": 0}
    assert again.said.texts == []
    again.close()


def test_written_from_time_to_time_by_another_process(rig: Rig, tmp_path: Path) -> None:
    opened = rig.open()
    count(opened["one"], 7)
    due = rig.timetable.due()
    assert due is not None and time.monotonic() + 50 < due < time.monotonic() + 60
    rig.timetable.keep(due)
    pid = rig.keeper._pid
    assert pid
    # Not a second one while that writes.
    rig.save()
    assert rig.keeper._pid == pid
    wait_for_writer(rig)
    blocks, complaint = read_file(str(tmp_path / "tables"))
    assert complaint == "" and {block.name: len(block.entries) for block in blocks} == {"one": 1, "two": 0}
    assert rig.tables.engage(1) == (1,)
    assert rig.said.texts == []


def test_a_writer_that_fails_is_told(rig: Rig, tmp_path: Path) -> None:
    rig.open()
    (tmp_path / "tables").mkdir()
    rig.save()
    wait_for_writer(rig)
    assert len(rig.said.texts) == 1 and "cannot be written (Is a directory)" in rig.said.texts[0]
    rig.save()
    rig.keeper.stop()
    assert len(rig.said.texts) == 1
    (tmp_path / "tables").rmdir()


def test_a_damaged_file_is_told_and_kept(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "tables").write_bytes(b"rubbish")
    opened = rig.open()
    assert count(opened["one"]) == 0
    assert len(rig.said.texts) == 1 and "no table-file" in rig.said.texts[0]
    assert (tmp_path / "tables.damaged").read_bytes() == b"rubbish"


def test_what_is_no_file_stays_where_it_is(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    rig.open()
    assert len(rig.said.texts) == 1 and "cannot be read (Is a directory)" in rig.said.texts[0]
    assert os.listdir(tmp_path) == ["tables"]


def test_another_shape_takes_over_what_was_there(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    first = rig.open()
    for name, value in (("one", 1), ("forgotten", 3)):
        count(first[name], value)
    second = rig.open(200, first)
    assert second["one"] is not first["one"]
    assert {name: count(segment) for name, segment in second.items()} == {"one": 1, "two": 0, "forgotten": 3}
    monkeypatch.setattr("maniple.groups.table_keeper.CARRIED", 0)
    third = rig.open(300, second)
    assert count(third["one"]) == 0
    assert any("too many to take over" in text for text in rig.said.texts)


def test_without_files_nothing_is_appointed(rig: Rig) -> None:
    rig.open()
    assert rig.timetable.due() is not None
    rig.keeper.set({}, {})
    assert rig.timetable.due() is None


def test_the_shortest_interval_of_a_file_holds(rig: Rig) -> None:
    def ahead() -> float:
        due = rig.timetable.due()
        assert due is not None
        return due - time.monotonic()

    opened = rig.open(interval=600_000)
    assert 590 < ahead() < 600
    first = rig.timetable.due()
    opened = rig.open(kept=opened, interval=600_000)
    assert rig.timetable.due() == first
    opened = rig.open(kept=opened, interval=30_000)
    assert 20 < ahead() < 30
    rig.open(kept=opened, interval=100_000, file="others")
    assert 90 < ahead() < 100


def test_a_file_waits_for_another_one_that_is_written(rig: Rig) -> None:
    rig.open()
    rig.save()
    assert rig.keeper._pid
    rig.save()
    due = rig.timetable.due()
    assert due is not None and due < time.monotonic() + 2
    wait_for_writer(rig)


def test_what_other_machines_have_counted_is_not_ours_to_keep(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    now = time.monotonic_ns() // 1_000_000
    try:
        segment = rig.open()["one"]
        for writer, number in ((1, 3), (2, 4)):
            table = open_table(segment, writer)
            slot = table.track(b"\1\2\3\4", now)
            table.cell("gpc0").add(slot, number, 0)  # type: ignore[union-attr]
            table.release(slot)
            table.close()
        rig.tables.others = frozenset((2,))
        assert open_table(segment, 0).cell("gpc0").value(slot, 0) == 7  # type: ignore[union-attr]
        # Another shape, and what is written at the end.
        again = rig.open(200, kept=rig.opened[0])["one"]
        table = open_table(again, 0)
        assert table.cell("gpc0").value(table.hold(b"\1\2\3\4", now), 0) == 3  # type: ignore[union-attr]
    finally:
        rig.close()
    blocks, _ = read_file(str(tmp_path / "tables"))
    assert [entry[2] for block in blocks if block.name == "one" for entry in block.entries] == [((3,),)]
