"""Rules put into frontends and routes: which plans there are, and that nothing is there without rules."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from maniple.core.build import build
from maniple.core.build_rules import bare_backend, first_of
from maniple.core.config.parser import load
from maniple.core.errors import ConfigError
from maniple.core.relay import binding, inspection, passes, responding
from maniple.core.rules import stick_rules
from maniple.core.runtime import Runtime
from maniple.tests.core.relay.fakes import FakeLoop

DEFAULTS = """
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
"""
BACK = """
backend b
    server s 127.0.0.1:1
backend c
    server s 127.0.0.1:1
"""


@pytest.fixture(autouse=True)
def ordinary_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gc, "freeze", lambda: None)
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


def built(front: str = "", back: str = "", sections: str = BACK) -> Runtime:
    lines = "".join(f"    {line}\n" for line in front.split("\n") if line)
    more = "".join(f"    {line}\n" for line in back.split("\n") if line)
    text = f"{DEFAULTS}frontend f\n    bind 127.0.0.1:0\n    default_backend b\n{lines}"
    configuration, said = load([("case.cfg", text + sections.replace("backend b\n", f"backend b\n{more}"))], {})
    assert configuration is not None, said.render()
    return build(configuration, loop=FakeLoop().as_loop)


def test_nothing_without_rules() -> None:
    frontend = built("acl unused path /").frontends["f"]
    assert frontend.ordinary
    assert (frontend.plan, frontend.early) == ((), ())
    assert frontend.route is frontend.default_route
    assert (frontend.route.plan, frontend.route.response_plan, frontend.route.after_plan) == ((), (), ())
    assert frontend.route.whole > 0
    assert len(frontend.routes) == 1


TABLE = "stick-table type string len 9 size 9\n"


def test_stick_rules_are_the_last_of_requests_and_the_first_of_responses() -> None:
    lines = f"{TABLE}cookie X insert\nuse-server s if FALSE\nstick on path\nstick store-response res.hdr(a)\n"
    lines += "http-response set-header b c"
    route = built(back=lines).frontends["f"].default_route
    assert route.plan[-3] is binding.bind and route.plan[-1] is passes.send
    assert route.response_plan[1] is stick_rules.write and len(route.response_plan) == 4


def test_what_only_matches_leaves_responses_alone() -> None:
    route = built(back=f"{TABLE}stick match path").frontends["f"].default_route
    assert len(route.plan) == 2 and route.response_plan == () and route.whole > 0


def test_what_only_learns_of_responses_leaves_requests_alone() -> None:
    frontend = built(back=f"{TABLE}stick store-response res.hdr(a)").frontends["f"]
    route = frontend.default_route
    assert frontend.ordinary and route.plan == ()
    assert route.response_plan[0] is stick_rules.forget and route.response_plan[2] is stick_rules.write


def test_a_table_alone_costs_nothing() -> None:
    frontend = built(back=TABLE).frontends["f"]
    assert frontend.ordinary and frontend.route.plan == frontend.route.response_plan == ()


def test_streams_are_read_for_stick_rules() -> None:
    frontend = built("mode tcp", f"mode tcp\n{TABLE}stick on req.hdr(a)").frontends["f"]
    assert frontend.default_route.plan[0] is inspection.look


def test_a_frontend_begins_at_itself() -> None:
    frontend = built("http-request deny if { path /x }").frontends["f"]
    assert not frontend.ordinary
    assert frontend.plan[-1] is passes.leave_frontend and len(frontend.plan) == 2
    assert frontend.route.backend.name == "f" and not frontend.route.backend.servers
    assert frontend.default_route.backend.name == "b"
    assert set(frontend.route_to) == {b"b"}


def test_rules_of_the_backend_alone() -> None:
    frontend = built("", "http-request deny\nuse-server s if { path /x }").frontends["f"]
    assert frontend.plan == (passes.leave_frontend,)
    assert not frontend.ordinary
    assert frontend.route is frontend.default_route
    assert len(frontend.route.plan) == 3 and frontend.route.plan[-1] is passes.send
    assert frontend.route.whole > 0


def test_rules_of_responses_alone() -> None:
    frontend = built("http-response set-header A b", "http-response set-header A c").frontends["f"]
    assert frontend.ordinary and not frontend.plan
    assert len(frontend.route.response_plan) == 2
    assert frontend.route.whole == -1


def test_monitor_uri_beside_rules_of_the_backend() -> None:
    frontend = built("monitor-uri /alive", "http-request deny").frontends["f"]
    assert frontend.plan == (passes.monitor, passes.leave_frontend)
    assert not built("monitor-uri /alive").frontends["f"].plan
    assert len(built("monitor-uri /alive\nmonitor fail if TRUE").frontends["f"].plan) == 2


def test_bodies_are_waited_for() -> None:
    assert len(built("option http-buffer-request").frontends["f"].plan) == 2
    assert len(built("", "option http-buffer-request").frontends["f"].default_route.plan) == 2


def test_responses_are_only_looked_at_where_rules_do() -> None:
    frontend = built("use_backend c if { path /c }", "http-response set-header A %[status]").frontends["f"]
    assert {name: route.whole for name, route in frontend.route_to.items()} == {b"b": -1, b"c": 16384}


def test_a_backend_with_the_frontends_name() -> None:
    text = f"{DEFAULTS}frontend f\n    bind 127.0.0.1:0\n    use_backend f if TRUE\n"
    configuration, _ = load([("case.cfg", f"{text}backend f\n    server s 127.0.0.1:1\n")], {})
    assert configuration is not None
    frontend = build(configuration, loop=FakeLoop().as_loop).frontends["f"]
    assert len(frontend.route_to[b"f"].backend.servers) == 1
    assert not frontend.default_route.backend.servers


def test_a_mapping_is_mirrored() -> None:
    frontend = built("http-request map-uri /a /b").frontends["f"]
    assert frontend.default_route.response_plan == (responding.mirror,)


def test_backends_that_rules_may_choose() -> None:
    assert set(built("use_backend c if { path /x }").frontends["f"].route_to) == {b"b", b"c"}
    assert set(built("use_backend %[path]").frontends["f"].route_to) == {b"b", b"c"}
    assert set(built("http-request if TRUE then use_backend c").frontends["f"].route_to) == {b"b", b"c"}
    other = f"{BACK}    mode http\nbackend t\n    mode tcp\n    server s 127.0.0.1:1\n"
    assert set(built("use_backend %[path]", sections=other).frontends["f"].route_to) == {b"b", b"c"}


def test_a_listen_section_has_one_pass() -> None:
    text = f"{DEFAULTS}listen l\n    bind 127.0.0.1:0\n    http-request allow\n    http-response allow\n"
    text += "    http-after-response allow\n    server s 127.0.0.1:1\n"
    configuration, _ = load([("case.cfg", text)], {})
    assert configuration is not None
    frontend = build(configuration, loop=FakeLoop().as_loop).frontends["l"]
    assert len(frontend.plan) == 2 and not frontend.route.plan
    assert len(frontend.route.response_plan) == len(frontend.route.after_plan) == 1


def test_addresses_are_packed_where_rules_look_at_them() -> None:
    assert built("", "http-request set-header A %[src]").frontends["f"].wants_packed
    assert not built("", "http-request set-header A %[path]").frontends["f"].wants_packed


def test_connections_and_sessions() -> None:
    assert len(built("tcp-request connection accept").frontends["f"].early) == 1
    assert len(built("tcp-request session accept").frontends["f"].early) == 2


def test_the_first_error_is_raised() -> None:
    with pytest.raises(ConfigError) as caught:
        built("http-request denny\nhttp-request set-header A %[nothing]")
    error = caught.value
    assert (error.file, error.line, error.column, error.word) == ("case.cfg", 10, 18, "denny")


def test_first_of() -> None:
    errors = [ConfigError("b", file="x", line=3, column=1), ConfigError("a", file="x", line=2, column=9)]
    assert first_of(errors).message == "a"


def test_bare_backend() -> None:
    spec = built().frontends["f"].spec
    assert bare_backend(spec).name == "f"


def test_rules_of_http_are_not_run_for_clients_of_a_tcp_frontend() -> None:
    """Whatever mode the backend has: there is no HTTP for them to look at."""
    lines = "http-request deny\nredirect location /x\nhttp-response deny\nhttp-after-response allow\ncookie A insert"
    route = built("mode tcp", lines).frontends["f"].default_route
    assert (route.plan, route.response_plan, route.after_plan) == ((), (), ())
    route = built("mode tcp", f"{lines}\ntcp-request content accept").frontends["f"].default_route
    assert len(route.plan) == 2 and route.plan[-1] is passes.send
