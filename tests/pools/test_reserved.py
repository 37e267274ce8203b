from __future__ import annotations

import pytest
from maniple.pools.reserved import Reserved


def waiting() -> Reserved[str]:
    """a, then b for the session one; c for two."""
    reserved: Reserved[str] = Reserved()
    for connection, owner in (("a", "one"), ("c", "two"), ("b", "one")):
        reserved.add(connection, owner)
    return reserved


def test_the_last_comes_first_and_nothing_empty_is_kept() -> None:
    reserved = waiting()
    assert [reserved.take("one"), reserved.take("one")] == ["b", "a"]
    assert (set(reserved.held), reserved.count) == ({"two"}, 1)
    with pytest.raises(KeyError):
        reserved.take("one")


def test_remove() -> None:
    reserved = waiting()
    assert not reserved.remove("a", "two")
    assert not reserved.remove("a", "three")
    assert reserved.remove("c", "two")
    assert not reserved.remove("c", "two")
    assert (set(reserved.held), reserved.count) == ({"one"}, 2)


def test_forget() -> None:
    reserved = waiting()
    assert reserved.forget("one") == ["a", "b"]
    assert reserved.forget("one") == []
    assert reserved.count == 1


def test_clear_keeps_the_dict() -> None:
    reserved = waiting()
    held = reserved.held
    assert sorted(reserved.clear()) == ["a", "b", "c"]
    assert reserved.held is held
    assert (held, reserved.count) == ({}, 0)
