from __future__ import annotations

import pytest
from maniple.groups.cpu_map import map_threads

ALL = frozenset(range(8))
CASES = [
    # lines, sizes, groups written, what each thread is mapped to
    ("1/1-2 0-3", (4, 4), True, {(1, 1): (0, 1, 2, 3), (1, 2): (0, 1, 2, 3)}),
    ("auto:1/1-4 3 2 1 0", (4,), False, {(1, 1): (0,), (1, 2): (1,), (1, 3): (2,), (1, 4): (3,)}),
    ("auto:1-2/1 4-5", (4, 4), True, {(1, 1): (4,), (2, 1): (5,)}),
    ("auto:1-2 4-5", (2, 1), True, {(1, 1): (4,), (1, 2): (4,), (2, 1): (5,)}),
    ("2 3", (1, 1), False, {(2, 1): (3,)}),
    ("1/odd 0 | 1/1 5", (3,), True, {(1, 1): (5,), (1, 3): (0,)}),
    ("auto:1/1-4 0-3", (1, 1, 1, 1), False, {(1, 1): (0,), (2, 1): (1,), (3, 1): (2,), (4, 1): (3,)}),
    ("1 2", (1, 1), False, {(1, 1): (2,), (2, 1): (2,)}),
    ("1 2 | 2 3", (1, 1), False, {(1, 1): (2,), (2, 1): (3,)}),
    ("1/1- 0-", (2,), True, {(1, 1): tuple(range(8)), (1, 2): tuple(range(8))}),
    ("1/1 6-9", (1,), True, {(1, 1): (6, 7)}),
    ("1/1 3 | 1/1 9", (1,), True, {}),
]


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.split("|")]


@pytest.mark.parametrize(("text", "sizes", "written", "expected"), CASES)
def test_map(
    text: str, sizes: tuple[int, ...], written: bool, expected: dict[tuple[int, int], tuple[int, ...]]
) -> None:
    assert map_threads(lines(text), sizes, ALL, written).cpus == expected


@pytest.mark.parametrize(
    ("text", "sizes", "written", "notices", "warnings"),
    [
        ("1/1 0", (1,), False, [], []),
        ("1/1- 0-", (1,), True, [], []),
        ("1/2 0", (1,), True, ["`cpu-map 1/2 0` names no thread that there is"], []),
        ("1/1 6-9", (1,), True, ["`cpu-map 1/1 6-9`: CPUs 8-9 may not be used and are left out"], []),
        (
            "1/1-2 9",
            (2,),
            True,
            [],
            [
                "`cpu-map 1/1-2 9` has no effect for 2 of 2 threads: CPUs 9 are not among those that may be used (0-7)",
            ],
        ),
        (
            "1/2 3",
            (1, 1),
            False,
            [
                "`cpu-map 1/2 3`: without `nbgroup` the numbers of group 1 are those of the whole, as in HAProxy, "
                "which then has one group"
            ],
            [],
        ),
    ],
)
def test_remarks(text: str, sizes: tuple[int, ...], written: bool, notices: list[str], warnings: list[str]) -> None:
    mapping = map_threads(lines(text), sizes, ALL, written)
    assert mapping.notices == notices
    assert mapping.warnings == warnings
