"""From a configuration to a runtime: shares of limits, ways between proxies, and what only now is seen to be wrong."""

from __future__ import annotations

import gc
import os
import resource
from collections.abc import Iterator
from typing import Any

import pytest
from maniple.core.build import DESCRIPTOR_RESERVE, build
from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.core.errors import ConfigError
from maniple.core.relay.handing import Inboxes
from maniple.core.runtime import Runtime
from maniple.pools.pulses import Pulses
from maniple.pools.slots import Shares
from maniple.tests.core.relay.fakes import FakeLoop


@pytest.fixture(autouse=True)
def ordinary_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """build() freezes what is there: not in a process that lives on."""
    asked: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: asked.append("freeze"))
    thresholds = gc.get_threshold()
    yield asked
    gc.set_threshold(*thresholds)


def configured(text: str) -> Configuration:
    configuration, said = load([("test.cfg", text)], {})
    assert configuration is not None, said.render()
    return configuration


def built(text: str, **words: Any) -> Runtime:
    return build(configured(text), loop=FakeLoop().as_loop, **words)


SHARED = """
global
    maxconn 10
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:0
    maxconn 10
    default_backend b
backend b
    fullconn 9
    balance leastconn
    server s1 127.0.0.1:1 maxconn 5 minconn 3 pool-max-conn 4
    server s2 127.0.0.1:1 maxconn 2
    server s3 127.0.0.1:1
"""


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_limits_are_shared_out(parts: int) -> None:
    runtimes = [built(SHARED, part=part, parts=parts) for part in range(parts)]
    assert sum(runtime.relay.maxconn for runtime in runtimes) == 10
    backends = [runtime.backends[0] for runtime in runtimes]
    assert sum(backend.servers[0].maxconn for backend in backends) == 5
    assert sum(backend.servers[0].minconn for backend in backends) == 3
    assert [backend.servers[2].maxconn for backend in backends] == [0] * parts
    assert sum(backend.full for backend in backends) == 9


def test_a_limit_that_is_too_small_to_share_is_one_each() -> None:
    runtimes = [built(SHARED, part=part, parts=3) for part in range(3)]
    assert [runtime.backends[0].servers[1].maxconn for runtime in runtimes] == [1, 1, 1]


def test_no_limit_stays_none() -> None:
    runtime = built(SHARED.replace("global\n    maxconn 10\n", ""), part=1, parts=2)
    assert runtime.relay.maxconn >= 0


def test_fullconn_by_default_is_a_tenth_of_who_reaches_it() -> None:
    text = SHARED.replace("    fullconn 9\n", "") + "frontend g\n    maxconn 31\n    default_backend b\n"
    assert built(text).backends[0].full == 5


def test_tuning_reaches_the_relay() -> None:
    relay = built(
        "global\n    tune.bufsize 8192\n    tune.maxrewrite 512\n    tune.http.maxhdr 50\n    tune.http.logurilen 99\n"
        + SHARED.replace("global\n", "").replace("    maxconn 10\n", "", 1)
    ).relay
    assert (relay.bufsize, relay.limits.max_head, relay.limits.max_headers) == (8192, 7680, 50)
    assert relay.uri_length == 99


def test_descriptors_are_left_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda path: ["0", "1", "2"])
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1000, 2000))
    assert built(SHARED).relay.descriptor_limit == 1000 - DESCRIPTOR_RESERVE - 3
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10, 2000))
    assert built(SHARED).relay.descriptor_limit == 4
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, 0))
    assert built(SHARED).relay.descriptor_limit == 1 << 30


def test_collector_is_told(ordinary_collector: list[str]) -> None:
    built(SHARED)
    assert ordinary_collector == ["freeze"]


# Ways.

HEADER = "defaults\n    mode http\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n"


def test_frontend_to_its_backend() -> None:
    runtime = built(SHARED)
    assert runtime.frontends["f"].route.backend is runtime.backends[0]
    assert runtime.frontends["f"].captures is not None


def test_listen_uses_itself() -> None:
    runtime = built(HEADER + "listen x\n    bind 127.0.0.1:0\n    server s 127.0.0.1:1\n")
    (backend,) = runtime.backends
    assert runtime.frontends["x"].route.backend is backend
    assert backend.name == "x"


def test_listen_may_have_another_default() -> None:
    text = "listen x\n    bind 127.0.0.1:0\n    default_backend b\nbackend b\n    server s 127.0.0.1:1\n"
    runtime = built(HEADER + text)
    assert runtime.frontends["x"].route.backend.name == "b"


def test_frontend_without_a_backend() -> None:
    """BK9: 503, under its own name, with its own pages."""
    runtime = built(HEADER + "frontend f\n    bind 127.0.0.1:0\n    errorloc 503 http://x/\n")
    route = runtime.frontends["f"].route
    assert runtime.backends == ()
    assert (route.backend.name, route.backend.servers, route.backend.candidates) == ("f", (), ())
    assert route.replies[503].status == 503
    assert b"http://x/" in route.replies[503].keeping


def test_frontend_without_a_backend_does_not_take_one_of_its_name() -> None:
    text = "frontend x\n    bind 127.0.0.1:0\nbackend x\n    server s 127.0.0.1:1\n"
    runtime = built(HEADER + text)
    assert runtime.frontends["x"].route.backend is not runtime.backends[0]
    assert runtime.frontends["x"].route.backend.servers == ()


def test_disabled_proxies_are_not_there() -> None:
    text = (
        SHARED + "frontend off\n    disabled\n    bind 127.0.0.1:0\n    default_backend b\nbackend gone\n    disabled\n"
    )
    runtime = built(text)
    assert list(runtime.frontends) == ["f"]
    assert [backend.name for backend in runtime.backends] == ["b"]


def test_disabled_default_backend_answers_503() -> None:
    text = HEADER + "frontend f\n    bind 127.0.0.1:0\n    default_backend b\n"
    runtime = built(text + "backend b\n    disabled\n    server s 127.0.0.1:1\n")
    assert runtime.frontends["f"].route.backend.candidates == ()


# Logs.


def test_no_log_line_no_log() -> None:
    frontend = built(SHARED).frontends["f"]
    assert frontend.access_log is None
    assert frontend.log_at_start is None


@pytest.mark.parametrize(("option", "at_start"), [("option httplog", False), ("", True)])
def test_log_of_a_frontend(option: str, at_start: bool) -> None:
    text = SHARED.replace("    maxconn 10\n    default", f"    log stderr local0\n    {option}\n    default")
    frontend = built(text).frontends["f"]
    assert (frontend.log_at_start is not None) == at_start
    assert (frontend.access_log is not None) == (not at_start)
    assert frontend.ordinary == (not at_start)


@pytest.mark.parametrize("keyword", ["log-format", "error-log-format"])
def test_bad_log_format_has_its_place(keyword: str) -> None:
    text = SHARED.replace(
        "    maxconn 10\n    default", f'    log stderr local0\n    {keyword} "%nonsense"\n    default'
    )
    with pytest.raises(ConfigError) as caught:
        built(text)
    assert (caught.value.file, caught.value.line) == ("test.cfg", 12)
    assert caught.value.column == 4 + len(keyword) + 3, "behind the quote"
    assert caught.value.word == "%nonsense"
    assert "not a variable" in str(caught.value)


def test_log_target_that_cannot_be_opened_has_its_place() -> None:
    text = SHARED.replace("    maxconn 10\n    default", "    log fd@999 local0\n    option httplog\n    default")
    with pytest.raises(ConfigError) as caught:
        built(text)
    assert (caught.value.file, caught.value.line) == ("test.cfg", 11)


def test_reports_go_to_the_global_logs() -> None:
    runtime = built(SHARED.replace("global\n", "global\n    log stderr local0\n"), pid=77)
    assert len(runtime._reporters) == 1
    assert runtime._senders.pid == 77


# Dealt anew, and the operator's words.


@pytest.mark.parametrize(("parts", "part"), [(2, 1), (3, 0), (1, 0)])
def test_limits_are_dealt_anew_as_they_would_be_built(parts: int, part: int) -> None:
    shares = Shares(part, parts)
    shares.places["f", -1] = (0, 5)
    runtime = built(SHARED, part=3, parts=4)
    runtime.deal(part, parts, shares)
    new = built(SHARED, part=part, parts=parts, shares=shares)

    def limits(runtime: Runtime) -> list[object]:
        backend = runtime.backends[0]
        return [
            runtime.relay.maxconn,
            runtime.frontends["f"].maxconn,
            backend.full,
            *((one.maxconn, one.minconn, one.ceiling, one.maxqueue, one.pool._room) for one in backend.servers),
        ]

    assert limits(runtime) == limits(new)
    assert runtime.frontends["f"].maxconn == 2


@pytest.mark.parametrize(("quiet", "lines"), [(False, 1), (True, 0)])
def test_events_of_servers_go_to_the_logs_of_their_backend(quiet: bool, lines: int) -> None:
    read_end, write_end = os.pipe()
    loop = FakeLoop()
    text = SHARED.replace("    fullconn 9\n", f"    fullconn 9\n    log fd@{write_end} format raw local0\n")
    runtime = build(configured(text), loop=loop.as_loop)
    runtime.set_server("b", "s1", "drain", "50%", quiet=quiet)
    loop.advance(100.0)
    os.write(write_end, b"end")
    os.close(write_end)
    said = os.read(read_end, 1000).decode()
    os.close(read_end)
    assert said.count("Server b/s1 enters drain state. 2 active and 0 backup servers online.") == lines
    assert runtime.backends[0].servers[0].draining
    assert runtime.backends[0].servers[0].weight == 0


@pytest.mark.parametrize(
    ("word", "given", "hands"),
    [("", True, True), ("least", True, True), ("hash", True, False), ("cpu", True, False), ("least", False, False)],
)
def test_whether_clients_are_handed_over(word: str, given: bool, hands: bool) -> None:
    text = SHARED.replace("global\n", f"global\n    tune.listener.balance {word}\n" if word else "global\n")
    pulses = Pulses(memoryview(bytearray(Pulses.size(1))), 1)
    runtime = built(text, pulse=pulses.pulse(1), inboxes=Inboxes() if given else None)
    assert (runtime._hander is not None) == hands
    assert pulses.row(1).pid == os.getpid()
