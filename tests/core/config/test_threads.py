from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import ThreadRange, ThreadSet
from maniple.core.config.threads import expand, format_threads, join, parse_threads, resolve_threads

SIZES = (4, 4, 2)

PARSED = [
    ("all", ()),
    ("all/all", ()),
    ("1,all", ()),
    ("45", (ThreadRange(None, 45, 45),)),
    ("65", (ThreadRange(None, 65, 65),)),
    ("1-4", (ThreadRange(None, 1, 4),)),
    ("4-1", (ThreadRange(None, 1, 4),)),
    ("3-", (ThreadRange(None, 3, 0),)),
    ("-3", (ThreadRange(None, 1, 3),)),
    ("1/-3", (ThreadRange(1, 1, 3),)),
    ("odd", (ThreadRange(None, 1, 0, 2),)),
    ("odd,even", (ThreadRange(None, 1, 0, 2), ThreadRange(None, 2, 0, 2))),
    ("1/45", (ThreadRange(1, 45, 45),)),
    ("1/2-4", (ThreadRange(1, 2, 4),)),
    ("1/all", (ThreadRange(1, 1, 0),)),
    ("1/odd,2/even", (ThreadRange(1, 1, 0, 2), ThreadRange(2, 2, 0, 2))),
    ("all/45", (ThreadRange(0, 45, 45),)),
    ("17/1", (ThreadRange(17, 1, 1),)),
    ("1/1,1/1", (ThreadRange(1, 1, 1),)),
]
MALFORMED = [
    "", "foo", "0", "1/65", "1/0", "0/1", "300", "1-300", "1/1,2", "2,1/1", "x/1", "1/x", "1/", "/1", "1,",
    "-", "1/-", "1--2", "all/65", "1/1/1", "٣",
]  # fmt: skip


@pytest.mark.parametrize(("text", "ranges"), PARSED)
def test_parse(text: str, ranges: tuple[ThreadRange, ...]) -> None:
    assert parse_threads(text) == ThreadSet(ranges)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed(text: str) -> None:
    with pytest.raises(ValueError):
        parse_threads(text)


@pytest.mark.parametrize("text", [text for text, _ in PARSED])
def test_format_reads_back(text: str) -> None:
    threads = parse_threads(text)
    assert parse_threads(format_threads(threads)) == threads


EXPANDED = [
    ("all", "1/1 1/2 1/3 1/4 2/1 2/2 2/3 2/4 3/1 3/2"),
    ("5", "2/1"),
    ("9-10", "3/1 3/2"),
    ("9-", "3/1 3/2"),
    ("odd", "1/1 1/3 2/1 2/3 3/1"),
    ("2/all", "2/1 2/2 2/3 2/4"),
    ("2/2-3", "2/2 2/3"),
    ("2/3-", "2/3 2/4"),
    ("3/odd", "3/1"),
    ("all/2", "1/2 2/2 3/2"),
    ("all/4", "1/4 2/4"),
    ("3/1-3", "3/1 3/2"),
    ("9-64", "3/1 3/2"),
    ("all/3-9", "1/3 1/4 2/3 2/4"),
    ("1/1,1/1-2", "1/1 1/2"),
]


@pytest.mark.parametrize(("text", "pairs"), EXPANDED)
def test_expand(text: str, pairs: str) -> None:
    found = expand(parse_threads(text), SIZES)
    assert " ".join(f"{group}/{local}" for group, local in found) == pairs


@pytest.mark.parametrize("text", ["11", "4-5", "8-11", "4/1", "3/3", "all/5", "4/all", "11-"])
def test_threads_that_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError):
        expand(parse_threads(text), SIZES)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_process_numbers_and_local_numbers_agree(sizes: list[int], data: st.DataObject) -> None:
    places = expand(ThreadSet(), sizes)
    number = data.draw(st.integers(1, sum(sizes)))
    group, local = places[number - 1]
    assert expand(parse_threads(str(number)), sizes) == expand(parse_threads(f"{group}/{local}"), sizes)


def test_a_set_without_threads_is_refused() -> None:
    for text in ("even", "1/even"):
        with pytest.raises(ValueError, match="no thread is in"):
            expand(parse_threads(text), (1,))


def test_several_words_are_added_up() -> None:
    assert join(parse_threads("1"), parse_threads("3-4,1")) == parse_threads("1,3-4")
    assert join(parse_threads("all"), parse_threads("3")) == ThreadSet()
    with pytest.raises(ValueError, match="cannot be mixed"):
        join(parse_threads("1"), parse_threads("1/1"))


RESOLVED = [
    # text, sizes, groups written, pairs, notice
    ("1/2", (1, 1, 1), False, "2/1", "`thread 1/2` is read as `thread 2`"),
    ("1/all", (1, 1, 1), False, "1/1 2/1 3/1", "`thread 1/all` is read as `thread all`"),
    ("1/2-,1/1", (1, 1, 1), False, "1/1 2/1 3/1", "`thread 1/2-,1/1` is read as `thread 2-,1`"),
    ("1/1,2/1", (1, 1, 1), False, "1/1 2/1", None),
    ("2/1", (1, 1, 1), False, "2/1", None),
    ("1/2", (4,), False, "1/2", None),
    ("1/2", (4, 4), True, "1/2", None),
    ("1-3", (1, 1, 1), False, "1/1 2/1 3/1", None),
    ("2-9", (1, 1, 1), False, "2/1 3/1", "`thread 2-9` has threads that do not exist"),
    ("2/3-5", (4, 4), True, "2/3 2/4", "`thread 2/3-5` has threads"),
    ("all", (2, 2), True, "1/1 1/2 2/1 2/2", None),
]


@pytest.mark.parametrize(("text", "sizes", "written", "pairs", "notice"), RESOLVED)
def test_resolve(text: str, sizes: tuple[int, ...], written: bool, pairs: str, notice: str | None) -> None:
    found, said = resolve_threads(parse_threads(text), sizes, written)
    assert " ".join(f"{group}/{local}" for group, local in found) == pairs
    assert (said or "").startswith(notice or "") and bool(said) == bool(notice)


@pytest.mark.parametrize(
    ("text", "sizes", "written"), [("1/4", (1, 1, 1), False), ("4", (1, 1, 1), False), ("1-3", (2, 2), True)]
)
def test_resolve_refuses(text: str, sizes: tuple[int, ...], written: bool) -> None:
    with pytest.raises(ValueError):
        resolve_threads(parse_threads(text), sizes, written)
