"""The server's side: responses whole, in pieces, early, broken off, too long, too late, or none at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.config.model import Timeouts
from maniple.core.http.replies import REPLIES
from maniple.core.relay.route import LARGE
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import GET, GET_SENT, OK, OK_SENT, Rig, connection_of

MakeRig = Callable[..., Rig]

HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_1_0 = b"GET / HTTP/1.0\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: 1\r\n\r\n"
CHUNKED_SENT = CHUNKED.replace(b"Transfer-Encoding", b"transfer-encoding")
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"0123456789" * 4000

RESPONSES = {
    "length": (GET, OK, OK_SENT),
    "no body": (
        GET,
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    ),
    "chunks": (GET, CHUNKED, CHUNKED_SENT),
    "304 with a length": (
        GET,
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
    ),
    "204": (GET, b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "to HEAD": (HEAD, OK[:-2], OK_SENT[:-2]),
    "1xx before it": (
        GET,
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK_SENT,
    ),
    "1xx, client of 1.0": (
        GET_1_0,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    ),
    "chunks, client of 1.0": (GET_1_0, CHUNKED, b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcdefg"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_response_split_at_every_byte(make_rig: MakeRig, name: str) -> None:
    request, response, sent = RESPONSES[name]
    rig = make_rig()
    for cut in range(1, len(response) + 1):
        client = rig.ask(request)
        server = rig.upstream()
        rig.send(server, response[:cut])
        if response[cut:]:
            rig.send(server, response[cut:])
        assert client.take() == sent, cut
        rig.lose(client)
    assert len(rig.dials) == 1
    assert set(rig.lines()) == {(int(response[9:12]) if b"200" not in response else 200, "--")}


@pytest.mark.parametrize("name", RESPONSES)
def test_response_byte_by_byte(make_rig: MakeRig, name: str) -> None:
    request, response, sent = RESPONSES[name]
    rig = make_rig()
    client = rig.ask(request)
    rig.send(rig.upstream(), *(response[at : at + 1] for at in range(len(response))))
    assert client.take() == sent
    assert rig.idle == 1


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("apart", [False, True])
def test_what_follows_a_response_is_nobodys(make_rig: MakeRig, name: str, apart: bool) -> None:
    """S17: such bytes never become the answer to the next request, and their connection is not used again."""
    request, response, sent = RESPONSES[name]
    rig = make_rig()
    client = rig.ask(request)
    server = rig.upstream()
    if apart:
        server.feed(response, OK)
        rig.loop.run()
    else:
        rig.send(server, response + OK)
    assert client.take() == sent
    assert rig.idle == 0
    assert server.lost
    other = rig.ask()
    assert len(rig.dials) == 2
    rig.send(rig.upstream(), OK)
    assert other.take() == OK_SENT


@pytest.mark.parametrize("first", [40, 44, 100, LARGE + 44, len(LONG) - 1, len(LONG)])
def test_long_response(make_rig: MakeRig, first: int) -> None:
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, LONG[:first])
    if LONG[first:]:
        rig.send(server, LONG[first:])
    assert client.take() == LONG.replace(b"Content-Length", b"content-length")
    assert rig.idle == 1
    assert rig.log.lines[0].bytes_out == len(LONG)


def test_long_response_and_more(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), LONG + b"x")
    assert client.take() == LONG.replace(b"Content-Length", b"content-length")
    assert rig.idle == 0


def test_until_close(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 200 OK\r\n\r\n", b"some", b" more")
    assert client.take() == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nsome more"
    rig.shut(server)
    assert client.lost
    assert rig.lines() == [(200, "--")]


@pytest.mark.parametrize(
    "response",
    [OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK.replace(b"1.1", b"1.0")],
    ids=["close", "http/1.0"],
)
def test_server_that_closes(make_rig: MakeRig, response: bytes) -> None:
    """The client's connection persists."""
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), response)
    assert rig.upstream().lost
    assert not client.closing
    assert b"connection: close" not in client.take()
    rig.send(client, GET)
    assert len(rig.dials) == 2


# Failures.


def answer_of(rig: Rig, client: FakeTransport, status: int, state: str) -> None:
    """The client got this reply, and the line says so."""
    assert client.take() == REPLIES[status]
    assert rig.lines() == [(status, state)]
    assert rig.server.counts.eresp == 1
    assert rig.upstream().lost
    assert rig.idle == 0
    assert not client.closing


@pytest.mark.parametrize("how", ["eof", "reset"])
def test_server_closes_without_an_answer(make_rig: MakeRig, how: str) -> None:
    rig = make_rig()
    client = rig.ask()
    if how == "eof":
        rig.shut(rig.upstream())
    else:
        rig.lose(rig.upstream(), ConnectionResetError())
    answer_of(rig, client, 502, "SH")


def test_server_closes_within_the_head(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), OK[:20])
    rig.shut(rig.upstream())
    answer_of(rig, client, 502, "PH")


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"nonsense\r\n\r\n",
        b"nonsense",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 16_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_server_speaks_nonsense(make_rig: MakeRig, response: bytes) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), response)
    answer_of(rig, client, 502, "PH")


def test_server_does_not_answer(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.loop.advance(19_999.0)
    assert client.take() == b""
    rig.loop.advance(52.0)
    answer_of(rig, client, 504, "sH")


def test_server_does_not_answer_a_later_request(make_rig: MakeRig) -> None:
    """The limit runs from this request, not from the first one."""
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    rig.loop.advance(12_000.0)
    rig.send(client, GET)
    rig.loop.advance(19_990.0)
    assert client.take() == OK_SENT
    rig.loop.advance(61.0)
    assert client.take() == REPLIES[504]
    assert rig.lines() == [(200, "--"), (504, "sH")]


BROKEN = (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789", CHUNKED[:-5])


@pytest.mark.parametrize("part", BROKEN, ids=["length", "chunks"])
@pytest.mark.parametrize("how", ["eof", "reset", "late"])
def test_response_breaks_off(make_rig: MakeRig, part: bytes, how: str) -> None:
    """The client must not take it for whole: its connection ends."""
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, part)
    if how == "eof":
        rig.shut(server)
    elif how == "reset":
        rig.lose(server, ConnectionResetError())
    else:
        rig.loop.advance(20_051.0)
    assert client.lost
    assert client.take().partition(b"\r\n\r\n")[2] == part.partition(b"\r\n\r\n")[2]
    assert rig.lines() == [(200, "sD" if how == "late" else "SD")]
    assert rig.server.counts.srv_abrt == rig.backend.counts.srv_abrt == 1


def test_bad_chunks_after_the_head(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), CHUNKED[: CHUNKED.index(b"4;")], b"zz\r\n")
    assert client.lost
    assert rig.lines() == [(200, "PD")]
    assert rig.upstream().aborted


def test_slow_response_goes_on(make_rig: MakeRig) -> None:
    """Each piece starts the limit anew."""
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    for part in (OK[:5], OK[5:-2]):
        rig.loop.advance(9_000.0)
        rig.send(server, part)
    rig.loop.advance(19_000.0)
    rig.send(server, OK[-2:-1])
    rig.loop.advance(19_000.0)
    rig.send(server, OK[-1:])
    assert client.take() == OK_SENT


# T6, and what an idle connection may meet.


def reused(rig: Rig) -> tuple[FakeTransport, FakeTransport]:
    """A client with its second request on a connection that has waited."""
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    rig.send(client, GET)
    client.take()
    rig.upstream().take()
    assert len(rig.dials) == 1
    return client, rig.upstream()


def test_reused_connection_is_closed_without_an_answer(make_rig: MakeRig) -> None:
    """The client is to repeat its request: it gets no answer, and there is no line."""
    rig = make_rig()
    client, server = reused(rig)
    rig.shut(server)
    assert client.lost
    assert client.take() == b""
    assert rig.lines() == [(200, "--")]
    assert server.take() == b""


def test_reused_connection_is_closed_within_the_head(make_rig: MakeRig) -> None:
    rig = make_rig()
    client, server = reused(rig)
    rig.send(server, OK[:9])
    rig.shut(server)
    assert client.take() == REPLIES[502]


@pytest.mark.parametrize("how", ["eof", "reset", "bytes"])
def test_idle_connection_ends(make_rig: MakeRig, how: str) -> None:
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, OK)
    assert rig.idle == 1
    if how == "eof":
        rig.shut(server)
    elif how == "reset":
        rig.lose(server, ConnectionResetError())
    else:
        rig.send(server, OK)
    assert rig.idle == 0
    assert server.lost
    rig.send(client, GET)
    assert len(rig.dials) == 2


# Early responses.


@pytest.mark.parametrize("close", [False, True])
def test_response_before_the_request_is_read(make_rig: MakeRig, close: bool) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-2])
    server = rig.upstream()
    rig.send(server, OK if not close else OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert client.take() == OK_SENT
    if close:
        # Nobody reads the rest.
        assert server.aborted
        assert client.eof_written
        assert rig.lines() == [(200, "--")]
        return
    assert rig.lines() == []
    rig.send(client, POST[-2:] + GET)
    assert rig.lines() == [(200, "--")]
    assert server.take().endswith(b"hello" + GET_SENT)
    assert len(rig.dials) == 1


def test_early_response_and_the_server_closes(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-2])
    rig.send(rig.upstream(), OK)
    rig.shut(rig.upstream())
    assert client.take() == OK_SENT
    assert client.eof_written
    assert rig.lines() == [(200, "--")]


def test_early_response_and_the_client_leaves(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-2])
    rig.send(rig.upstream(), OK)
    rig.lose(client)
    assert rig.upstream().aborted
    assert len(rig.lines()) == 1


def test_early_response_and_more_from_the_server(make_rig: MakeRig) -> None:
    """It waits for nothing from it any more: the connection is closed once the request is read."""
    rig = make_rig()
    client = rig.ask(POST[:-2])
    server = rig.upstream()
    rig.send(server, OK)
    rig.send(server, OK)
    rig.send(client, POST[-2:])
    assert client.take() == OK_SENT
    assert server.lost
    assert rig.idle == 0


# Back-pressure.


def test_server_that_does_not_read_stops_the_client(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-4])
    server = rig.upstream()
    server.hold()
    assert not client.reading
    server.release()
    assert client.reading
    rig.send(client, POST[-4:])
    rig.send(server, OK)
    assert client.take() == OK_SENT


def test_server_that_does_not_read_for_too_long(make_rig: MakeRig) -> None:
    rig = make_rig(timeouts=Timeouts(client=60_000, server=20_000, connect=4_000))
    client = rig.ask(POST[:-4])
    server = rig.upstream()
    server.hold()
    rig.loop.advance(20_051.0)
    assert server.lost
    assert client.take().startswith(b"HTTP/1.1 504 ")
    assert rig.lines() == [(504, "sH")]


def test_client_that_does_not_read_is_not_the_servers_fault(make_rig: MakeRig) -> None:
    rig = make_rig(timeouts=Timeouts(client=60_000, server=20_000, connect=4_000))
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789")
    client.hold()
    rig.loop.advance(59_000.0)
    assert not server.closing
    client.release()
    rig.send(server, b"0123456789")
    assert rig.idle == 1


def test_says_what_it_is(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.ask()
    connection = connection_of(rig.upstream())
    assert repr(connection) == "<connection to s1: busy, 1 requests>"
    rig.send(rig.upstream(), OK)
    assert repr(connection) == "<connection to s1: idle, 1 requests>"
