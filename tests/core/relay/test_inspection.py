"""Content rules over bytes that are still coming, with a fake loop. What they decide is compared with HAProxy's in
tests/wire/test_inspection.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.http.head import HeadReader
from maniple.core.http.limits import Limits
from maniple.core.relay.inspection import Inspection, glimpse, settle
from maniple.core.rules.verdicts import Missing
from maniple.tests.core.relay.rig import TIMEOUTS, Rig
from maniple.tests.core.relay.ruled_rig import ruled
from maniple.tests.core.rules.hellos import hello

Make = Callable[..., Rig]
SNI = "tcp-request content accept if { req.ssl_sni -m found }; tcp-request content reject"


def tcp(make_rig: Make, lines: str, delay: int = 2000, **words: Any) -> Rig:
    return ruled(make_rig, lines.replace("; ", "\n"), mode="tcp", request_inspect_delay=delay, **words)


def test_one_byte_at_a_time(make_rig: Make) -> None:
    rig = tcp(make_rig, SNI)
    client = rig.client()
    data = hello("x.test")
    for at in range(len(data) - 1):
        rig.send(client, data[at : at + 1])
    assert not rig.dials and client.reading
    rig.send(client, data[-1:])
    assert rig.upstream().take() == data
    rig.lose(rig.upstream())


def test_the_time_counts_from_the_first_look(make_rig: Make) -> None:
    rig = tcp(make_rig, SNI)
    client = rig.client()
    for _ in range(4):
        rig.loop.advance(600.0)
        rig.send(client, b"\x16" if _ == 0 else b"\3")
    assert client.lost and not rig.dials
    assert rig.lines() == [(-1, "PR")]


def test_time_is_over(make_rig: Make) -> None:
    rig = tcp(make_rig, SNI)
    client = rig.client()
    rig.send(client, b"\x16\3\1")
    rig.loop.advance(1_900.0)
    assert not client.lost
    rig.loop.advance(200.0)
    assert client.lost


def test_a_client_that_is_silent_for_its_time(make_rig: Make) -> None:
    rig = tcp(make_rig, SNI, 60_000, timeouts=replace(TIMEOUTS, client=1_000))
    client = rig.client()
    for _ in range(3):
        rig.loop.advance(800.0)
        rig.send(client, b"\x16" if _ == 0 else b"\3" if _ == 1 else b"\1")
    assert not client.lost
    rig.loop.advance(1_100.0)
    assert client.lost and rig.lines() == [(-1, "cR")]


def test_a_full_buffer_is_all_that_there_is(make_rig: Make) -> None:
    rig = tcp(make_rig, "tcp-request content reject if { req.payload(0,16000) -m found }")
    client = rig.client()
    rig.send(client, b"x" * 15_000)
    assert not rig.dials
    rig.send(client, b"y" * 10_000)
    assert rig.upstream().take() == b"x" * 15_000 + b"y" * 10_000
    rig.lose(rig.upstream())


def test_rules_that_ask_for_no_bytes_have_no_steps(make_rig: Make) -> None:
    rig = tcp(make_rig, "tcp-request content reject if { src 10.0.0.1 }")
    assert not any(isinstance(run, Inspection) for run in rig.frontend.plan)
    rig.client()
    assert len(rig.dials) == 1


def test_nothing_is_uncertain_afterwards(make_rig: Make) -> None:
    rig = ruled(
        make_rig,
        "tcp-request content accept if WAIT_END\nhttp-request deny if !WAIT_END",
        request_inspect_delay=1000,
    )
    for _ in range(2):
        client = rig.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
        assert not rig.dials or not rig.upstream().take()
        rig.send(client, b"bc")
        assert rig.upstream().take().endswith(b"abc")
        rig.lose(rig.upstream())


def of(data: bytes) -> Any:
    frontend = SimpleNamespace(read_request=HeadReader(Limits()).read_request)
    return SimpleNamespace(client=SimpleNamespace(buffer=data, frontend=frontend), head=None, dirty=False)


REQUEST = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


def test_http_at_the_start_of_a_stream() -> None:
    for size in range(len(REQUEST)):
        x = of(REQUEST[:size])
        assert glimpse(x) and x.head is None, size
    x = of(REQUEST + b"more")
    assert not glimpse(x) and x.head.target == b"/a" and x.dirty
    assert not glimpse(x)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n",
        b"\x16\3\1",
        b"GET  /",
        b"GET / HTTP/1.1 x",
        b"GET / SMTP",
        b"a b\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_no_http(data: bytes) -> None:
    x = of(data)
    assert not glimpse(x) and x.head is None


def test_rehearsed_it_waits_for_the_first_bytes_only() -> None:
    step = Inspection(50.0, True, True)
    x = of(b"")
    x.client.eof, x.inspect_until, x.uncertain = False, 0.0, 0
    found = step.rehearse(x)
    assert isinstance(found, Missing) and (found.delay, found.back) == (50.0, 1)
    x.client.buffer = REQUEST
    assert step.rehearse(x) is None and x.uncertain == 0 and x.head is not None
    x.uncertain, x.inspect_until = 1, -1.0
    settle(x)
    assert (x.uncertain, x.inspect_until) == (0, 0.0)
