"""Requests that are not ordinary: bodies, pieces, pipelines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.http.replies import REPLIES
from maniple.tests.core.relay.rig import (
    GET,
    GET_SENT,
    OK,
    OK_SENT,
    POST,
    POST_SENT,
    Rig,
    serve,
)

MakeRig = Callable[..., Rig]

CHUNKED = (
    b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: 1\r\n\r\n"
)
CHUNKED_SENT = CHUNKED.replace(b"Host", b"host").replace(b"Transfer-Encoding", b"transfer-encoding")
REQUESTS = {
    "get": (GET, GET_SENT),
    "empty lines first": (b"\r\n\r\n" + GET, GET_SENT),
    "length": (POST, POST_SENT),
    "chunks": (CHUNKED, CHUNKED_SENT),
    "expect": (
        POST.replace(b"Host: a", b"Host: a\r\nExpect: 100-continue"),
        POST_SENT.replace(b"host: a", b"host: a\r\nexpect: 100-continue"),
    ),
    "cookies": (
        b"GET /x?y=z HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\nAccept: */*\r\n\r\n",
        b"GET /x?y=z HTTP/1.1\r\nhost: a\r\ncookie: a=b; c=d\r\naccept: */*\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_request_split_at_every_byte(make_rig: MakeRig, name: str) -> None:
    raw, sent = REQUESTS[name]
    rig = make_rig()
    for cut in range(1, len(raw)):
        client = rig.ask(raw[:cut])
        rig.send(client, raw[cut:])
        assert serve(rig, client) == (sent, OK_SENT), cut
        rig.lose(client)
    assert len(rig.dials) == 1


@pytest.mark.parametrize("name", REQUESTS)
def test_request_byte_by_byte(make_rig: MakeRig, name: str) -> None:
    raw, sent = REQUESTS[name]
    rig = make_rig()
    client = rig.ask(*(raw[at : at + 1] for at in range(len(raw))))
    assert serve(rig, client) == (sent, OK_SENT)
    assert rig.lines() == [(200, "--")]


@pytest.mark.parametrize("name", REQUESTS)
def test_next_request_behind_it(make_rig: MakeRig, name: str) -> None:
    """Whole, and the follower split at every byte: each goes to the server in its turn."""
    raw, sent = REQUESTS[name]
    rig = make_rig()
    for cut in range(len(GET) + 1):
        client = rig.ask(raw + GET[:cut], *((GET[cut:],) if GET[cut:] else ()))
        assert serve(rig, client) == (sent, OK_SENT), cut
        rig.loop.run()
        assert serve(rig, client) == (GET_SENT, OK_SENT), cut
        rig.lose(client)
    assert len(rig.dials) == 1


def test_many_pipelined_requests_do_not_nest(make_rig: MakeRig) -> None:
    rig = make_rig(monitor_uri="/")
    client = rig.ask(GET * 300)
    assert client.take() == REPLIES[200] * 300


def test_monitor_request_with_a_body(make_rig: MakeRig) -> None:
    """Its body is not taken for a request."""
    rig = make_rig(monitor_uri="/m")
    client = rig.ask(b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET) + GET)
    assert client.take() == REPLIES[200].replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    assert client.eof_written
    assert not rig.dials
    assert rig.lines() == []


def test_what_comes_ahead_is_bounded(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(client, GET)
    assert client.reading
    rig.send(client, b"GET /long HTTP/1.1\r\nHost: a\r\nX: " + b"x" * rig.relay.bufsize)
    assert not client.reading
    rig.send(rig.upstream(), OK)
    assert client.reading
    assert client.take() == OK_SENT


def test_body_is_bounded_while_there_is_no_server(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.answer = None
    body = b"b" * 40_000
    client = rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n", body[:20_000])
    assert not client.reading
    rig.send(client, body[20_000:])
    server = rig.accept()
    assert client.reading
    assert server.take().partition(b"\r\n\r\n")[2] == body
    rig.send(server, OK)
    assert client.take() == OK_SENT


# Connections that persist, or do not.


def test_bad_chunks_before_the_server_is_there(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(CHUNKED.replace(b"3\r\nabc", b"z\r\nabc"))
    assert client.take().startswith(b"HTTP/1.1 400 ")
    assert not rig.dials
    assert len(rig.lines()) == 1


def test_bad_chunks_after_the_head(make_rig: MakeRig) -> None:
    rig = make_rig()
    head, _, body = CHUNKED.partition(b"\r\n\r\n")
    client = rig.ask(head + b"\r\n\r\n", body[:8])
    server = rig.upstream()
    rig.send(client, b"zzz\r\n")
    assert client.take().startswith(b"HTTP/1.1 400 ")
    assert server.aborted


# Back-pressure.
