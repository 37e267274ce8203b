"""Where sessions and requests are told to tables, and that nobody else pays for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from maniple.core.build import build
from maniple.core.config.parser import load
from maniple.core.relay import passes, tracking
from maniple.core.runtime import Runtime
from maniple.tests.core.relay.fakes import FakeLoop

TEXT = """
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:0
    {front}
    default_backend b
frontend g
    bind 127.0.0.1:0
    default_backend c
backend b
    {back}
    server s 127.0.0.1:1
backend c
    server s 127.0.0.1:1
backend t
    stick-table type ip size 10 store http_req_cnt{more}
"""


@pytest.fixture(autouse=True)
def ordinary_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = SimpleNamespace(collect=lambda: None, freeze=lambda: None, set_threshold=lambda *_: None)
    monkeypatch.setattr("maniple.core.build.gc", quiet)


def built(front: str = "", back: str = "", more: str = "") -> Runtime:
    text = TEXT.format(front=front, back=back, more=more)
    configuration, said = load([("a.cfg", text)], {})
    assert configuration is not None, said.render()
    return build(configuration, loop=FakeLoop().as_loop)


def test_nobody_tracks() -> None:
    for frontend in built(front="http-request deny if { src_http_req_cnt(t) gt 5 }").frontends.values():
        assert not frontend.tracking
        assert tracking.count_request not in frontend.plan and frontend.early == ()
    assert all(frontend.ordinary for frontend in built().frontends.values())


def test_the_session_tracks() -> None:
    for scope in ("connection", "session"):
        f, g = built(front=f"tcp-request {scope} track-sc0 src table t").frontends.values()
        assert f.tracking and f.early[-1] is tracking.count_session
        assert f.plan == (tracking.count_request, passes.leave_frontend) and f.straight is not None
        assert not g.tracking and g.ordinary


def test_requests_are_counted_behind_content_rules() -> None:
    line = "tcp-request content track-sc0 src table t\n    http-request set-header a b"
    f, _ = built(front=line).frontends.values()
    assert f.plan[1] is tracking.count_request and len(f.plan) == 4
    f, _ = built(
        front=f"tcp-request connection track-sc0 src table t\n    {line}\n    tcp-request inspect-delay 1s"
    ).frontends.values()
    assert f.plan.index(tracking.count_request) in (1, 3)


def test_the_backend_tracks() -> None:
    f, g = built(back="tcp-request content track-sc0 src table t\n    http-request set-header a b").frontends.values()
    (route,) = [route for route in f.routes if route.backend.name == "b"]
    assert route.plan[1] is tracking.count_in_backend
    assert f.tracking and tracking.count_request not in f.plan and not g.tracking


def test_responses_are_looked_at_where_a_table_stores_what_they_say() -> None:
    line = "http-request track-sc0 src table t"
    f, _ = built(front=line).frontends.values()
    assert all(route.whole > 0 for route in f.routes)
    f, g = built(front=line, more=",http_err_rate(10s)").frontends.values()
    assert all(route.response_plan[0] is tracking.count_response and route.closing is not None for route in f.routes)
    assert all(route.response_plan == () for route in g.routes)
