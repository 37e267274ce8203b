from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.pools.columns import Columns, Shape
from maniple.pools.counters import GAUGES, KINDS, MAXIMA, BackendCounts, FrontendCounts, ProcessCounts, ServerCounts

ROWS = (("process", ""), ("frontend", "web"), ("listener", "web/1"), ("backend", "app"), ("server", "app/a"))


def columns_of(count: int) -> Columns:
    shape = Shape(ROWS)
    return Columns(memoryview(bytearray(shape.size(count))), shape, count)


def test_publish_and_read_one_column() -> None:
    columns = columns_of(2)
    row = columns.shape.row("server", "app/a")
    counts = ServerCounts()
    counts.stot, counts.bin, counts.need_conn_est = 5, 1 << 60, -1
    columns.column(1).publish(row, counts)
    assert columns.read(row, 1).as_dict() == counts.as_dict()
    assert not any(columns.read(row, 0).values())


def test_rows_do_not_overlap() -> None:
    columns = columns_of(2)
    for number in range(2):
        column = columns.column(number)
        for row, (kind, _) in enumerate(ROWS):
            counts = KINDS[kind]()
            for field in counts.FIELDS:
                setattr(counts, field, 100 * number + row + 1)
            column.publish(row, counts)
    for number in range(2):
        for row in range(len(ROWS)):
            assert set(columns.read(row, number).values()) == {100 * number + row + 1}


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40)), min_size=1, max_size=5))
def test_sum_adds_counters_and_takes_the_greatest_maximum(figures: list[tuple[int, int]]) -> None:
    columns = columns_of(len(figures))
    row = columns.shape.row("frontend", "web")
    for number, (total, greatest) in enumerate(figures):
        counts = FrontendCounts()
        counts.stot, counts.smax = total, greatest
        columns.column(number).publish(row, counts)
    counts = columns.sum(row)  # type: ignore[assignment]
    assert counts.stot == sum(total for total, _ in figures)
    assert counts.smax == max(greatest for _, greatest in figures)


def test_what_a_dead_thread_counted_is_kept_but_not_its_gauges() -> None:
    columns = columns_of(2)
    row = columns.shape.row("backend", "app")
    for stot in (7, 5):
        counts = BackendCounts()
        counts.stot, counts.scur, counts.smax = stot, 2, stot
        columns.column(0).publish(row, counts)
        columns.retire(0)
        assert not any(columns.read(row, 0).values())
    counts = columns.sum(row)  # type: ignore[assignment]
    assert (counts.stot, counts.scur, counts.smax) == (12, 0, 7)


def test_shape_survives_encoding() -> None:
    shape = Shape(ROWS)
    other = Shape.decode(shape.encode())
    assert other == shape
    assert hash(other) == hash(shape)
    assert other.row("server", "app/a") == 4
    assert other != Shape(ROWS[:2])


def test_shape_of_another_version_is_refused() -> None:
    raw = Shape(ROWS).encode().replace(b"smax", b"smex")
    with pytest.raises(ValueError, match="another version"):
        Shape.decode(raw)


def test_columns_lie_on_their_own_cache_lines() -> None:
    assert Shape(ROWS).words * 8 % 128 == 0
    assert Shape(()).words > 0


def test_wrong_uses_are_refused() -> None:
    with pytest.raises(KeyError):
        Shape((("nonsense", "x"),))
    with pytest.raises(ValueError, match="twice"):
        Shape((("server", "a/b"), ("server", "a/b")))
    with pytest.raises(KeyError):
        Shape(ROWS).row("server", "app/none")
    with pytest.raises(ValueError, match="too few"):
        Columns(memoryview(bytearray(8)), Shape(ROWS), 1)
    with pytest.raises(IndexError):
        columns_of(1).column(1)


def test_close_gives_the_body_back() -> None:
    shape = Shape(ROWS)
    raw = bytearray(shape.size(1))
    columns = Columns(memoryview(raw), shape, 1)
    columns.column(0).publish(0, ProcessCounts())
    columns.close()
    raw.append(1)


def test_only_columns_in_use_are_read() -> None:
    columns = columns_of(3)
    row = columns.shape.row("frontend", "web")
    counts = FrontendCounts()
    counts.stot = 5
    for number in range(3):
        columns.column(number).publish(row, counts)
    assert columns.used == 3
    columns.used = 2
    assert columns.sum(row).as_dict()["stot"] == 10
    # What the dead had counted is always part of it.
    columns.retire(1)
    columns.used = 1
    assert columns.sum(row).as_dict()["stot"] == 10


NAMES = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS.keys() - {"process"})), st.sampled_from(["a", "b", "c"])), unique=True
)


@settings(deadline=None)
@given(NAMES, NAMES, st.integers(0, 1 << 32))
def test_what_a_whole_segment_had_counted_goes_on(
    mine: list[tuple[str, str]], theirs: list[tuple[str, str]], seed: int
) -> None:
    """Figures of rows with the same name are added, maxima taken, gauges and other rows forgotten."""
    random = Random(seed)
    both = []
    for rows in (mine, theirs):
        shape = Shape(rows)
        columns = Columns(memoryview(bytearray(shape.size(2))), shape, 2)
        for number in range(2):
            for row, (kind, _) in enumerate(rows):
                counts = KINDS[kind]()
                for field in counts.FIELDS:
                    setattr(counts, field, random.randrange(10))
                columns.column(number).publish(row, counts)
        both.append(columns)
    columns, others = both
    others.retire(random.randrange(2))
    before = {row: columns.sum(number).as_dict() for number, row in enumerate(mine)}
    more = {row: others.sum(number).as_dict() for number, row in enumerate(theirs)}
    columns.absorb(others)
    for number, name in enumerate(mine):
        for field, value in columns.sum(number).as_dict().items():
            old, new = before[name][field], more.get(name, {}).get(field, 0)
            assert value == (max(old, new) if field in MAXIMA else old if field in GAUGES else old + new)
