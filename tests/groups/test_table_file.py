from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.groups.table_file import Block, TableFileError, dump, load, read_file, write_file
from maniple.pools.table import Table
from maniple.pools.table_shape import Stored
from maniple.tests.pools.tables import key, make_shape, opened

STORED = (
    Stored("gpc", 2),
    Stored("gpt0"),
    Stored("http_req_rate", 1, 1000),
    Stored("conn_cur"),
    Stored("server_key"),
)
NOW, DATE = 50_000, 1_700_000_000_000


def put(table: Table, number: int, **values: int) -> None:
    slot = table.track(key(number), NOW)
    for name, value in values.items():
        found = table.cell("gpc" if name.startswith("gpc") else name, int(name[3:]) if name.startswith("gpc") else 0)
        assert found is not None
        found.set(slot, value, NOW)
    table.release(slot)


def look(table: Table, number: int, name: str, element: int = 0, now: int = NOW) -> int | None:
    slot = table.hold(key(number), now)
    if not slot:
        return None
    cell = table.cell(name, element)
    assert cell is not None
    table.release(slot)
    return cell.value(slot, now)


def test_entries_come_back_with_what_is_left_of_their_time(tmp_path: Path) -> None:
    path = str(tmp_path / "tables")
    with opened(make_shape(10, 10_000, True, *STORED)) as (table,):
        put(table, 1, gpc0=5, gpc1=6, gpt0=7, http_req_rate=8, conn_cur=9, server_key=table.names.number(b"s1"))
        put(table, 2, gpc0=50)
        table.date(table.hold(key(2), NOW), NOW + 300)
        write_file(path, [dump(table, NOW, DATE)])
    with opened(make_shape(10, 10_000, True, *STORED)) as (table,):
        blocks, complaint = read_file(path)
        assert complaint == "" and [block.name for block in blocks] == ["t"]
        later = 90_000
        # A quarter of a second passed on the clock of dates.
        assert load(table, blocks[0], later, DATE + 250) == 2
        assert [look(table, 1, "gpc", element, later) for element in (0, 1)] == [5, 6]
        assert look(table, 1, "gpt0", 0, later) == 7
        assert look(table, 1, "http_req_rate", 0, later) == 6
        assert look(table, 1, "conn_cur", 0, later) == 0
        assert table.names.text(look(table, 1, "server_key", 0, later) or 0) == b"s1"
        slot = table.hold(key(1), later)
        assert table.remaining(slot, later) == 9_750
        table.release(slot)
        assert look(table, 2, "gpc", 0, later) == 50
        assert look(table, 2, "gpc", 0, later + 51) is None
    with opened(make_shape(10, 10_000, True, *STORED)) as (table,):
        assert load(table, blocks[0], later, DATE + 300) == 1


def test_other_shapes_take_what_they_know(tmp_path: Path) -> None:
    with opened(make_shape(10, 10_000, True, *STORED)) as (table,):
        put(table, 1, gpc0=5, gpc1=6, gpt0=7, http_req_rate=8)
        block = dump(table, NOW, DATE)
    other = (Stored("gpc", 1), Stored("http_req_rate", 1, 5000), Stored("gpc1"), Stored("gpt0"))
    with opened(make_shape(1, 100, True, *other)) as (table,):
        assert load(table, block, NOW, DATE) == 1
        assert [look(table, 1, name) for name in ("gpc", "http_req_rate", "gpc1", "gpt0")] == [5, 0, 0, 7]
        slot = table.hold(key(1), NOW)
        assert table.remaining(slot, NOW) == 100
    with opened(make_shape(10, 100, width=5)) as (table,), pytest.raises(TableFileError, match="of 4 bytes, not"):
        load(table, block, NOW, DATE)


def test_what_the_table_knows_is_not_overwritten() -> None:
    with opened(make_shape(10, 10_000, True, *STORED)) as (table,):
        put(table, 1, gpc0=5)
        block = dump(table, NOW, DATE)
        put(table, 1, gpc0=6)
        assert load(table, block, NOW, DATE) == 0
        assert look(table, 1, "gpc") == 6


def test_entries_without_expiry_have_none() -> None:
    with opened(make_shape(10, 0, True, *STORED)) as (table,):
        put(table, 1, gpc0=5)
        block = dump(table, NOW, DATE)
        assert block.entries[0][1] is None
    with opened(make_shape(10, 0, True, *STORED)) as (table,):
        assert load(table, block, NOW, DATE + 10**9) == 1
        assert look(table, 1, "gpc", 0, NOW + 10**9) == 5


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("file") / "tables"
    blocks = [
        Block(
            name, "binary", 4, (Stored("gpc0"),), DATE, tuple((key(number), 100, ((number,),)) for number in range(3))
        )
        for name in ("one", "two")
    ]
    write_file(str(path), blocks)
    return path.read_bytes()


def test_damage_at_any_byte_is_told_and_nothing_is_half_read(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tables"
    path.write_bytes(whole)
    full, complaint = read_file(str(path))
    assert len(full) == 2 and not complaint
    for place in range(len(whole)):
        for damaged in (whole[:place], whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :]):
            path.write_bytes(damaged)
            blocks, complaint = read_file(str(path))
            assert blocks == full[: len(blocks)]
            assert complaint


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_anything_else_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(content)
    assert read_file(str(path))[0] == []
    path.write_bytes(b"maniple table-file 1\n" + content)
    assert read_file(str(path))[0] == []


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tables"
    path.write_bytes(b"before")

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError):
        write_file(str(path), [])
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["tables"]


def test_nobody_else_reads_a_new_file_and_the_mode_of_an_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "tables"
    write_file(str(path), [])
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    write_file(str(path), [])
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_where_the_draft_is_made_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    (tmp_path / ".tables.new").symlink_to(other)
    with pytest.raises(OSError):
        write_file(str(tmp_path / "tables"), [])
    assert other.read_bytes() == b"precious"
    # It is gone: the next time there is room.
    write_file(str(tmp_path / "tables"), [])
    assert read_file(str(tmp_path / "tables")) == ([], "")


def test_only_regular_files_are_read_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "tables"
    os.mkfifo(path)
    for use in (read_file, lambda path: write_file(path, [])):
        with pytest.raises(OSError, match="Invalid argument"):
            use(str(path))
    assert path.is_fifo() and os.listdir(tmp_path) == ["tables"]
