"""What a `cookie` line says, and how it is written again."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.cookie_spec import CookieSpec

LINES = (
    "S",
    "S insert",
    "S insert indirect nocache postonly preserve httponly secure dynamic",
    "S insert domain a.b domain .c.d maxidle 5 maxlife 60 attr SameSite=None attr Q",
)


@pytest.mark.parametrize("line", LINES)
def test_written_again(read: Any, line: str) -> None:
    spec = read(f"backend b\n mode http\n cookie {line}\n").good.proxies[0].cookie
    assert isinstance(spec, CookieSpec)
    assert " ".join(spec.words) == line
