"""Stick tables in shared memory as peers share them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.tables import Column
from maniple.core.peers.values import Entry, Rate, Value
from maniple.pools.table_columns import Columns
from maniple.pools.table_shape import Stored, TableShape
from maniple.tests.core.peers.stock import PEER_WRITER, SHAPE, count, machine, value

KEY = b"alice"


def test_definition() -> None:
    with machine() as (_, shared):
        told = shared.definition
        assert (told.name, told.key, told.width, told.expire) == ("t", "string", 8, 60_000)
        assert [column.name for column in told.columns] == [
            "server_id", "gpc0", "conn_cur", "http_req_rate", "server_key", "gpt", "gpc",
        ]  # fmt: skip
        assert Column("http_req_rate", 1, 10_000) in told.columns and Column("gpt", 2) in told.columns


def test_changes_of_threads_have_numbers_and_those_of_peers_have_none() -> None:
    with machine() as (thread, shared):
        assert not shared.scan()
        for key in (b"a", b"b", b"a"):
            count(thread, key, 10)
        assert shared.scan() and not shared.scan()
        assert {key for _, key in shared.changes(0, 9)} == {b"a", b"b"} and shared.head == 2
        shared.apply(Entry(b"c", 500, {"gpc0": 9}), 20)
        assert not shared.scan() and sorted(shared.keys()) == [b"a", b"b", b"c"]
        # Whoever looks after us finds them again.
        shared.give_back(1, 30)
        assert shared.scan() and [key for _, key in shared.changes(2, 9)] == [shared.changes(0, 9)[-1][1]]


def test_everything_is_applied_and_read() -> None:
    told: dict[str, Value] = {
        "gpc0": 1 << 40,
        "http_req_rate": Rate(3000, 7, 4),
        "gpt": (1, (1 << 32) - 1),
        "gpc": (5, 6),
        "server_key": b"srv1",
        "server_id": 12,
    }
    with machine() as (thread, shared):
        shared.apply(Entry(KEY, 5000, told), 100_000)
        assert value(thread, KEY, 100_000, "gpt", 1) == (1 << 32) - 1
        found = shared.read(KEY, 100_400)
        assert found == Entry(KEY, 4600, {**told, "conn_cur": 0, "http_req_rate": Rate(3400, 7, 4)})
        count(thread, KEY, 100_500, 3)
        shared.apply(Entry(KEY, 5000, {"gpc0": 2, "server_key": None}), 101_000)
        found = shared.read(KEY, 101_000)
        assert found is not None and found.values["gpc0"] == 2 and found.values["server_key"] is None
        # Used here later than there: the longer time counts.
        assert found.expire == 59_500
        assert shared.read(b"nobody", 101_000) is None and shared.read(KEY, 300_000) is None
        assert thread.arrays.holders(next(thread.slots())) == 0


def test_rates_go_to_and_fro_without_loss() -> None:
    with machine() as (one, left), machine() as (other, right):
        now = 50_000
        for turn in range(400):
            now += 37
            count([one, other][turn & 1], KEY, now, 1, "http_req_rate")
            teller, learner = (left, right) if not turn & 1 else (right, left)
            told = teller.read(KEY, now)
            assert told is not None
            now += 2
            learner.apply(told, now)
        found = [value(each, KEY, now, "http_req_rate") for each in (one, other)]
        # One event each 39 ms.
        assert all(abs(rate - 10_000 / 39) <= 4 for rate in found)


def test_a_full_table_takes_no_more() -> None:
    with machine(replace(SHAPE, size=1, purge=False)) as (thread, shared):
        count(thread, KEY, 10)
        shared.apply(Entry(b"other", None, {"gpc0": 1}), 20)
        assert list(shared.keys()) == [KEY]


def test_tables_that_never_expire() -> None:
    shape = TableShape("integer", 4, 10, 0, True, (Stored("gpc0"),))
    with machine(shape) as (_, shared):
        shared.apply(Entry(b"\0\0\0\1", 5, {"gpc0": 3}), 20)
        assert shared.read(b"\0\0\0\1", 10**9) == Entry(b"\0\0\0\1", None, {"gpc0": 3})


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=12))
def test_parts_add_up(steps: list[tuple[bool, int]]) -> None:
    """Ours and the peer's, which replaces what it said before."""
    with machine() as (thread, shared):
        ours = theirs = 0
        for here, number in steps:
            if here:
                count(thread, KEY, 10, number)
                ours += number
            else:
                shared.write(Entry(KEY, None, {"gpc0": number, "conn_cur": number % 5}), 10, PEER_WRITER)
                theirs = number
        if steps:
            assert value(thread, KEY, 10) == ours + theirs
            own = shared.read_columns(KEY, 10, shared.own)
            assert own is not None and (own.values["gpc0"], own.values["conn_cur"]) == (ours, 0)


def test_parts_of_rates_add_up() -> None:
    with machine() as (thread, shared):
        count(thread, KEY, 1000, 5, "http_req_rate")
        shared.write(Entry(KEY, None, {"http_req_rate": Rate(100, 7, 0)}), 1100, PEER_WRITER)
        assert value(thread, KEY, 1200, "http_req_rate") == 12
        assert Columns(thread, (PEER_WRITER,)).periods(thread.cell("http_req_rate"), 1, 1200)[1] == 5  # type: ignore[arg-type]
