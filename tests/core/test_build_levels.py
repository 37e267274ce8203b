"""What rates are made of is counted where somebody asks, and only there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from maniple.core.build import build
from maniple.core.config.parser import load
from maniple.core.errors import ClientProtocolError
from maniple.core.relay import passes
from maniple.core.rules.levels import words_of
from maniple.core.runtime import Runtime
from maniple.pools.pulses import Pulses
from maniple.tests.core.relay.fakes import FakeLoop

TEXT = """
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:0
    {}
    default_backend b
frontend g
    bind 127.0.0.1:0
    default_backend b
backend b
    server s 127.0.0.1:1
    server t 127.0.0.1:1
"""
RULE = "http-request deny if {{ {} gt 5 }}"


@pytest.fixture(autouse=True)
def ordinary_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = SimpleNamespace(collect=lambda: None, freeze=lambda: None, set_threshold=lambda *_: None)
    monkeypatch.setattr("maniple.core.build.gc", quiet)


def built(line: str, **words: Any) -> Runtime:
    configuration, said = load([("a.cfg", TEXT.format(line))], {})
    assert configuration is not None, said.render()
    return build(configuration, loop=FakeLoop().as_loop, **words)


def test_nobody_asks() -> None:
    runtime = built("")
    f, g = runtime.frontends["f"], runtime.frontends["g"]
    assert not f.plan and not g.plan and not f.early and f.ordinary and g.ordinary
    assert f.read_request.__name__ == "read_request"
    assert runtime.backends[0]._took_hook is None
    assert runtime._levels is None


def test_asking_how_busy_somebody_is_counts_nothing() -> None:
    runtime = built(RULE.format("be_conn(b)"))
    # Alone there is nobody to tell.
    assert runtime._levels is None
    assert not runtime.frontends["g"].plan and runtime.frontends["g"].ordinary


def test_requests_are_counted_where_heads_are_read() -> None:
    runtime = built(RULE.format("fe_req_rate(g)"))
    f, g = runtime.frontends["f"], runtime.frontends["g"]
    assert g.ordinary and not g.plan
    g.read_request(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ClientProtocolError):
        g.read_request(b"nonsense\r\n\r\n")
    f.read_request(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (f.requests, g.requests) == (0, 2)


def test_connections_are_counted_behind_the_rules_for_them() -> None:
    runtime = built("tcp-request connection reject if { fe_sess_rate gt 5 }")
    f, g = runtime.frontends["f"], runtime.frontends["g"]
    assert len(f.early) == 2 and len(g.early) == 1
    assert f.early[1](cast(Any, None)) is None
    assert (f.sessions, g.sessions) == (1, 0)


def test_arrivals_are_counted_on_all_ways_to_the_backend() -> None:
    runtime = built(RULE.format("be_sess_rate(b)"))
    backend = runtime.backends[0]
    for frontend in runtime.frontends.values():
        assert not frontend.ordinary and frontend.plan[-1] is passes.leave_frontend
        route = frontend.default_route
        assert route.plan[0](cast(Any, None)) is None and route.plan[-1] is passes.send
    assert backend.sessions == 2


def test_servers_count_what_they_are_given() -> None:
    runtime = built(RULE.format("srv_sess_rate(b/t)"))
    backend = runtime.backends[0]
    backend.took(backend.servers[1])
    backend.freed(backend.servers[1])
    assert [server.sessions for server in backend.servers] == [0, 1]
    assert not runtime.frontends["g"].plan


def test_a_log_line_may_ask_too() -> None:
    runtime = built('log stdout format raw local0\n    log-format "%[fe_req_rate]"')
    frontend = runtime.frontends["f"]
    frontend.read_request(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert frontend.requests == 1 and frontend.ordinary


def test_threads_see_each_other() -> None:
    line = RULE.format("fe_conn(g)")
    configuration, _ = load([("a.cfg", TEXT.format(line))], {})
    assert configuration is not None
    words = words_of(configuration)
    pulses = Pulses(memoryview(bytearray(Pulses.size(2, words))), 2, words)
    pulses.use(2)
    one, other = (built(line, part=part, parts=2, pulse=pulses.pulse(part + 1)) for part in range(2))
    other.frontends["g"].connections = 6
    verdict = one.frontends["f"].plan[0](exchange_of(one))
    assert verdict is None
    other._beat()
    verdict = one.frontends["f"].plan[0](exchange_of(one))
    assert verdict is not None
    pulses.clear(2)
    assert one.frontends["f"].plan[0](exchange_of(one)) is None


def exchange_of(runtime: Runtime) -> Any:
    return SimpleNamespace(session=SimpleNamespace(frontend_name="f"), steps=None, lenient=False)
