"""Verdicts that end an exchange, and connections that are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.tests.core.relay.rig import GET, OK, Rig
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]


def test_an_answer(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request return status 200 content-type text/plain string hi")
    client = rig.ask()
    wanted = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nhi"
    assert client.take() == wanted
    # The connection persists, and a constant answer is made once.
    rig.send(client, GET)
    assert client.take() == wanted
    assert rig.lines() == [(200, "LR"), (200, "LR")]
    assert rig.frontend.counts.dreq == 0


def test_denied_is_counted(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request deny")
    assert rig.ask().take().startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert rig.lines() == [(403, "PR")]
    assert rig.frontend.counts.dreq == 1


def test_a_challenge_in_an_error_page(make_rig: Make) -> None:
    rig = ruled(make_rig, 'http-request auth realm "a \\"b"')
    assert b'\r\nwww-authenticate: Basic realm="a \\"b"\r\n\r\n<html>' in rig.ask().take()


def test_rejected(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request reject")
    client = rig.ask()
    assert client.take() == b"" and client.lost
    assert rig.lines() == [(-1, "PR")]


def test_a_response_is_refused(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-response deny")
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    assert client.take().startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert rig.lines() == [(502, "PH")]
    # It was whole: its connection serves again.
    assert rig.idle == 1
    assert rig.frontend.counts.dresp == rig.backend.counts.dresp == rig.server.counts.dresp == 1


def test_the_rest_of_a_refused_response_is_never_taken_for_another(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-response deny")
    client = rig.ask()
    rig.send(rig.upstream(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    assert client.take().startswith(b"HTTP/1.1 502 ")
    assert rig.idle == 0 and rig.upstream().lost


@pytest.mark.parametrize(("line", "count"), [("connection", "dcon"), ("session", "dses")])
def test_connections_are_refused(make_rig: Make, line: str, count: str) -> None:
    rig = ruled(make_rig, f"tcp-request {line} reject")
    client = rig.client()
    assert client.lost and client.take() == b""
    assert getattr(rig.frontend.counts, count) == 1
    assert not rig.log.lines
    assert rig.frontend.counts.ereq == 0


def test_a_tarpit(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request tarpit deny_status 429")
    client = rig.ask()
    assert client.take() == b""
    rig.loop.advance(5_000.0)
    assert client.take().startswith(b"HTTP/1.1 429 ")
    assert rig.lines() == [(429, "PT")]
