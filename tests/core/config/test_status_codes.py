"""Which statuses are errors and failures: the manual's examples, what is wrong, how they are written out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.dump import dump
from maniple.core.config.global_spec import ERROR_CODES, FAILURE_CODES
from maniple.core.config.status_codes import show_ranges

USUAL = set(range(400, 500))
FAILURES = set(range(500, 600)) - {501, 505}
CASES: list[tuple[str, set[int]]] = [
    ("http-err-codes 400,402-444,446-480,490", {400, *range(402, 445), *range(446, 481), 490}),
    ("http-err-codes 400-499 -450 +500", USUAL - {450} | {500}),
    ("http-err-codes -450-459", USUAL - set(range(450, 460))),
    ("http-err-codes +501,505", USUAL | {501, 505}),
    ("http-err-codes 400 402", {402}),
    ("http-err-codes -400-599", set()),
    ("http-err-codes -404\n    http-err-codes -410", USUAL - {404, 410}),
    ("http-err-codes 100-599", set(range(100, 600))),
]


@pytest.mark.parametrize(("lines", "codes"), CASES)
def test_codes(lines: str, codes: set[int], read: Any) -> None:
    outcome = read(f"global\n    {lines}\n")
    assert outcome.good.globals.error_codes == codes
    assert outcome.good.globals.failure_codes == FAILURE_CODES
    assert read(dump(outcome.good)).good.globals.error_codes == codes


def test_failures(read: Any) -> None:
    globals_ = read("global\n    http-fail-codes -500 +429\n").good.globals
    assert (globals_.failure_codes, globals_.error_codes) == (FAILURES - {500} | {429}, ERROR_CODES)
    assert "http-" not in dump(read("global\n").good)


WRONG = [
    ("http-err-codes", "expects"),
    ("http-err-codes 99", "'99' is no status"),
    ("http-err-codes 600", "'600' is no status"),
    ("http-err-codes 499-400", "'499-400' is no status"),
    ("http-err-codes 400,,401", "'' is no status"),
    ("http-err-codes 400 -", "'' is no status"),
    ("http-err-codes +-400", "'-400' is no status"),
    ("http-err-codes 4xx", "'4xx' is no status"),
]


@pytest.mark.parametrize(("line", "says"), WRONG)
def test_what_is_wrong(line: str, says: str, read: Any) -> None:
    assert any(says in error for error in read(f"global\n    {line}\n").errors)


@given(st.frozensets(st.integers(100, 599)))
def test_ranges_say_it_all(codes: frozenset[int]) -> None:
    shown = show_ranges(codes)
    if codes:
        read_back: set[int] = set()
        for piece in shown.split(","):
            first, _, last = piece.partition("-")
            read_back |= set(range(int(first), int(last or first) + 1))
        assert read_back == codes
