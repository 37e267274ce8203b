from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.timetable import Timetable


def test_what_is_due_is_called_once() -> None:
    timetable, called = Timetable(), list[str]()
    assert timetable.due() is None
    timetable.at("a", 2.0, lambda: called.append("a"))
    timetable.at("b", 1.0, lambda: called.append("b"))
    assert timetable.due() == 1.0
    timetable.keep(0.9)
    assert called == []
    timetable.keep(1.0)
    assert (called, timetable.due()) == (["b"], 2.0)
    timetable.keep(9.0)
    timetable.keep(9.0)
    assert (called, timetable.due()) == (["b", "a"], None)


def test_a_later_appointment_replaces_the_first() -> None:
    timetable, called = Timetable(), list[int]()
    timetable.at("a", 1.0, lambda: called.append(1))
    timetable.at("a", 3.0, lambda: called.append(2))
    timetable.keep(2.0)
    assert called == [] and "a" in timetable
    timetable.keep(3.0)
    assert called == [2] and "a" not in timetable


def test_what_is_forgotten_is_not_called() -> None:
    timetable, called = Timetable(), list[str]()
    timetable.at("b", 1.0, lambda: called.append("b"))
    timetable.forget("b")
    timetable.forget("never there")
    timetable.keep(5.0)
    assert called == []


def test_one_may_forget_replace_and_renew_others_and_itself() -> None:
    timetable, called = Timetable(), list[str]()

    def first() -> None:
        called.append("first")
        timetable.forget("forgotten")
        timetable.at("replaced", 1.0, lambda: called.append("new"))
        timetable.at("first", 2.0, first)

    timetable.at("first", 1.0, first)
    timetable.at("forgotten", 1.0, lambda: called.append("forgotten"))
    timetable.at("replaced", 1.0, lambda: called.append("old"))
    timetable.keep(1.0)
    assert called == ["first"]
    # What was made meanwhile waits for the next time, so that one that renews itself does not hold everything up.
    timetable.keep(1.0)
    assert called == ["first", "new"]
    timetable.keep(2.0)
    assert called == ["first", "new", "first"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10)), max_size=20), st.floats(0, 10))
def test_only_the_last_of_each_key_and_only_what_is_due(entries: list[tuple[str, float]], now: float) -> None:
    timetable, called = Timetable(), list[str]()
    for key, due in entries:
        timetable.at(key, due, lambda key=key: called.append(key))  # type: ignore[misc]
    last = dict(entries)
    assert timetable.due() == (min(last.values()) if last else None)
    timetable.keep(now)
    assert sorted(called) == sorted(key for key, due in last.items() if due <= now)
