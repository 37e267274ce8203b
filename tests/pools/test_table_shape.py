from __future__ import annotations

import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.pools.table_shape import ARRAYS, KINDS, SPARE, Kind, Layout, Stored, TableShape


def stored(name: str) -> Stored:
    return Stored(name, 3 if name in ARRAYS else 1, 1000 if KINDS[name] is Kind.RATE else 0)


EVERYTHING = tuple(stored(name) for name in KINDS)


@given(
    st.sampled_from(["ip", "string"]),
    st.integers(1, 100),
    st.integers(1, 100_000),
    st.integers(0, 10**9),
    st.booleans(),
    st.lists(st.sampled_from(EVERYTHING), unique=True),
)
def test_shapes_come_back_from_their_bytes(
    kind: str, width: int, size: int, expire: int, purge: bool, types: list[Stored]
) -> None:
    shape = TableShape(kind, width, size, expire, purge, tuple(types))
    assert TableShape.decode(shape.encode()) == shape


def test_parts_lie_apart_and_columns_begin_on_pages() -> None:
    for size in (1, 5, 16384, 16385, 1_000_000):
        layout = Layout(TableShape("ip", 4, size, 0, True, EVERYTHING))
        places = [
            (layout.stripes_at, layout.stripes * 64),
            (layout.names_at, 1024 * 128),
            (layout.directory_at, layout.stripes * layout.cells_per_stripe * 8),
            (layout.bounds_at, layout.stripes * layout.blocks_per_stripe * 8),
            (layout.ring_at, layout.stripes * layout.slots_per_stripe * 8),
            (layout.changed_at, layout.slots),
            (layout.rows_at, layout.slots * layout.row_words * 8),
            (layout.held_at, layout.held_bytes * 257),
            (layout.counted_at, layout.counted_bytes * 257),
        ]
        assert [start for start, _ in places] == sorted(start for start, _ in places)
        for (start, length), (following, _) in zip(places, [*places[1:], (layout.size, 0)], strict=True):
            assert start + length <= following
        assert layout.held_bytes % mmap.PAGESIZE == 0 and layout.counted_bytes % mmap.PAGESIZE == 0
        assert layout.counted_bytes >= layout.slots * layout.counted_words * 8


def test_small_tables_are_exact_and_large_ones_have_room_for_uneven_stripes() -> None:
    assert (Layout(TableShape("ip", 4, 16384)).stripes, Layout(TableShape("ip", 4, 16384)).quota) == (1, 16384)
    layout = Layout(TableShape("ip", 4, 1_000_000))
    assert layout.stripes == 128
    assert 1_000_000 < layout.stripes * layout.quota < 1_060_000
    assert layout.slots_per_stripe == layout.quota + SPARE
    assert layout.cells_per_stripe >= 2 * layout.slots_per_stripe


def test_words_of_every_data_type() -> None:
    layout = Layout(TableShape("string", 33, 10, 0, True, EVERYTHING))
    assert layout.assigned == {"server_id": 3, "server_key": 4, "gpt0": 5, "gpt": 6}
    assert layout.key_offset == 9 * 8
    assert layout.row_words == 9 + 5
    assert layout.cells["gpc0"] == 0 and layout.cells["gpc1"] == 1 and layout.cells["gpc"] == 2
    assert layout.cells["gpc0_rate"] == 5 and layout.cells["gpc_rate"] == 9
    assert layout.held_words == 2
    assert Layout(TableShape("ip", 4, 10)).held_words == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: TableShape("ip", 4, 0),
        lambda: TableShape("ip", 0, 1),
        lambda: TableShape("ip", 4, 1, 0, True, (Stored("gpc0"), Stored("gpc0"))),
        lambda: TableShape("ip", 4, 1, 0, True, (Stored("weather"),)),
        lambda: TableShape("ip", 4, 1, 0, True, (Stored("gpc0", 1, 1000),)),
        lambda: TableShape("ip", 4, 1, 0, True, (Stored("conn_rate"),)),
    ],
)
def test_what_is_no_shape(make: object) -> None:
    with pytest.raises(ValueError):
        make()  # type: ignore[operator]


def test_memory_of_an_entry_grows_with_the_threads() -> None:
    shape = TableShape("ip", 4, 100_000, 0, True, (Stored("http_req_rate", 1, 1000), Stored("gpc0")))
    layout = Layout(shape)
    one, two = layout.bytes_per_entry(1), layout.bytes_per_entry(2)
    assert 100 < one < 200
    assert 30 < two - one <= 35
