"""Definitions of tables: recorded ones, round trips, damage, what makes two of them differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.faults import MalformedFault, PeerFault
from maniple.core.peers.integers import encode_integer
from maniple.core.peers.tables import (
    ARRAYS,
    DATA_TYPES,
    Column,
    TableDefinition,
    decode_definition,
    difference,
    make_definition,
)
from maniple.tests.core.peers.samples import ARRAYED, EVERYTHING, GLITCHES, RECORDED_DEFINITIONS, definitions


@pytest.mark.parametrize(("number", "table", "recorded"), RECORDED_DEFINITIONS)
def test_recorded(number: int, table: TableDefinition, recorded: str) -> None:
    body = bytes.fromhex(recorded)[3:]
    assert decode_definition(body) == (number, table, table.name)
    assert table.encode(number) == body


@given(definitions(), st.integers(0, 1 << 32))
def test_round_trip(table: TableDefinition, number: int) -> None:
    assert decode_definition(table.encode(number)) == (number, table, table.name)


@given(definitions(), st.data())
def test_damaged(table: TableDefinition, data: st.DataObject) -> None:
    body = bytearray(table.encode(7))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    for damaged in (bytes(body), bytes(body[:cut])):
        try:
            decode_definition(damaged)
        except PeerFault:
            continue


@pytest.mark.parametrize("table", [ARRAYED, EVERYTHING, GLITCHES], ids=lambda table: table.name)
def test_cut_short(table: TableDefinition) -> None:
    body = table.encode(1)
    for length in range(len(body)):
        with pytest.raises(MalformedFault):
            decode_definition(body[:length])
    with pytest.raises(MalformedFault, match="bytes after"):
        decode_definition(body + b"\0")


def test_types_of_a_later_version_are_passed_over() -> None:
    plain = make_definition("t", "ip", 4, 0, [Column("gpc0")])
    newer = replace(plain, unknown=1 << 40)
    assert decode_definition(newer.encode(1) + b"\x28\x05") == (1, newer, "t")


def test_keys_of_an_unknown_type_have_no_table() -> None:
    body = make_definition("t", "ip", 4, 0, [Column("gpc0")]).encode(1)
    number, table, name = decode_definition(body[:3] + b"\x09" + body[4:])
    assert (number, table, name) == (1, None, "t")


@pytest.mark.parametrize(
    ("kind", "width"), [(4, 5), (2, 8), (5, 4), (6, 1), (6, 0), (7, 0), (7, 9000)], ids=lambda value: str(value)
)
def test_widths_that_cannot_be(kind: int, width: int) -> None:
    with pytest.raises(MalformedFault, match="keys of type"):
        decode_definition(b"\1\1t" + bytes((kind,)) + encode_integer(width) + b"\0\0")


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (lambda: Column("gpc9"), "no data type"),
        (lambda: Column("gpc0", 1, 5), "period"),
        (lambda: Column("gpc0_rate"), "period"),
        (lambda: Column("gpc", 101), "elements"),
        (lambda: Column("gpc0", 2), "elements"),
        (lambda: make_definition("t", "ip", 5, 0, []), "4 bytes"),
        (lambda: make_definition("t", "ip", 4, 0, [Column("gpc0")] * 2), "each once"),
    ],
)
def test_impossible_tables(column: object, text: str) -> None:
    assert callable(column)
    with pytest.raises(ValueError, match=text):
        column()


DIFFERENCES = [
    (make_definition("t", "ip", 4, 5, [Column("gpc0"), Column("gpt0")]), ""),
    (make_definition("t", "ipv6", 16, 0, [Column("gpc0")]), "its keys are ipv6 of 16 bytes, ours ip of 4"),
    (
        make_definition("t", "ip", 4, 0, [Column("gpc0_rate", 1, 5)]),
        "its gpc0_rate has a period of 5 ms, ours of 9",
    ),
    (make_definition("t", "ip", 4, 0, [Column("gpc", 3)]), "its gpc has 3 elements, ours 2"),
]


@pytest.mark.parametrize(("theirs", "reason"), DIFFERENCES)
def test_difference(theirs: TableDefinition, reason: str) -> None:
    ours = make_definition("t", "ip", 4, 0, [Column("gpc0_rate", 1, 9), Column("gpc", 2)])
    assert difference(ours, theirs) == reason


def test_arrays_are_types() -> None:
    assert set(DATA_TYPES) > ARRAYS
