"""Changes on their way: their form, and what becomes of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import PatternFileSpec
from maniple.core.rules.pattern_changes import Change, carry_out, check_changes, read_changes, write_changes
from maniple.core.rules.pattern_files import PatternFiles


def files() -> PatternFiles:
    found = PatternFiles(
        {"m": PatternFileSpec("m", True, {b"a": b"1"}), "l": PatternFileSpec("l", False, {b"a": b"a"})}
    )
    found.file("m", True).patterns("str", False, True, "int")
    return found


CHANGE = st.one_of(
    st.builds(Change, st.text(max_size=3), st.binary(max_size=3), st.none() | st.binary(max_size=3), st.just(())),
    st.builds(
        lambda name, pairs: Change(name, None, None, tuple(pairs)),
        st.text(max_size=3),
        st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=2))),
    ),
)


@given(st.lists(CHANGE))
def test_the_form_keeps_everything(changes: list[Change]) -> None:
    assert read_changes(json.loads(json.dumps(write_changes(changes)))) == changes


def test_what_they_do() -> None:
    patterns = files()
    for change in (
        Change("m", b"b", b"2"),
        Change("m", b"a", b"3"),
        Change("l", b"x", b"x"),
        Change("l", b"a", None),
        Change("l", b"gone", None),
        Change("other", b"a", b"b"),
    ):
        carry_out(patterns, change)
        carry_out(patterns, change)
    assert patterns.files["m"].entries == {b"a": b"3", b"b": b"2"}
    assert patterns.files["l"].entries == {b"x": b"x"}
    carry_out(patterns, Change("m", None, None, ((b"z", b"9"),)))
    assert patterns.files["m"].entries == {b"z": b"9"}
    assert patterns.files["m"].patterns("str", False, True, "int").found(b"z") == 9


@pytest.mark.parametrize("change", [Change("m", b"b", b"x"), Change("m", None, None, ((b"b", b"2"), (b"c", b"x")))])
def test_what_cannot_be_is_found_before(change: Change) -> None:
    patterns = files()
    with pytest.raises(ValueError, match=r"unable to parse 'x'\."):
        check_changes(patterns, [Change("m", b"ok", b"1"), Change("none", b"a", b"x"), change])
    assert patterns.files["m"].entries == {b"a": b"1"}
