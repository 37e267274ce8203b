"""Entries: recorded ones, round trips, damage."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.peers.dictionary import ReceivedTexts, SentTexts
from maniple.core.peers.entries import decode_entry, encode_entry
from maniple.core.peers.faults import MalformedFault, PeerFault
from maniple.core.peers.tables import Column, TableDefinition, make_definition
from maniple.core.peers.values import Rate, Value
from maniple.tests.core.peers.samples import ARRAYED, EVERYTHING, GLITCHES, definitions, keys, values

RECORDED = (
    "7f000001010000f7c6f6fe7e0000020b02000100f7c6f6fe7e0000020b020000f7c6f6fe7e0000520b5200250b250000f7c6f6fe7e0000"
    "040102733100f7c6f6fe7e0000"
)
LONG_AGO = Rate(4262978711, 0, 0)


def test_recorded() -> None:
    body = bytes.fromhex(RECORDED)
    key, found = decode_entry(EVERYTHING, body, 0, ReceivedTexts())
    assert key == bytes((127, 0, 0, 1))
    age = found["gpc0_rate"]
    assert isinstance(age, Rate) and age[1:] == (0, 0)
    shown = {name: value for name, value in found.items() if value and value != age}
    assert shown == {
        "server_id": 1,
        "conn_cnt": 2,
        "conn_rate": Rate(11, 2, 0),
        "conn_cur": 1,
        "http_req_cnt": 2,
        "http_req_rate": Rate(11, 2, 0),
        "bytes_in_cnt": 82,
        "bytes_in_rate": Rate(11, 82, 0),
        "bytes_out_cnt": 37,
        "bytes_out_rate": Rate(11, 37, 0),
        "server_key": b"s1",
    }
    assert encode_entry(EVERYTHING, key, found, SentTexts()) == body


@settings(max_examples=50)
@given(st.data())
def test_round_trip_and_damage(data: st.DataObject) -> None:
    table = data.draw(definitions())
    key, stored = data.draw(keys(table)), data.draw(values(table))
    body = encode_entry(table, key, stored, SentTexts())
    assert decode_entry(table, b"head" + body, 4, ReceivedTexts()) == (key, stored)
    if not body:
        return
    damaged = bytearray(body)
    damaged[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for each in (bytes(damaged), body[: data.draw(st.integers(0, len(body) - 1))]):
        try:
            decode_entry(table, each, 0, ReceivedTexts())
        except PeerFault:
            continue


def test_what_is_missing_is_zero() -> None:
    found = decode_entry(ARRAYED, encode_entry(ARRAYED, b"\0\0\0M", {"gpc": (5,)}, SentTexts()), 0, ReceivedTexts())
    assert found == (b"\0\0\0M", {"gpt": (0, 0), "gpc": (5, 0, 0), "gpc_rate": (Rate(0, 0, 0),) * 4})


def test_a_string_that_is_too_long_is_cut() -> None:
    wide = make_definition("gl", "string", 9, 0, GLITCHES.columns)
    body = encode_entry(wide, b"abcdefghi", {"glitch_cnt": 3}, SentTexts())
    key, stored = decode_entry(GLITCHES, body, 0, ReceivedTexts())
    assert (key, stored["glitch_cnt"]) == (b"abcde", 3)


def test_bytes_after_an_entry() -> None:
    table = make_definition("t", "ip", 4, 0, [Column("gpc0")])
    body = encode_entry(table, b"abcd", {}, SentTexts())
    with pytest.raises(MalformedFault, match="bytes after"):
        decode_entry(table, body + b"\0", 0, ReceivedTexts())
    newer = TableDefinition("t", "ip", 4, 0, table.columns, unknown=1 << 50)
    assert decode_entry(newer, body + b"\0", 0, ReceivedTexts()) == (b"abcd", {"gpc0": 0})


@pytest.mark.parametrize(
    ("table", "key"), [(EVERYTHING, b"abc"), (EVERYTHING, b"abcde"), (GLITCHES, b"abcdef"), (ARRAYED, b"")]
)
def test_keys_of_another_width(table: TableDefinition, key: bytes) -> None:
    stored: dict[str, Value] = {}
    with pytest.raises(ValueError, match="a key of"):
        encode_entry(table, key, stored, SentTexts())
