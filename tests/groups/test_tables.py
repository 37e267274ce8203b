from __future__ import annotations

import os

import pytest
from maniple.core.config.model import Configuration, Place
from maniple.core.config.table_spec import TableSpec
from maniple.groups.tables import Tables, open_table
from maniple.pools.segment import Segment
from maniple.pools.table_shape import Stored, TableShape


def configuration_of(**sizes: int) -> Configuration:
    return Configuration(
        tables={
            name: TableSpec(name, Place("x", 1), TableShape("ip", 4, size, 1000, True, (Stored("gpc0"),)))
            for name, size in sizes.items()
        }
    )


def test_tables_go_on_where_name_and_shape_agree() -> None:
    tables = Tables()
    first = tables.open(configuration_of(a=10, b=10, c=10), {})
    second = tables.open(configuration_of(a=10, b=11, d=10), first)
    assert second["a"] is first["a"]
    assert second["b"] is not first["b"]
    tables.close(first)
    assert (first["a"].fd >= 0, first["b"].fd, first["c"].fd, second["b"].fd >= 0) == (True, -1, -1, True)
    tables.close(second)
    assert {one.fd for one in second.values()} == {-1}


def test_what_cannot_be_made_leaves_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Tables()
    first = tables.open(configuration_of(a=10), {})
    made: list[Segment] = []

    def create(name: str, *rest: object) -> Segment:
        if made:
            raise OSError(24, "no room")
        made.append(Segment.create(name, 100))
        return made[0]

    monkeypatch.setattr("maniple.groups.tables.create_table", create)
    with pytest.raises(OSError):
        tables.open(configuration_of(a=10, b=10, c=10), first)
    assert made[0].fd == -1
    assert first["a"].fd >= 0
    tables.close(first)


def test_writers_of_all_generations_differ_and_their_numbers_come_back() -> None:
    tables = Tables()
    first, second = tables.engage(2), tables.engage(3)
    assert (first, second) == ((1, 2), (3, 4, 5))
    tables.dismiss(first)
    assert tables.engage(1) == (1,)
    with pytest.raises(ValueError):
        tables.engage(254)


def test_the_dead_hold_nothing() -> None:
    tables = Tables()
    opened = tables.open(configuration_of(a=10), {})
    mine, other = open_table(opened["a"], 0), open_table(opened["a"], 7)
    slot = other.track(b"abcd", 0)
    assert mine.arrays.holders(slot) == 1
    tables.vacate(opened, (7,))
    assert mine.arrays.holders(slot) == 0
    mine.close()
    other.close()
    tables.close(opened)


def test_what_another_program_had_opened() -> None:
    tables = Tables()
    opened = tables.open(configuration_of(a=10), {})
    next_program = Tables()
    strange = Segment.create("strange", 100, b"0 ip 4 10 0 1")
    descriptors = [os.dup(opened["a"].fd), os.dup(strange.fd)]
    found = next_program.adopt(descriptors, [1, 2, 5])
    assert list(found) == ["a"]
    # A generation that drains has the same one.
    drains = next_program.adopt(descriptors[:1], [6])
    assert drains["a"] is found["a"]
    next_program.close(drains)
    assert next_program.engage(3) == (3, 4, 7)
    second = next_program.open(configuration_of(a=10), found)
    assert second["a"] is found["a"]
    next_program.close(found)
    next_program.close(second)
    assert found["a"].fd == -1
    tables.close(opened)
    strange.close()
    os.close(descriptors[1])


def test_columns_that_nobody_had() -> None:
    tables = Tables()
    opened = tables.open(configuration_of(a=10), {})
    tables.dismiss(tables.engage(3))
    assert tables.engage_new(2) == (4, 5)
    # Another program had more.
    open_table(opened["a"], 9).close()
    assert tables.engage_new(1) == (10,)
    with pytest.raises(ValueError):
        tables.engage_new(250)
    tables.claim((12,))
    assert tables.engage(9) == (1, 2, 3, 6, 7, 8, 9, 11, 13)
    other = open_table(opened["a"], 4)
    slot = other.track(b"abcd", 0)
    other.cell("gpc0").add(slot, 3, 0)  # type: ignore[union-attr]
    reader = open_table(opened["a"], 0)
    reader.arrays.leave_out((4, 200))
    assert (other.cell("gpc0").value(slot, 0), reader.cell("gpc0").value(slot, 0)) == (3, 0)  # type: ignore[union-attr]
    tables.forget((4,))
    assert other.cell("gpc0").value(slot, 0) == 0 and tables.engage(1) == (4,)  # type: ignore[union-attr]
    tables.close(opened)
