"""What logs add to frontends and routes, and that nothing is added to those that want nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from maniple.core import build as build_module
from maniple.core.build import build
from maniple.core.config.parser import load
from maniple.core.errors import ConfigError
from maniple.core.relay import passes
from maniple.core.relay.route import LARGE, Frontend

START = """defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend web
    bind 127.0.0.1:1
    log stderr local0
    {lines}
    default_backend back
backend back
    server one 127.0.0.1:1
"""


@pytest.fixture(autouse=True)
def quiet_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(collect=lambda: 0, freeze=lambda: None, set_threshold=lambda *_: None)
    monkeypatch.setattr(build_module, "gc", nothing)


def frontend(*lines: str) -> Frontend:
    configuration, said = load([("t.cfg", START.format(lines="\n    ".join(lines)))], {})
    assert configuration is not None, said.render()
    loop = asyncio.new_event_loop()
    try:
        return build(configuration, loop=loop, pid=1).frontends["web"]
    finally:
        loop.close()


@pytest.mark.parametrize("line", ["option httplog", "option httplog json", 'log-format "%[var(txn.a)] %ST"'])
def test_formats_without_wishes_cost_nothing(line: str) -> None:
    made = frontend(line)
    assert made.ordinary and made.plan == ()
    assert [route.whole for route in made.routes] == [LARGE]
    assert made.early_log is None


def test_captures_are_passes() -> None:
    made = frontend("option httplog", "capture request header Host len 5", "capture response header Server len 5")
    assert not made.ordinary
    assert made.plan[-1] is passes.leave_frontend and len(made.plan) == 2
    (route,) = made.routes
    assert len(route.response_plan) == 1 and route.whole == -1


def test_an_identifier_is_added_last() -> None:
    made = frontend("option httplog", "unique-id-format %ci", "unique-id-header X-ID")
    (route,) = made.routes
    assert made.unique_id is not None
    assert len(route.plan) == 2 and route.plan[-1] is passes.send


def test_logasap_looks_at_every_response() -> None:
    made = frontend("option httplog", "option logasap")
    assert made.early_log is made.access_log
    assert [route.whole for route in made.routes] == [-1]


def test_what_expressions_need_is_there() -> None:
    made = frontend('log-format "%[src]"')
    assert made.wants_packed and made.wants_source and made.ordinary
    assert [route.closing is None for route in frontend('log-format "%[capture.res.ver]"').routes] == [False]


def test_the_first_mistake_is_raised() -> None:
    with pytest.raises(ConfigError, match="not a length") as caught:
        frontend("capture request header Host len x")
    assert caught.value.line == 9
