from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def byte_code() -> Iterator[None]:
    """The commands that tests start share byte code, even where Python is told to keep none: a start is then three
    times as quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield
