"""The ways to backup backends: which there are, and what they run."""

from __future__ import annotations

import gc

import pytest
from maniple.core.relay.route import Route
from maniple.core.runtime import Runtime
from maniple.tests.core.test_build import built

TEXT = """
defaults
    mode http
    timeout client 1s
    timeout connect 1s
    timeout server 1s
frontend f
    bind 127.0.0.1:0
    http-response set-header F f
    default_backend main
backend main
    backup-backend spare
    option backup-on-full
    cookie C insert
    http-response set-header M m
    http-after-response set-header A a
    server s 127.0.0.1:1 cookie c
backend spare
    timeout server 7s
    backup-backend main
    http-response set-header S s
    server t 127.0.0.1:2
backend alone
    server u 127.0.0.1:3
"""


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    return built(TEXT)


def test_the_ways(runtime: Runtime) -> None:
    main, spare, alone = runtime.backends
    assert (main.spare, spare.spare, alone.spare) == (spare, main, None)
    frontend = runtime.frontends["f"]
    route = frontend.default_route
    way = route.backup
    assert isinstance(way, Route)
    assert route.spills_full
    assert way.backend is spare
    assert way.server_timeout == 7000.0
    assert way.backup is None
    assert way.plan == ()
    # Rules are those of the backend that was asked for; the cookie names servers that are not there.
    assert way.response_plan == route.response_plan[: -len(main.closers)]
    assert way.after_plan == route.after_plan
    assert way.whole == -1
    assert way in frontend.routes
