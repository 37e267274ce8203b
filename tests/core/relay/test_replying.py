"""Answers of our own: which form, what is counted and captured, who hears no more of the exchange."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.config.model import ErrorFileSpec
from maniple.core.http.replies import EARLY_REPLIES, REPLIES
from maniple.core.report.captures import Captures
from maniple.tests.core.relay.rig import GET, OK, OK_SENT, Rig

MakeRig = Callable[..., Rig]
CLOSE = b"connection: close\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"


def test_persists(make_rig: MakeRig) -> None:
    rig = make_rig(servers=0)
    client = rig.ask(GET, GET)
    assert client.take() == REPLIES[503] * 2
    assert not client.closing


@pytest.mark.parametrize(
    "request_", [GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"GET / HTTP/1.0\r\n\r\n"]
)
def test_closes_as_asked(make_rig: MakeRig, request_: bytes) -> None:
    rig = make_rig(servers=0)
    client = rig.ask(request_)
    assert client.take() == REPLIES[503].replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n", 1)
    assert client.lost


def test_to_head_without_a_body(make_rig: MakeRig) -> None:
    rig = make_rig(servers=0)
    client = rig.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.take() == REPLIES[503].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    rig.send(client, b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert client.take().endswith(CLOSE + b"\r\n")


def test_error_file(make_rig: MakeRig) -> None:
    page = b"HTTP/1.0 503 Gone fishing\r\nContent-Length: 4\r\n\r\nfish"
    rig = make_rig(servers=0, error_files={503: ErrorFileSpec("file", "x", page), 400: ErrorFileSpec("file", "e")})
    client = rig.ask(GET)
    assert client.take() == page
    assert not client.closing
    rig.send(client, b"nonsense\r\n\r\n")
    assert client.take() == b""
    assert client.eof_written


def test_monitor_is_not_logged(make_rig: MakeRig) -> None:
    rig = make_rig(monitor_uri="/m")
    client = rig.ask(b"GET /m HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.take() == REPLIES[200]
    assert rig.lines() == []
    assert rig.frontend.counts.intercepted == 1
    assert not rig.dials
    rig.send(client, GET)
    rig.send(rig.upstream(), OK)
    assert client.take() == OK_SENT


def test_monitor_while_draining_closes(make_rig: MakeRig) -> None:
    rig = make_rig(monitor_uri="/m")
    rig.relay.draining = True
    client = rig.ask(b"GET /m HTTP/1.1\r\nHost: a\r\n\r\n")
    assert CLOSE in client.take()
    assert client.lost


def test_bad_messages_are_captured(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.frontend.captures = captures = Captures()
    rig.ask(b"nonsense\r\n\r\n")
    rig.ask(GET)
    rig.send(rig.upstream(), b"nonsense\r\n\r\n")
    rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert [message.is_response for message in captures.messages()] == [False, True, False]


def test_no_request_belongs_to_the_frontend(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.ask(b"nonsense\r\n\r\n")
    line = rig.log.lines[0]
    assert (line.backend, line.server, line.request, line.bytes_out) == ("px", "<NOSRV>", b"", 0)
    assert line.times[:4] == (-1, -1, -1, -1)


GONE = {
    "while sending": ("CH", (-1, 400)),
    "while receiving": ("CD", (200,)),
    "in the body": ("CH", (400,)),
}


@pytest.mark.parametrize("when", GONE)
def test_client_gone(make_rig: MakeRig, when: str) -> None:
    state, statuses = GONE[when]
    rig = make_rig()
    client = rig.ask(POST[:-1] if when == "in the body" else GET)
    server = rig.upstream()
    if when == "while receiving":
        rig.send(server, OK[:-1])
    rig.lose(client, ConnectionResetError())
    assert server.aborted
    ((status, termination),) = rig.lines()
    assert termination == state
    assert status in statuses
    assert rig.server.counts.cli_abrt == rig.backend.counts.cli_abrt == 1


def test_late_body_after_an_early_answer(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-1])
    rig.send(rig.upstream(), OK)
    rig.loop.advance(30_051.0)
    assert client.lost
    assert client.take() == OK_SENT
    assert rig.lines() == [(200, "cL")]


def test_request_timeout_of_a_probe(make_rig: MakeRig) -> None:
    rig = make_rig(options=frozenset({"http-ignore-probes"}))
    client = rig.client()
    rig.loop.advance(10_051.0)
    assert client.lost
    assert client.take() == b""
    assert rig.lines() == []
    other = rig.ask(GET[:3])
    rig.loop.advance(10_051.0)
    assert other.take() == EARLY_REPLIES[408]
    assert rig.lines() == [(408, "cR")]


def test_nothing_is_written_twice(make_rig: MakeRig) -> None:
    """A request whose body is bad after its server has answered with an error."""
    rig = make_rig()
    client = rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    rig.send(rig.upstream(), OK)
    assert client.take() == OK_SENT
    rig.send(client, b"zz\r\n")
    assert client.take() == b""
    assert client.lost
    assert len(rig.lines()) == 1
