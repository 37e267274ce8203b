from __future__ import annotations

from maniple.pools.table_shape import NAME_BYTES, NAMES
from maniple.tests.pools.tables import make_shape, opened


def test_names_are_the_same_for_all_processes() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        assert one.names.number(b"web/s1") == 1
        assert two.names.number(b"web/s2") == 2
        assert two.names.number(b"web/s1") == 1
        assert [one.names.text(number) for number in (0, 1, 2, 3, -1)] == [b"", b"web/s1", b"web/s2", b"", b""]
        assert one.names.number(b"") == 0


def test_names_without_room_have_no_number() -> None:
    with opened(make_shape(), 1) as (table,):
        assert table.names.number(b"x" * (NAME_BYTES - 1)) == 0
        assert table.names.number(b"x" * (NAME_BYTES - 2)) == 1
        for number in range(2, NAMES + 1):
            assert table.names.number(b"%d" % number) == number
        assert table.names.number(b"one more") == 0
        assert table.names.text(NAMES) == b"%d" % NAMES
