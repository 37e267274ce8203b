"""Responses that are not ordinary: how they are read on, and what they say about their connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.relay.receiving import Reading
from maniple.core.relay.route import LARGE
from maniple.tests.core.relay.rig import GET, GET_SENT, OK, OK_SENT, Rig, connection_of

MakeRig = Callable[..., Rig]
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


def response(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size


@pytest.mark.parametrize(
    ("part", "reading"),
    [
        (b"", Reading.HEAD),
        (b"HTTP/1.1 200 OK\r\n", Reading.HEAD),
        (INTERIM, Reading.HEAD),
        (OK[:-1], Reading.LENGTH),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", Reading.CHUNKS),
        (b"HTTP/1.1 200 OK\r\n\r\n", Reading.UNTIL_CLOSE),
        (OK, Reading.NOTHING),
    ],
)
def test_what_comes_next(make_rig: MakeRig, part: bytes, reading: Reading) -> None:
    rig = make_rig()
    rig.ask()
    if part:
        rig.send(rig.upstream(), part)
    assert connection_of(rig.upstream()).reading is reading


@pytest.mark.parametrize("size", [0, LARGE - 1, LARGE, 3 * LARGE])
@pytest.mark.parametrize("request_", [GET, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")])
def test_whole_responses_are_one_write(make_rig: MakeRig, size: int, request_: bytes) -> None:
    rig = make_rig()
    client = rig.ask(request_)
    client.writes = 0
    rig.send(rig.upstream(), response(size))
    assert client.writes == 1
    assert client.take().partition(b"\r\n\r\n")[2] == b"x" * size
    assert client.closing == (request_ != GET)


@pytest.mark.parametrize("last", [OK, b"HTTP/1.1 100", b"nonsense\r\n\r\n", b""])
def test_thousands_of_interim_responses_do_not_nest(make_rig: MakeRig, last: bytes) -> None:
    """A recursion error must not cross into the loop."""
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), INTERIM * 3_000 + last)
    got = client.take()
    assert got.startswith(INTERIM * 3_000)
    if last == OK:
        assert got == INTERIM * 3_000 + OK_SENT
    elif last.startswith(b"nonsense"):
        assert got[3_000 * len(INTERIM) :].startswith(b"HTTP/1.1 502 ")
    else:
        assert got == INTERIM * 3_000
        rig.send(rig.upstream(), (INTERIM + OK)[len(last) :])
        assert client.take() == INTERIM + OK_SENT


@pytest.mark.parametrize("interim", [INTERIM, INTERIM * 2])
def test_switch_after_interim_responses(make_rig: MakeRig, interim: bytes) -> None:
    rig = make_rig()
    client = rig.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    rig.send(rig.upstream(), interim + b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw")
    assert client.take().endswith(b"\r\n\r\nraw")
    assert len(rig.relay.tunnels) == 1


@pytest.mark.parametrize(
    ("line", "private"),
    [
        (b"WWW-Authenticate: NTLM", True),
        (b"WWW-Authenticate: Negotiate abc", True),
        (b"WWW-Authenticate: Basic realm=x", False),
    ],
)
def test_connections_that_are_authenticated_themselves(make_rig: MakeRig, line: bytes, private: bool) -> None:
    """Only the client that authenticated itself on it has such a connection again."""
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 401 Unauthorized\r\n" + line + b"\r\nContent-Length: 0\r\n\r\n")
    rig.ask()
    assert len(rig.dials) == (2 if private else 1)
    if private:
        server.take()
        rig.send(client, GET)
        assert server.take() == GET_SENT
        rig.send(server, OK)
        rig.lose(client)
        assert server.lost


def test_connections_of_one_session_under_never(make_rig: MakeRig) -> None:
    rig = make_rig(http_reuse="never")
    one, other = rig.ask(), rig.ask()
    for number, client in enumerate((one, other)):
        rig.send(rig.upstream(number), OK)
        rig.send(client, GET)
        assert rig.upstream(number).take() == GET_SENT * 2
        rig.send(rig.upstream(number), OK)
    rig.shut(rig.upstream(0))
    rig.send(one, GET)
    assert len(rig.dials) == 3
    rig.lose(other)
    assert rig.upstream(1).lost


UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)


@pytest.mark.parametrize(
    ("accept", "status"), [(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 101), (b"AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 502)]
)
def test_websocket_accept(make_rig: Callable[..., Rig], accept: bytes, status: int) -> None:
    """S12: a server that did not understand the handshake gets no tunnel."""
    rig = make_rig()
    client = rig.ask(UPGRADE)
    rig.send(rig.upstream(), SWITCH % accept)
    assert client.take().startswith(b"HTTP/1.1 %d " % status)
    assert len(rig.relay.tunnels) == (status == 101)
    rig.lose(client)
