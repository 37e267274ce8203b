from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.cpu_words import MAX_CPU, SetStep, Span, cpu_numbers, read_cpu_map, read_cpu_set, read_span


def test_cpu_numbers() -> None:
    assert cpu_numbers("0-3,5") == {0, 1, 2, 3, 5}
    assert cpu_numbers("3-1") == {1, 2, 3}
    assert cpu_numbers("4090-") == set(range(4090, MAX_CPU + 1))


@pytest.mark.parametrize("text", ["", "x", "-3", "1,,2", "9999", "1-2-3"])
def test_bad_cpu_numbers(text: str) -> None:
    with pytest.raises(ValueError):
        cpu_numbers(text)


SPANS = [
    ("all", Span(1, 0, 1), "1 2 3 4 5 6 7 8"),
    ("odd", Span(1, 0, 2), "1 3 5 7"),
    ("even", Span(2, 0, 2), "2 4 6 8"),
    ("3", Span(3, 3), "3"),
    ("3-5", Span(3, 5), "3 4 5"),
    ("5-3", Span(3, 5), "3 4 5"),
    ("6-", Span(6, 0), "6 7 8"),
]


@pytest.mark.parametrize(("text", "span", "members"), SPANS)
def test_spans(text: str, span: Span, members: str) -> None:
    assert read_span(text, 8) == span
    found = [number for number in range(1, 9) if number in span]
    assert " ".join(map(str, found)) == members
    assert [span.index(number) for number in found] == list(range(len(found)))
    assert span.count(8) == len(found)


MAPS = [
    # line, {(group, thread): what it says}
    ("1/all 0-3", {(1, 1): (0, 1, 2, 3), (1, 64): (0, 1, 2, 3), (2, 1): None}),
    ("1 4,2", {(1, 9): (2, 4), (2, 1): None}),
    ("odd/2 1", {(1, 2): (1,), (3, 2): (1,), (2, 2): None, (1, 1): None}),
    ("auto:1/1-4 3 2 1 0", {(1, 1): (0,), (1, 4): (3,), (1, 5): None}),
    ("auto:1/1-4 0-1 6-7", {(1, 2): (1,), (1, 3): (6,)}),
    ("auto:1/even 0-31", {(1, 2): (0,), (1, 4): (1,), (1, 64): (31,), (1, 3): None}),
    ("auto:1-4/1 8-11", {(1, 1): (8,), (4, 1): (11,), (4, 2): None, (5, 1): None}),
    ("auto:1-2/1-4 0-7", {(1, 4): (3,), (2, 1): (4,), (2, 4): (7,)}),
    ("auto:1-4 8-11", {(1, 1): (8,), (1, 2): (8,), (4, 1): (11,)}),
    ("auto:1 0-63", {(1, 1): (0,), (1, 64): (63,), (1, 65): None}),
    ("auto:1-2 0-127", {(2, 1): (64,)}),
    ("auto:1/1- 0-63", {(1, 64): (63,)}),
]


@pytest.mark.parametrize(("line", "expected"), MAPS, ids=[line for line, _ in MAPS])
def test_cpu_maps(line: str, expected: dict[tuple[int, int], tuple[int, ...] | None]) -> None:
    found = read_cpu_map(line.split())
    assert {pair: found.cpus_of(*pair) for pair in expected} == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("auto:1/1-4 0", "4 threads and 1 CPUs cannot be paired"),
        ("auto:1/1 0-3", "1 threads and 4 CPUs"),
        ("auto:1-2/1-4 0-3", "8 threads and 4 CPUs"),
        ("auto:1-3 0-3", "3 groups and 4 CPUs"),
        ("1/65 0", "from 1 to 64"),
        ("257 0", "from 1 to 256"),
    ],
)
def test_refused_cpu_maps(line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_cpu_map(line.split())


@given(st.integers(1, 64), st.integers(1, 64), st.data())
def test_an_automatic_map_is_one_to_one(first: int, last: int, data: st.DataObject) -> None:
    low, high = sorted((first, last))
    size = high - low + 1
    cpus = data.draw(st.lists(st.integers(0, 300), min_size=size, max_size=size, unique=True))
    found = read_cpu_map([f"auto:1/{low}-{high}", *map(str, cpus)])
    given_out = [found.cpus_of(1, thread) for thread in range(low, high + 1)]
    assert given_out == [(cpu,) for cpu in sorted(cpus)]


def test_cpu_set() -> None:
    assert read_cpu_set(["reset", "drop-cpu", "0-1", "only-node", "1"]) == (
        SetStep("reset"),
        SetStep("drop", "cpu", frozenset({0, 1})),
        SetStep("only", "node", frozenset({1})),
    )
    for line, complaint in (("drop-x 1", "unknown word 'drop-x'"), ("only-cpu", "expects a list")):
        with pytest.raises(ValueError, match=complaint):
            read_cpu_set(line.split())
