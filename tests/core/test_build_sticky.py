"""Where sticky sessions come in: which plans have them, and servers whose numbers are equal."""

from __future__ import annotations

import gc

import pytest
from maniple.core import build_sticky
from maniple.core.errors import ConfigError
from maniple.core.relay import passes
from maniple.core.relay.sticky import Sticky
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
    use_backend alone if { path /alone }
    default_backend main
frontend g
    bind 127.0.0.1:0
    default_backend alone
backend main
    backup-backend spare
    http-request set-header A a
    http-response set-header B b
    sticky cookie S enforce
    server s 127.0.0.1:1
backend spare
    server t 127.0.0.1:2
backend alone
    server u 127.0.0.1:3
listen both
    bind 127.0.0.1:0
    sticky header X
    server v 127.0.0.1:4
"""


@pytest.fixture(autouse=True)
def ordinary_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)


@pytest.fixture
def runtime() -> Runtime:
    return built(TEXT)


def test_the_steps(runtime: Runtime) -> None:
    frontend = runtime.frontends["f"]
    route = frontend.default_route
    *_, bind, last = route.plan
    assert last is passes.send
    close = route.response_plan[-1]
    sticky = bind.__self__  # type: ignore[attr-defined]
    assert isinstance(sticky, Sticky)
    assert (bind, close) == (sticky.bind, sticky.close)
    assert len(route.plan) == 3
    assert len(route.response_plan) == 2
    # The response of the backup's servers tells of the same session.
    assert route.backup is not None
    assert route.backup.response_plan == route.response_plan
    # Misses are counted by address.
    assert frontend.wants_packed


def test_others_have_nothing_of_it(runtime: Runtime) -> None:
    alone = runtime.frontends["f"].route_to[b"alone"]
    assert (alone.plan, alone.response_plan) == ((), ())
    other = runtime.frontends["g"]
    assert other.ordinary
    assert not other.plan


def test_without_rules_a_frontend_gets_a_plan(runtime: Runtime) -> None:
    both = runtime.frontends["both"]
    assert both.plan == (passes.leave_frontend,)
    assert not both.ordinary
    assert not both.wants_packed
    assert len(both.default_route.plan) == 2


def test_servers_of_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_sticky, "number_of", lambda name: len(name))
    with pytest.raises(ConfigError, match="cannot tell"):
        built(TEXT)
