"""Languages and their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError

CASES: list[tuple[str, bytes | None]] = [
    ("fr, en", b"fr"),
    ("fr;q=0.5, en", b"en"),
    ("fr;q=0, en;q=0.1", b"en"),
    ("fr;q=0", None),
    ("fr-CA, en", b"fr"),
    ("en-GB;q=0.8, fr;q=0.7", b"en-GB"),
    ("en-GB-x, fr;q=0.7", b"en-GB"),
    ("FR", None),
    ("fr en, en;q=0.1", b"en"),
    ("de, *", None),
    (",,fr", b"fr"),
    ("fr;q=7", b"fr"),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_languages(text: str, expected: bytes | None, value_of: Callable[..., Any]) -> None:
    assert value_of(f"str('{text}'),language(fr;en;en-GB)", None) == expected
    assert value_of(f"str('{text}'),language(fr;en;en-GB,none)", None) == (expected or b"none")


def test_hostile_header(value_of: Callable[..., Any]) -> None:
    """Time that grows with the square of the length would be seen."""
    value = "fr ;" + " ;" * 8000 + ", x" * 4000
    assert value_of(f"str('{value}'),language(fr)", None) == b"fr"


WRONG: list[tuple[str, int, str]] = [
    ("str(a),language(a,b,c)", 21, "at most 2"),
    ("str(a),language", 8, "misses"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
