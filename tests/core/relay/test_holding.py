"""Responses that rules hold back, at every place where they can be cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import GET, TIMEOUTS, Rig, connection_of
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]
SHOW = "http-response set-header Seen %[res.body_len],%[res.body_size],%[res.body]"
WAIT = f"http-response wait-for-body time 300ms\n{SHOW}"
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Length: 6\r\n\r\nabcdef"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=1\r\nab\r\n4\r\ncdef\r\n0\r\nT: u\r\n\r\n"
UNTIL_CLOSE = HEAD + b"\r\nabcdef"


def started(make_rig: Make, lines: str, **words: object) -> tuple[Rig, FakeTransport, FakeTransport]:
    rig = ruled(make_rig, lines, **words)
    client = rig.ask(GET)
    server = rig.upstream()
    server.take()
    return rig, client, server


def seen(answer: bytes) -> bytes:
    return answer.partition(b"\r\nseen: ")[2].partition(b"\r\n")[0]


@pytest.mark.parametrize("response", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_whole_body_in_two_pieces_cut_anywhere(make_rig: Make, response: bytes) -> None:
    rig, client, server = started(make_rig, WAIT)
    for cut in range(1, len(response)):
        rig.send(server, response[:cut])
        assert client.take() == b"", cut
        rig.send(server, response[cut:])
        answer = client.take()
        assert seen(answer) == b"6,6,abcdef", cut
        assert answer.endswith(response.partition(b"\r\n\r\n")[2])
        rig.assert_quiet()
        assert rig.idle == 1
        rig.send(client, GET)
        server.take()


def test_byte_by_byte(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT)
    for number in range(len(CHUNKED)):
        assert client.take() == b""
        rig.send(server, CHUNKED[number : number + 1])
    assert seen(client.take()) == b"6,6,abcdef"


def test_body_that_is_here_is_not_waited_for(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, LENGTH)
    assert seen(client.take()) == b"6,6,abcdef"
    assert rig.lines()[-1] == (200, "--") and rig.idle == 1


def test_until_the_server_closes(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, UNTIL_CLOSE[:-2])
    rig.send(server, UNTIL_CLOSE[-2:])
    assert client.take() == b""
    rig.shut(server)
    answer = client.take()
    assert seen(answer) == b"6,6,abcdef" and answer.endswith(b"\r\n\r\nabcdef")
    assert rig.lines()[-1] == (200, "--") and client.is_closing()


@pytest.mark.parametrize("reset", [False, True])
def test_server_leaves_too_early(make_rig: Make, reset: bool) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, LENGTH[:-3])
    if reset:
        rig.lose(server, ConnectionResetError())
    else:
        rig.shut(server)
    answer = client.take()
    assert seen(answer) == b"3,6,abc" and answer.endswith(b"abc")
    assert rig.lines()[-1] == (200, "SD")


def test_nonsense_in_a_chunk(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, CHUNKED[:-20])
    rig.send(server, b"zz\r\nzz\r\n")
    assert client.take().startswith(b"HTTP/1.1 502 ")
    assert rig.lines()[-1] == (502, "PH")


def test_time_is_over(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, LENGTH[:-3])
    rig.loop.advance(200)
    assert client.take() == b""
    rig.loop.advance(200)
    assert client.take().startswith(b"HTTP/1.1 504 ")
    assert rig.lines()[-1] == (504, "sH")
    assert rig.server.counts.eresp == rig.backend.counts.eresp == 1
    rig.send(client, GET)
    rig.send(rig.upstream(), LENGTH)
    assert seen(client.take()) == b"6,6,abcdef"


def test_timeout_server_runs_meanwhile(make_rig: Make) -> None:
    rig, client, server = started(
        make_rig, "http-response wait-for-body time 1h", timeouts=replace(TIMEOUTS, server=100)
    )
    rig.send(server, LENGTH[:-3])
    rig.loop.advance(500)
    assert client.take().startswith(b"HTTP/1.1 504 ") and rig.lines()[-1] == (504, "sH")


def test_the_head_begins_timeout_server_anew(make_rig: Make) -> None:
    rig, client, server = started(
        make_rig, "http-response wait-for-body time 1h", timeouts=replace(TIMEOUTS, server=500)
    )
    rig.loop.advance(400)
    rig.send(server, LENGTH[:-3])
    rig.loop.advance(400)
    assert client.take() == b""
    rig.send(server, LENGTH[-3:])
    assert client.take().endswith(b"abcdef")


def test_client_leaves_meanwhile(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, LENGTH[:-3])
    rig.lose(client)
    assert rig.lines()[-1][1] == "CH"
    rig.loop.advance(1000)


def test_at_least(make_rig: Make) -> None:
    rig, client, server = started(make_rig, f"http-response wait-for-body time 1s at-least 4\n{SHOW}")
    rig.send(server, LENGTH[:-4])
    assert client.take() == b""
    rig.send(server, LENGTH[-4:-1])
    assert seen(client.take()) == b"5,6,abcde"
    rig.send(server, LENGTH[-1:])
    assert client.take() == b"f"
    assert rig.idle == 1


def test_a_full_buffer_is_enough(make_rig: Make) -> None:
    rig, client, server = started(make_rig, WAIT.replace(",%[res.body]", ""))
    rig.send(server, HEAD + b"Content-Length: 100000\r\n\r\n")
    rig.send(server, bytes(10000))
    assert client.take() == b""
    rig.send(server, bytes(10000))
    assert seen(client.take()) == b"20000,100000"
    rig.send(server, bytes(80000))
    assert len(client.take()) == 80000 and rig.idle == 1


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 204 None\r\n\r\n",
        b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
        HEAD + b"Content-Length: 0\r\n\r\n",
    ],
)
def test_without_a_body(make_rig: Make, response: bytes) -> None:
    rig, client, server = started(make_rig, WAIT)
    rig.send(server, response)
    assert b"\r\nseen: 0,0," in client.take()
    assert rig.idle == 1


# Pauses.


def test_pause(make_rig: Make) -> None:
    rig, client, server = started(make_rig, f"http-response pause 100ms\n{SHOW}")
    rig.send(server, LENGTH)
    rig.loop.advance(60)
    assert client.take() == b""
    rig.loop.advance(150)
    assert seen(client.take()) == b"6,6,abcdef" and rig.idle == 1


def test_pause_while_the_body_comes_and_the_server_closes(make_rig: Make) -> None:
    rig, client, server = started(make_rig, f"http-response pause 100ms\n{SHOW}")
    rig.send(server, LENGTH[:-3])
    rig.send(server, LENGTH[-3:])
    rig.shut(server)
    rig.loop.advance(60)
    assert client.take() == b""
    rig.loop.advance(150)
    assert seen(client.take()) == b"6,6,abcdef" and rig.idle == 0
    assert rig.lines()[-1] == (200, "--")


def test_a_paused_response_does_not_pile_up(make_rig: Make) -> None:
    rig, client, server = started(make_rig, "http-response pause 100ms")
    rig.send(server, HEAD + b"Content-Length: 100000\r\n\r\n", bytes(20000))
    assert not server.is_reading()
    rig.loop.advance(200)
    assert server.is_reading()
    assert client.take().endswith(bytes(20000))
    rig.send(server, bytes(80000))
    assert len(client.take()) == 80000


def test_waits_follow_each_other(make_rig: Make) -> None:
    lines = f"http-response pause 50ms\nhttp-response wait-for-body time 1s\nhttp-response pause 50ms\n{SHOW}"
    rig, client, server = started(make_rig, lines)
    rig.send(server, LENGTH[:-3])
    rig.loop.advance(150)
    rig.send(server, LENGTH[-3:])
    assert client.take() == b""
    rig.loop.advance(150)
    assert seen(client.take()) == b"6,6,abcdef"


@pytest.mark.parametrize(("rule", "status"), [("deny", 502), ("return status 404", 404)])
def test_a_rule_behind_the_wait_answers(make_rig: Make, rule: str, status: int) -> None:
    rig, client, server = started(make_rig, f"http-response wait-for-body time 1s\nhttp-response {rule}")
    for number in range(3):
        rig.send(server, LENGTH[:-3])
        rig.send(server, LENGTH[-3:])
        assert client.take().startswith(b"HTTP/1.1 %d " % status)
        # Whole: the connection serves the next one.
        assert rig.idle == 1 and len(rig.dials) == 1, number
        rig.send(client, GET)
        server.take()


def test_the_body_may_decide(make_rig: Make) -> None:
    lines = "http-response wait-for-body time 1s\nhttp-response deny if { res.body -m sub cde }"
    rig, client, server = started(make_rig, lines)
    rig.send(server, LENGTH[:-2])
    rig.send(server, LENGTH[-2:])
    assert client.take().startswith(b"HTTP/1.1 502 ")


def test_what_is_seen_of_one_response_is_not_seen_of_the_next(make_rig: Make) -> None:
    rig, client, server = started(make_rig, SHOW)
    rig.send(server, LENGTH)
    assert seen(client.take()) == b"6,6,abcdef"
    rig.send(client, GET)
    rig.send(server, HEAD + b"Content-Length: 2\r\n\r\nxy")
    assert seen(client.take()) == b"2,2,xy"
    assert connection_of(server).exchange is None


def test_answers_of_our_own_show_nothing(make_rig: Make) -> None:
    show = SHOW.replace("response", "after-response")
    lines = f"http-request return status 404 content-type text/plain string abc\n{show}"
    rig = ruled(make_rig, lines)
    answer = rig.ask(GET).take()
    assert b"\r\nseen: 0,0," in answer
