"""Whose answer wins; the bytes of answers are compared with HAProxy's in the wire tests."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from maniple.core import build as build_module
from maniple.core.build import build
from maniple.core.config.parser import load
from maniple.core.http.replies import REPLIES
from maniple.core.relay.route import Frontend

TEXT = """defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend web
    bind 127.0.0.1:1
    {lines}
    default_backend back
backend back
    {others}
    server one 127.0.0.1:1
"""
MINE = "http-error status 503 content-type text/plain string mine"
THEIRS = "http-error status 503 content-type text/plain string theirs"
RESET = "http-error status 503 default-errorfiles"


@pytest.fixture(autouse=True)
def quiet_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(collect=lambda: 0, freeze=lambda: None, set_threshold=lambda *_: None)
    monkeypatch.setattr(build_module, "gc", nothing)


def frontend(line: str, other: str = "") -> Frontend:
    configuration, said = load([("t.cfg", TEXT.format(lines=line, others=other))], {})
    assert configuration is not None, said.render()
    loop = asyncio.new_event_loop()
    try:
        return build(configuration, loop=loop, pid=1).frontends["web"]
    finally:
        loop.close()


@pytest.mark.parametrize(
    ("line", "other", "body"),
    [
        (MINE, "", b"mine"),
        ("", THEIRS, b"theirs"),
        (MINE, THEIRS, b"theirs"),
        (MINE, RESET, b"mine"),
        (RESET, "", REPLIES[503].partition(b"\r\n\r\n")[2]),
        (f"{MINE}\n    {RESET}", "", REPLIES[503].partition(b"\r\n\r\n")[2]),
        (f"{RESET}\n    {MINE}", "", b"mine"),
    ],
)
def test_whose_answer_wins(line: str, other: str, body: bytes) -> None:
    (route,) = frontend(line, other).routes
    assert route.replies[503].keeping.endswith(b"\r\n\r\n" + body)


def test_what_depends_on_the_exchange_is_made_later() -> None:
    made = frontend('http-error status 503 content-type text/plain lf-string "%[src]"')
    assert made.replies[503].render is not None
    assert made.wants_packed


def test_what_is_no_request_gets_no_text() -> None:
    made = frontend("http-error status 400 content-type text/plain string mine")
    assert made.replies[400].keeping.endswith(b"mine")
    assert not made.early_replies[400].keeping.endswith(b"mine")
