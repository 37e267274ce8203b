"""Entries and versions, and that groups that are told changes agree with the list."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import Configuration, PatternFileSpec
from maniple.core.config.parser import load
from maniple.core.rules.pattern_changes import Change, carry_out
from maniple.core.rules.pattern_files import PatternFiles
from maniple.core.rules.pattern_sources import PatternSource
from maniple.groups.pattern_book import PatternBook, PatternSet

ENTRIES = {b"a": b"1", b"b": b"2", b"c": b"3"}
SPEC = PatternFileSpec("m", True, ENTRIES, ((2, b"a", b"again"), (3, b"c", b"last")))


def made() -> PatternSet:
    return PatternSet(PatternSource("m", SPEC, 0, of_map=True))


def shown(one: PatternSet, version: int = 0) -> list[tuple[bytes, bytes]]:
    return [(entry.key, entry.value) for entry in one.of_version(version)]


def test_repeats_stand_where_they_stood() -> None:
    one = made()
    assert len(one) == 5
    assert shown(one) == [(b"a", b"1"), (b"b", b"2"), (b"a", b"again"), (b"c", b"3"), (b"c", b"last")]
    assert len(one) == 5 and one.changes() == []


def test_the_next_of_a_key_counts_when_the_first_is_gone() -> None:
    one = made()
    first, second = one.of_key(b"a")
    assert one.deleting([second]) == []
    assert one.deleting([first]) == [Change("m", b"a", b"again")]
    assert one.deleting([first, second]) == [Change("m", b"a", None)]
    one.delete([first])
    assert one.changes() == [Change("m", b"a", b"again")]
    assert one.setting([second], b"x") == [Change("m", b"a", b"x")]
    assert one.adding([(b"a", b"y"), (b"z", b"1"), (b"z", b"2")]) == [Change("m", b"z", b"1")]


def test_versions() -> None:
    one = made()
    assert (one.prepare(), one.prepare(), one.prepare()) == (1, 2, 3)
    one.add([(b"old", b"1")], 1)
    one.add([(b"x", b"1"), (b"x", b"2")], 2)
    assert shown(one, 2) == [(b"x", b"1"), (b"x", b"2")] and len(one) == 8
    assert [one.can_commit(version) for version in (0, 1, 3, 4)] == [False, True, True, False]
    assert [one.in_future(version) for version in (0, 3, 4)] == [False, False, True]
    assert one.replacing(2) == [Change("m", None, None, ((b"x", b"1"),))]
    one.commit(2)
    assert (one.current, one.next, len(one)) == (2, 3, 2)
    assert one.changes() == one.replacing(2)


def test_versions_wrap_around() -> None:
    one = made()
    one.commit(0xFFFFFFFF)
    one.next = 0xFFFFFFFF
    assert one.prepare() == 0
    assert one.can_commit(0) and not one.in_future(0) and one.in_future(1)
    one.add([(b"x", b"1")], 0)
    one.commit(0)
    assert shown(one, 0) == [(b"x", b"1")]


def test_found_by_name_and_number(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a 1\n")
    text = f"frontend f\n bind :80\n acl a path /x\n acl b path -u 9 /y\n acl c path,map({tmp_path}/m) -m found\n"
    configuration, said = load([("c.cfg", text)], {})
    assert configuration is not None, said.render()
    book = PatternBook(configuration)
    assert book.changes() == []

    def number(name: str) -> int | None:
        found = book.find(name, lambda source: True)
        return None if found is None else found.source.number

    assert [number(name) for name in (f"{tmp_path}/m", "#9", "#09", "#0", "#-1", "#x", "#", "", "9")] == [
        1, 9, 9, 0, None, None, None, None, None,
    ]  # fmt: skip
    assert book.find("#9", lambda source: source.of_map) is None
    book.follow([Change("#9", b"/z", b"/z"), Change("none", b"a", b"b")])
    assert book.changes() == [Change("#9", b"/z", b"/z")]


def test_an_empty_configuration() -> None:
    book = PatternBook(Configuration())
    book.follow([Change("m", b"a", b"b")])
    assert book.sets == [] and book.changes() == []


KEY = st.sampled_from([b"a", b"b", b"c", b"d"])
STEP = st.one_of(
    st.tuples(st.just("add"), KEY, st.integers(0, 3)),
    st.tuples(st.just("stage"), KEY, st.integers(0, 3)),
    st.tuples(st.just("set"), KEY, st.integers(0, 3)),
    st.tuples(st.just("delete"), KEY, st.integers(0, 3)),
    st.tuples(st.just("follow"), KEY, st.integers(0, 3)),
    st.tuples(st.sampled_from(["clear", "prepare", "commit"]), st.just(b""), st.just(0)),
)


@given(st.lists(STEP, max_size=30))
def test_groups_agree_with_the_list(steps: list[tuple[str, bytes, int]]) -> None:
    """One group is told every change, one that comes at the end all at once."""
    one = made()
    group = PatternFiles({"m": PatternFileSpec("m", True, dict(ENTRIES))})
    for what, key, number in steps:
        value = b"%d" % number
        changes: list[Change] = []
        if what == "add":
            changes = one.adding([(key, value)])
            one.add([(key, value)], one.current)
        elif what == "stage" and one.next != one.current:
            one.add([(key, value)], one.next)
        elif what == "set":
            entries = list(one.of_key(key))
            changes = one.setting(entries, value)
            one.set(entries, value)
        elif what == "delete":
            entries = list(one.of_key(key))[:number]
            changes = one.deleting(entries)
            one.delete(entries)
        elif what == "follow":
            changes = [Change("m", key, value if number else None)]
            one.follow(changes[0])
        elif what == "clear":
            changes = one.clearing()
            one.clear(one.current)
        elif what == "prepare":
            one.prepare()
        elif what == "commit" and one.can_commit(one.next):
            changes = one.replacing(one.next)
            one.commit(one.next)
        for change in changes:
            carry_out(group, change)
    counting: dict[bytes, bytes] = {}
    for key, value in shown(one, one.current):
        counting.setdefault(key, value)
    assert group.files["m"].entries == counting
    late = PatternFiles({"m": PatternFileSpec("m", True, dict(ENTRIES))})
    for change in one.changes():
        carry_out(late, change)
    assert late.files["m"].entries == counting
