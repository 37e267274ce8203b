"""The rig of the wire tests: one event loop for maniple, HAProxy as oracle."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rig.compare import Plays
from rig.haproxy import Oracle, find_oracle
from rig.ours import LoopThread


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    found = find_oracle()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is missing: apt-get install haproxy")
        pytest.skip("haproxy is not installed")
    return found


@pytest.fixture(scope="module")
def plays(request: pytest.FixtureRequest, loop_thread: LoopThread, oracle: Oracle) -> Iterator[Plays]:
    """The cases of a module that were selected."""
    path = request.path
    cases = [
        item.callspec.params["case"]
        for item in request.session.items
        if item.path == path and isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    playing = Plays(cases, loop_thread, oracle)
    yield playing
    playing.close()
