"""The client's side: requests whole, in pieces, ahead of their turn, too late, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from maniple.core.config.model import ForwardForSpec, Timeouts
from maniple.core.http.replies import EARLY_REPLIES, REPLIES
from maniple.core.relay.client import DRAIN_TIME, IDLE, SPARE
from maniple.core.relay.reading import Reading
from maniple.tests.core.relay.rig import (
    GET,
    GET_SENT,
    OK,
    OK_SENT,
    POST,
    POST_SENT,
    Rig,
    client_of,
    connection_of,
    serve,
)

MakeRig = Callable[..., Rig]

CLOSING = {
    "asked by the client": (GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), {}, OK),
    "http/1.0": (b"GET / HTTP/1.0\r\n\r\n", {}, OK),
    "asked by the configuration": (GET, {"close_mode": "close"}, OK),
    "until close": (GET, {}, b"HTTP/1.1 200 OK\r\n\r\nok"),
}


@pytest.mark.parametrize("name", CLOSING)
def test_closes(make_rig: MakeRig, name: str) -> None:
    request, words, response = CLOSING[name]
    rig = make_rig(**words)
    client = rig.ask(request)
    rig.send(rig.upstream(), response)
    if b"ength" not in response:
        rig.shut(rig.upstream())
    assert client.take() == OK_SENT.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n").replace(
        b"content-length: 2\r\n", b"content-length: 2\r\n" if b"ength" in response else b""
    )
    assert client.closing
    assert client.calls.count("write_eof") == 0
    assert rig.lines() == [(200, "--")]


def test_http_1_0_keep_alive(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    got, answer = serve(rig, client)
    assert got == b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
    assert b"connection: keep-alive\r\n" in answer
    assert not client.closing


def test_early_answer_drains_the_client(make_rig: MakeRig) -> None:
    """EN9: closing with unread input would reset the connection, and the answer with it."""
    rig = make_rig(servers=0)
    client = rig.ask(POST[:-2])
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert client.eof_written
    assert not client.closing
    rig.send(client, b"lo and more")
    rig.loop.advance(DRAIN_TIME - 1.0)
    assert not client.aborted
    rig.loop.advance(60.0)
    assert client.aborted
    assert rig.lines() == [(503, "SC")]


def test_early_answer_and_the_client_closes(make_rig: MakeRig) -> None:
    rig = make_rig(servers=0)
    client = rig.ask(POST[:-2])
    rig.shut(client)
    assert client.lost
    assert not client.aborted


# The client's end of file.


def test_end_before_any_byte(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.client()
    rig.shut(client)
    assert client.take() == EARLY_REPLIES[400]
    assert client.lost
    assert rig.lines() == [(400, "CR")]


@pytest.mark.parametrize("option", ["dontlognull", "http-ignore-probes"])
def test_end_before_any_byte_is_ignored(make_rig: MakeRig, option: str) -> None:
    rig = make_rig(options=frozenset({option}))
    client = rig.client()
    rig.shut(client)
    assert client.take() == (b"" if option == "http-ignore-probes" else EARLY_REPLIES[400])
    assert client.lost
    assert rig.lines() == []
    other = rig.client()
    rig.lose(other)
    assert rig.lines() == []


def test_end_in_the_head(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(GET[:10])
    rig.shut(client)
    assert client.take() == EARLY_REPLIES[400]
    assert client.lost
    assert rig.lines() == [(400, "CR")]


def test_end_between_requests(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    serve(rig, client)
    rig.shut(client)
    assert client.lost
    assert client.take() == b""
    assert rig.lines() == [(200, "--")]


def test_half_closed_client_is_answered(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(GET + GET)
    rig.shut(client)
    assert serve(rig, client) == (GET_SENT, OK_SENT)
    assert serve(rig, client) == (GET_SENT, OK_SENT)
    assert client.lost
    assert rig.lines() == [(200, "--"), (200, "--")]


def test_half_closed_after_half_of_the_next(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(GET + GET[:9])
    rig.shut(client)
    assert serve(rig, client)[1] == OK_SENT + EARLY_REPLIES[400]
    assert client.lost
    assert rig.lines() == [(200, "--"), (400, "CR")]


def test_end_in_the_body(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-1])
    rig.shut(client)
    assert client.lost
    assert rig.upstream().aborted
    assert [termination for _, termination in rig.lines()] == ["CH"]


@pytest.mark.parametrize("words", [{}, {"options": frozenset({"abortonclose"})}])
def test_end_while_the_server_works(make_rig: MakeRig, words: dict[str, object]) -> None:
    rig = make_rig(**words)
    client = rig.ask()
    rig.shut(client)
    assert rig.upstream().aborted == bool(words)
    if not words:
        assert serve(rig, client)[1] == OK_SENT
    assert client.lost


# Time.


def test_first_request_in_time(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.client()
    rig.loop.advance(9_999.0)
    assert not client.closing
    rig.loop.advance(52.0)
    assert client.take() == EARLY_REPLIES[408]
    assert rig.lines() == [(408, "cR")]


def test_head_in_time(make_rig: MakeRig) -> None:
    """Bytes that trickle in do not prolong the limit."""
    rig = make_rig()
    client = rig.client()
    for at in range(9):
        rig.loop.advance(1_000.0)
        rig.send(client, GET[at : at + 1])
    rig.loop.advance(1_051.0)
    assert client.take() == EARLY_REPLIES[408]
    assert client.eof_written


def test_second_head_in_time(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    serve(rig, client)
    rig.loop.advance(14_000.0)
    rig.send(client, GET[:5])
    rig.loop.advance(9_990.0)
    assert client.take() == b""
    rig.loop.advance(61.0)
    assert client.take() == EARLY_REPLIES[408]
    assert rig.lines() == [(200, "--"), (408, "cR")]
    assert rig.log.lines[1].times[4] in range(10_000, 10_060)


def test_keep_alive_ends_without_a_word(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    serve(rig, client)
    rig.loop.advance(14_999.0)
    assert not client.closing
    rig.loop.advance(52.0)
    assert client.closing
    assert client.take() == b""
    assert rig.lines() == [(200, "--")]


@pytest.mark.parametrize("keep_alive", [100, 60_000])
def test_keep_alive_of_any_length(make_rig: MakeRig, keep_alive: int) -> None:
    """Shorter than the other limits, or longer than them."""
    rig = make_rig(timeouts=Timeouts(client=5_000, server=5_000, connect=500, http_keep_alive=keep_alive))
    client = rig.ask()
    for _ in range(3):
        serve(rig, client)
        rig.loop.advance(keep_alive - 1.0)
        assert not client.closing
        rig.send(client, GET)
    serve(rig, client)
    rig.loop.advance(keep_alive + 51.0)
    assert client.lost


def test_body_in_time(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(POST[:-3])
    for piece in (b"l", b"l"):
        rig.loop.advance(29_000.0 - 10_000.0)
        rig.send(client, piece)
    rig.loop.advance(30_051.0)
    assert client.take() == REPLIES[408]
    assert rig.lines() == [(408, "cH")]
    assert rig.upstream().aborted


def test_no_limits_at_all(make_rig: MakeRig) -> None:
    rig = make_rig(timeouts=Timeouts())
    client = rig.ask(POST[:-1])
    rig.loop.advance(10_000_000.0)
    rig.send(client, POST[-1:])
    rig.loop.advance(10_000_000.0)
    assert serve(rig, client) == (POST_SENT, OK_SENT)
    rig.loop.advance(10_000_000.0)
    assert not client.closing


# What is no request.

BAD: Sequence[tuple[bytes, int]] = (
    (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    (b"\x16\x03\x01 nonsense\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 16_000, 431),
    (b"GET /" + b"x" * 16_000, 414),
    (b"GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", 413),
)


@pytest.mark.parametrize(("raw", "status"), BAD, ids=range(len(BAD)))
def test_refused(make_rig: MakeRig, raw: bytes, status: int) -> None:
    rig = make_rig()
    client = rig.ask(raw)
    assert client.take() == EARLY_REPLIES[status]
    assert client.eof_written
    assert not rig.dials
    assert rig.lines() == [(status, "PR")]
    assert rig.frontend.counts.ereq == 1


def test_client_that_does_not_read_stops_the_server(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789")
    client.hold()
    assert not server.reading
    server.feed(b"0123456789")
    assert client.take().endswith(b"\r\n\r\n0123456789")
    client.release()
    assert server.reading
    rig.loop.run()
    assert client.take() == b"0123456789"
    server.take()
    rig.send(client, GET)
    assert serve(rig, client) == (GET_SENT, OK_SENT)


def test_client_that_does_not_read_for_too_long(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789")
    client.hold()
    rig.loop.advance(29_900.0)
    assert not client.closing
    rig.loop.advance(160.0)
    assert client.lost
    assert server.aborted
    assert rig.lines() == [(200, "cD")]


def test_response_ends_while_the_client_does_not_read(make_rig: MakeRig) -> None:
    """The server's last bytes were on their way: its connection goes back into the pool, and reads again."""
    rig = make_rig()
    client = rig.ask()
    server = rig.upstream()
    client.hold()
    assert not server.reading
    connection_of(server).data_received(OK)
    assert rig.idle == 1
    assert server.reading
    client.release()
    assert client.take() == OK_SENT


def test_pipelined_requests_wait_for_a_client_that_does_not_read(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(GET + GET)
    client.hold()
    server = rig.upstream()
    server.resume_reading()
    rig.send(server, OK)
    assert client_of(client).buffer == GET
    client.release()
    rig.loop.run()
    assert server.take() == GET_SENT + GET_SENT


# The rest.


def test_forwarded_for(make_rig: MakeRig) -> None:
    rig = make_rig(forwardfor=ForwardForSpec())
    client = rig.ask()
    assert serve(rig, client)[0] == GET_SENT[:-2] + b"x-forwarded-for: 192.0.2.1\r\n\r\n"


def test_drain_closes_only_idle_clients(make_rig: MakeRig) -> None:
    rig = make_rig()
    idle, busy, begun = rig.ask(), rig.ask(), rig.ask(GET[:9])
    rig.send(rig.upstream(0), OK)
    rig.relay.draining = True
    for wait, lost in ((IDLE - 1.0, False), (1.0, True)):
        rig.loop.advance(wait)
        for client in (idle, busy, begun):
            client_of(client).drain(rig.relay.now())
        rig.loop.run()
        assert (idle.lost, busy.closing, begun.closing) == (lost, False, False)
    rig.send(rig.upstream(1), OK)
    assert b"connection: close\r\n" in busy.take()
    assert busy.lost


def test_drain_counts_from_the_accept_where_nothing_has_come(make_rig: MakeRig) -> None:
    rig = make_rig()
    fresh, asking = rig.client(), rig.client()
    rig.relay.draining = True
    rig.loop.advance(IDLE - 1.0)
    rig.send(asking, GET)
    rig.loop.advance(1.0)
    for client in (fresh, asking):
        client_of(client).drain(rig.relay.now())
    rig.loop.run()
    assert (fresh.lost, asking.closing) == (True, False)
    assert rig.lines() == []
    rig.send(rig.upstream(), OK)
    assert b"connection: close\r\n" in asking.take()


def test_drain_lets_idle_clients_wait_for_their_next_response_if_told_so(make_rig: MakeRig) -> None:
    rig = make_rig(options=frozenset({"idle-close-on-response"}))
    client = rig.ask()
    serve(rig, client)
    rig.relay.draining = True
    rig.loop.advance(10_000.0)
    client_of(client).drain(rig.relay.now())
    rig.loop.run()
    assert not client.closing
    rig.send(client, GET)
    assert b"connection: close\r\n" in serve(rig, client)[1]
    assert client.lost


def test_drain_in_the_middle_of_a_response_that_did_not_say_close(make_rig: MakeRig) -> None:
    """The client may have sent its next request before it could know: that is answered, and then it is told."""
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), OK[:-1])
    rig.relay.draining = True
    rig.send(rig.upstream(), OK[-1:])
    assert client.take() == OK_SENT
    assert not client.closing
    rig.send(client, GET)
    assert b"connection: close\r\n" in serve(rig, client)[1]
    assert client.lost


def test_exchanges_are_used_again(make_rig: MakeRig) -> None:
    rig = make_rig()
    first = rig.ask()
    own = client_of(first).own
    serve(rig, first)
    rig.lose(first)
    assert rig.relay.spare == [own]
    second = rig.ask()
    assert client_of(second).own is own
    assert rig.relay.spare == []
    assert serve(rig, second) == (GET_SENT, OK_SENT)


def test_spare_exchanges_are_bounded(make_rig: MakeRig) -> None:
    rig = make_rig()
    clients = [rig.ask() for _ in range(SPARE + 5)]
    for dial in rig.dials:
        assert dial.transport is not None
        rig.send(dial.transport, OK)
    for client in clients:
        rig.lose(client)
    assert len(rig.relay.spare) == SPARE


def test_says_what_it_is(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    assert repr(client_of(client)) == "<client of px: 1 requests, AHEAD>"
    assert client_of(client).reading is Reading.AHEAD
