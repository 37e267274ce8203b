"""How `sticky` lines are written again."""

from __future__ import annotations

import pytest
from maniple.core.config.sticky_spec import ALWAYS, NEVER, StickySpec, return_words


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (StickySpec("cookie", "S"), "cookie S options HttpOnly size 100000"),
        (
            StickySpec("cookie", "S", 90_000, 5, True, 3, True, True, "Path=/a"),
            "cookie S enforce max-misses 3 lifetime 90s options Path=/a bind-ip bind-ua size 5",
        ),
        (StickySpec("learn cookie", "J"), "learn cookie J size 100000"),
        (StickySpec("header", "x-id", 1000), "header x-id lifetime 1s size 100000"),
    ],
)
def test_words(spec: StickySpec, line: str) -> None:
    assert " ".join(spec.words) == line


def test_tables() -> None:
    spec = StickySpec("cookie", "S")
    assert (spec.table, spec.misses) == ("sticky/S", "sticky/S/misses")
    assert spec.own
    assert not StickySpec("learn cookie", "S").own


def test_return() -> None:
    assert [return_words(value) for value in (NEVER, ALWAYS, 90_000)] == [("never",), ("always",), ("idle", "90s")]
