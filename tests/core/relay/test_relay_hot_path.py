"""The path of an ordinary request: no task, no future, no timer, no log, few calls."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from maniple.core import session
from maniple.core.config.model import Timeouts
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import GET, OK, OK_SENT, Rig

ROOT = Path(session.__file__).parent.parent
OURS = (f"{ROOT}/core/", f"{ROOT}/pools/")
MOST_CALLS = 17
"""Python functions of ours that one request may call, from its bytes to the client's: 17 when this was written. Each
costs 0.1 us or more."""


@pytest.fixture
def pair(make_rig: Callable[..., Rig]) -> tuple[Rig, FakeTransport, FakeTransport]:
    """A client and a server connection that know each other, without a log (as `pooled keep-alive GET`)."""
    rig = make_rig(timeouts=Timeouts(client=30_000, server=30_000, connect=5_000))
    rig.frontend.access_log = None
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, OK)
    for _ in range(3):
        serve(client, server)
    client.take()
    server.take()
    return rig, client, server


def serve(client: FakeTransport, server: FakeTransport) -> None:
    """One request and its response, without a turn of the loop in between."""
    client.protocol.data_received(GET)
    server.protocol.data_received(OK)


@contextmanager
def python_calls() -> Iterator[Counter[str]]:
    """Counts the Python functions of the package (fakes and tests apart) that are called."""
    calls: Counter[str] = Counter()

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def test_asks_nothing_of_the_loop(pair: tuple[Rig, FakeTransport, FakeTransport]) -> None:
    rig, client, server = pair
    rig.loop.asked.clear()
    pending = rig.loop.pending
    for _ in range(100):
        serve(client, server)
        assert client.take() == OK_SENT
    assert rig.loop.asked == Counter()
    assert rig.loop.pending == pending
    assert len(rig.dials) == 1
    assert rig.route.traffic[0].classes[2] == 104


def test_deadlines_cost_no_timer_either(pair: tuple[Rig, FakeTransport, FakeTransport]) -> None:
    """Over a minute with a request each 100 ms, buckets come up, and nothing is filed for a request."""
    rig, client, server = pair
    rig.loop.asked.clear()
    for _ in range(600):
        rig.loop.advance(100.0)
        before = rig.loop.asked["call_at"]
        serve(client, server)
        assert rig.loop.asked["call_at"] == before
    assert set(rig.loop.asked) <= {"call_at"}
    assert rig.loop.asked["call_at"] < 20


def test_makes_no_task_and_no_future(
    pair: tuple[Rig, FakeTransport, FakeTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("not on the path of a request")

    _, client, server = pair
    forbidden = (
        (asyncio, "Future"),
        (asyncio, "Task"),
        (asyncio, "create_task"),
        (asyncio, "ensure_future"),
        (logging.Logger, "_log"),
        (logging.Logger, "isEnabledFor"),
        (logging.Logger, "handle"),
        (logging, "getLogger"),
    )
    with monkeypatch.context() as patch:
        for place, name in forbidden:
            patch.setattr(place, name, never)
        serve(client, server)
    assert client.take() == OK_SENT


def test_one_write_to_each_side(pair: tuple[Rig, FakeTransport, FakeTransport]) -> None:
    _, client, server = pair
    client.writes = server.writes = 0
    client.calls.clear()
    server.calls.clear()
    serve(client, server)
    assert (client.writes, server.writes) == (1, 1)
    assert client.calls == server.calls == []


def test_few_calls(pair: tuple[Rig, FakeTransport, FakeTransport]) -> None:
    _, client, server = pair
    with python_calls() as calls:
        serve(client, server)
    assert calls["ClientConnection.data_received"] == 1, "the count counts"
    assert calls.total() <= MOST_CALLS, dict(calls)


def test_makes_no_object_that_stays(pair: tuple[Rig, FakeTransport, FakeTransport]) -> None:
    """The exchange of a connection is one object, and its fields are set, not grown."""
    rig, client, server = pair
    own = client.protocol.own  # type: ignore[attr-defined]
    serve(client, server)
    assert client.protocol.own is own  # type: ignore[attr-defined]
    assert not own.dirty
    assert len(rig.relay.timers) == 2
