"""Hashes: known values; many more are compared with HAProxy."""

from __future__ import annotations

import pytest
from maniple.core.rules.hashes import avalanche, sdbm


@pytest.mark.parametrize(("text", "plain", "spread"), [(b"", 0, 0), (b"h", 104, 1228821030)])
def test_sdbm(text: bytes, plain: int, spread: int) -> None:
    assert sdbm(text) == plain
    assert text == b"" or avalanche(plain) == spread
    assert 0 <= avalanche(plain) < 1 << 32
