"""How entries are shown and chosen. The texts are HAProxy's (tests/wire/test_table_commands.py asks it)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from maniple.groups.table_texts import EntryText, Filter, Refused, assign, find_type, key_text, read_number, table_line
from maniple.groups.tables import open_table
from maniple.pools.table import Table, create_table
from maniple.pools.table_shape import KINDS, Stored, TableShape

NOW = 1_000_000
STORED = (
    Stored("bytes_in_cnt"),
    Stored("gpc", 3),
    Stored("gpc_rate", 2, 10_000),
    Stored("gpt", 2),
    Stored("server_id"),
    Stored("server_key"),
    Stored("conn_rate", 1, 30_000),
    Stored("conn_cur"),
)


@pytest.fixture
def table() -> Iterator[Table]:
    segment = create_table("t", TableShape("integer", 4, 10, 5000, True, STORED), 7)
    made = open_table(segment, 0)
    yield made
    made.close()
    segment.close()


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("ip", bytes((1, 2, 3, 4)), "1.2.3.4"),
        ("ipv6", bytes(15) + b"\1", "::1"),
        ("integer", b"\xff\xff\xff\xfb", "4294967291"),
        ("binary", b"ab\0\0", "61620000"),
        ("string", b"a b=c\\d\t\n\r\x1b\0\0", "a\\ b\\=c\\\\d\\t\\n\\r\\e"),
        ("string", b"'\"|~\x7f\x80\x01\xc3\xa9", "'\"|~\\x7F\\x80\\x01\\xC3\\xA9"),
    ],
)
def test_keys(kind: str, key: bytes, text: str) -> None:
    assert key_text(TableShape(kind, len(key), 10), key) == text


def test_an_entry(table: Table) -> None:
    slot = table.track(b"\0\0\0\5", NOW)
    words = "data.gpc1 4 data.gpt 5 data.server_id -2 data.conn_rate 6 data.bytes_in_cnt -1 data.gpc1_rate 7"
    assign(table, slot, words.split(), NOW)
    table.keep(slot)
    key = table.cell("server_key")
    assert key is not None
    key.set(slot, table.names.number("sé".encode()), NOW)
    assert table_line(table) == "# table: t, type: integer, size:10, used:1"
    assert EntryText(table).line(slot, NOW + 1000) == (
        f"0x{slot:x}: key=5 use=1 exp=4000 shard=0 server_id=-2 conn_rate(30000)=6 conn_cur=0"
        " bytes_in_cnt=18446744073709551615 server_key=sé gpt0=5 gpt1=0 gpc0=0 gpc1=4 gpc2=0"
        " gpc0_rate(10000)=0 gpc1_rate(10000)=7"
    )


def test_an_entry_that_never_expires() -> None:
    segment = create_table("t", TableShape("integer", 4, 10, 0, True, (Stored("server_key"),)), 7)
    table = open_table(segment, 0)
    slot = table.track(bytes(4), NOW)
    assert EntryText(table).line(slot, NOW) == f"0x{slot:x}: key=0 use=0 exp=0 shard=0 server_key=-"
    table.close()
    segment.close()


def test_every_data_type_is_shown() -> None:
    stored = tuple(Stored(name, 1, 1000 if name.endswith("_rate") else 0) for name in KINDS)
    segment = create_table("t", TableShape("integer", 4, 10, 0, True, stored), 7)
    table = open_table(segment, 0)
    assert EntryText(table).line(table.track(bytes(4), NOW), NOW).count("=") == 4 + len(KINDS)
    table.close()
    segment.close()


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("data.gpc", ("gpc", 0)),
        ("data.gpc0", ("gpc", 0)),
        ("data.gpc2", ("gpc", 2)),
        ("data.gpc1_rate", ("gpc_rate", 1)),
        ("data.gpt1", ("gpt", 1)),
        ("data.conn_cur", ("conn_cur", 0)),
        ("data.gpc3", "Unknown data type"),
        ("data.gpc(1)", "Unknown data type"),
        ("data.", "Unknown data type"),
        ("gpc", "Unknown data type"),
        ("data.sess_cnt", "Data type not stored in this table"),
    ],
)
def test_types(table: Table, word: str, found: tuple[str, int] | str) -> None:
    if isinstance(found, str):
        with pytest.raises(Refused) as refused:
            find_type(table.shape, word)
        assert str(refused.value) == found
    else:
        assert find_type(table.shape, word) == found


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("0", 0),
        ("-1", -1),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", None),
        ("-9223372036854775809", None),
        ("99999999999999999999999", None),
        ("+1", None),
        ("0x1", None),
        ("1x", None),
        ("-", None),
        ("", None),
        ("²", None),
    ],
)
def test_numbers(word: str, number: int | None) -> None:
    assert read_number(word) == number


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("", True),
        ("data.gpc1 eq 4", True),
        ("data.gpc1 ne 4", False),
        ("data.gpc1 gt 3 data.gpc1 lt 5 data.gpc1 ge 4 data.gpc1 le 4", True),
        ("data.gpc1 gt 3 data.gpc1 lt 4", False),
        ("data.server_id lt 0", True),
        ("data.bytes_in_cnt gt -1", True),
        ("data.server_key eq 0", True),
        ("data.conn_rate ge 6", True),
    ],
)
def test_filters(table: Table, words: str, meant: bool) -> None:
    slot = table.track(b"\0\0\0\5", NOW)
    assign(table, slot, ["data.gpc1", "4", "data.server_id", "-2", "data.conn_rate", "6", "data.server_key", "9"], NOW)
    assert Filter(table.shape, words.split()).bind(table)(slot, NOW) is meant


def test_a_change_is_made_up_to_what_is_wrong(table: Table) -> None:
    slot = table.track(b"\0\0\0\5", NOW)
    with pytest.raises(Refused, match="valid integer value to store"):
        assign(table, slot, ["data.gpc", "4294967297", "data.gpt", "x", "data.server_id", "1"], NOW)
    line = EntryText(table).line(slot, NOW)
    assert " gpc0=1 " in line and " server_id=0 " in line
