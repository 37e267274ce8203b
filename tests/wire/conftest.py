"""The rig of the wire tests: one event loop for maniple, HAProxy as oracle."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.haproxy import Oracle, find_oracle
from maniple.tests.wire.rig.ours import LoopThread


@pytest.fixture(scope="module")
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
    cases: list[Case] = []
    for item in request.session.items:
        if item.path == path and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            case = item.callspec.params["case"]
            assert isinstance(case, Case)
            cases.append(case)
    playing = Plays(cases, loop_thread, oracle)
    yield playing
    playing.close()
