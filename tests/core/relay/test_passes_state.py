"""Rules over many requests of one connection: nothing leaks from one to the next, whatever interrupts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import GET, OK, TIMEOUTS, Rig, client_of
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]


def get(path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode()


def post(path: str, size: int, body: bytes = b"") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode() + body


SHOW = """
http-request set-header Seen %[var(txn.v)]|%[var(req.v)]|%[src]|%[src_port]|%[dst_port]|%[prio_class]|%[prio_offset]
http-request set-header Captured %[capture.req.hdr(0)]|%[req.hdr_cnt(added)]
http-response set-header Seen %[var(txn.v)]|%[var(res.v)]|%[capture.res.hdr(0)]
"""
LEAKY = (
    "http-request set-var(txn.v) str(leak)",
    "http-request set-var(req.v) str(leak)",
    "http-response set-var(res.v) str(leak)",
    "http-request set-src str(10.9.9.9)",
    "http-request set-src-port int(9)",
    "http-request set-dst-port int(9)",
    "http-request set-priority-class int(5)",
    "http-request set-priority-offset int(5)",
    "http-request set-log-level silent",
    "http-request set-log-level err",
    "http-request set-timeout server 7ms",
    "http-request set-timeout tunnel 7ms",
    "http-request set-timeout client 7ms",
    "http-request set-retries 9",
    "http-request add-header Added yes",
    "http-request set-path /other",
    "http-request set-method PUT",
    "http-request early-hint Link </x>",
    "http-request strict-mode off",
    "http-request capture str(leak) id 0",
    "http-response capture str(leak) id 0",
    "http-request map-uri /first /second",
    "http-request pause 5ms",
    "http-request deny",
    "http-request return status 200 hdr A b",
    "http-request auth",
    "http-request redirect location /x",
    "http-request tarpit",
    "http-response deny",
    "http-response return status 404",
    "http-response set-status 404",
    "http-response set-header X y",
    "http-response set-log-level silent",
    "http-after-response set-header X y",
    "http-after-response strict-mode off",
    "use-server s2",
)
TAGGED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLocation: /second/x\r\n\r\nok"


def play(make_rig: Make, lines: str, first: bytes, second: bytes) -> tuple[bytes, bytes, object]:
    """What the server and the client get for the second request, and its line."""
    rig = ruled(make_rig, "declare capture request len 9\ndeclare capture response len 9\n" + lines, servers=2)
    client = rig.client()
    results: tuple[bytes, bytes, object] = (b"", b"", None)
    for request in (first, second):
        before = len(rig.log.lines)
        rig.send(client, request)
        rig.loop.advance(5000.0 if "tarpit" in lines else 300.0)
        asked = [dial.transport for dial in rig.dials if dial.transport is not None]
        got = b""
        for server in asked:
            data = server.take()
            if data:
                got = data
                rig.send(server, TAGGED)
        line = rig.log.lines[before:]
        results = got, client.take(), [(one.status, one.termination, one.retries, one.queues) for one in line]
        if client.lost or client.closing:
            client = rig.client()
    return results


@pytest.mark.parametrize("line", LEAKY)
def test_nothing_of_one_request_is_left_for_the_next(make_rig: Make, line: str) -> None:
    marked = f"http-request set-var(sess.first) path\n{line} if {{ var(sess.first) -m str /first }}\n{SHOW}"
    second = get("/second", "X: 1\r\n")
    plain = play(make_rig, marked, get("/quiet"), second)
    after = play(make_rig, marked, get("/first"), second)
    assert after == plain
    assert plain[0].startswith(b"GET /second HTTP/1.1\r\n")


@pytest.mark.parametrize("line", LEAKY)
def test_nor_for_a_request_with_a_body(make_rig: Make, line: str) -> None:
    marked = f"http-request set-var(sess.first) path\n{line} if {{ var(sess.first) -m str /first }}\n{SHOW}"
    second = post("/second", 3, b"abc")
    assert play(make_rig, marked, get("/first"), second) == play(make_rig, marked, get("/quiet"), second)


def test_variables_of_the_session_stay(make_rig: Make) -> None:
    rig = ruled(
        make_rig,
        "http-request set-header N %[var(sess.n)]\n"
        "http-request set-var(sess.n) var(sess.n),add(1) if { var(sess.n) -m found }\n"
        "http-request set-var(sess.n,ifnotexists) int(1)",
    )
    for _ in range(2):
        client = rig.client()
        seen = []
        for _ in range(3):
            rig.send(client, GET)
            seen.append(rig.upstream().take().partition(b"n: ")[2][:1])
            rig.send(rig.upstream(), OK)
        assert seen == [b"\r", b"1", b"2"]


# Order.


def test_order_of_a_listen_section(make_rig: Make) -> None:
    lines = """
    http-after-response add-header O after
    http-response add-header O response
    http-request add-header O request
    tcp-request content set-var(txn.o) str(content)
    tcp-response content set-var(txn.o) str(rescontent)
    http-request add-header O %[var(txn.o)]
    http-response add-header O %[var(txn.o)]
    use-server s2
    """
    rig = ruled(make_rig, lines, servers=2)
    client = rig.ask()
    assert rig.upstream().take() == b"GET / HTTP/1.1\r\nhost: a\r\no: request\r\no: content\r\n\r\n"
    rig.send(rig.upstream(), OK)
    got = client.take()
    assert got == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\no: response\r\no: rescontent\r\no: after\r\n\r\nok"
    assert rig.log.lines[0].server == "s2"


def test_redirect_lines_come_after_the_request_rules(make_rig: Make) -> None:
    rig = ruled(make_rig, "redirect location /r\nhttp-request deny if { path /deny }\nhttp-request set-path /new")
    client = rig.client()
    for path, status in (("/deny", b"403"), ("/x", b"302")):
        rig.send(client, get(path))
        assert client.take()[9:12] == status


# Answers, and what comes behind them.


def test_answers_and_requests_that_go_on_pipelined(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request deny if { path_beg /no }\nhttp-request set-header P %[path]")
    client = rig.ask(get("/no/1") + get("/a") + get("/no/2") + get("/b") + get("/no/3"))
    for path in (b"/a", b"/b"):
        assert b"\r\np: " + path in rig.upstream().take()
        rig.send(rig.upstream(), OK)
    assert [status for status, _ in rig.lines()] == [403, 200, 403, 200, 403]
    assert client.take().count(b"HTTP/1.1 ") == 5


def test_many_answers_do_not_nest(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request return status 200")
    client = rig.ask(get("/") * 3000)
    assert client.take().count(b"HTTP/1.1 200") == 3000


def test_nothing_is_read_behind_a_rejected_request(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request reject if { path /no }")
    client = rig.ask(get("/no") + get("/yes"))
    assert client.take() == b"" and client.lost and not rig.dials
    assert rig.lines() == [(-1, "PR")]


@pytest.mark.parametrize("action", ["deny", "return status 200", "redirect location /", "auth"])
def test_answer_while_the_body_still_comes(make_rig: Make, action: str) -> None:
    """The connection is drained: no reset may overtake the answer; and what comes is no request."""
    rig = ruled(make_rig, f"http-request {action}")
    client = rig.ask(post("/a", 100, b"x" * 10))
    got = client.take()
    assert got.count(b"HTTP/1.1 ") == 1 and b"connection: close\r\n" in got
    assert client.eof_written and not client.aborted
    rig.send(client, b"x" * 90 + GET)
    assert client.take() == b"" and not rig.dials
    rig.shut(client)
    assert len(rig.log.lines) == 1


def test_answer_to_a_request_with_its_body_keeps_the_connection(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request deny if { path /no }")
    client = rig.ask(post("/no", 3, b"abc") + GET)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 403") and b"connection: close" not in got
    assert rig.upstream().take().startswith(b"GET / HTTP/1.1\r\n")
    rig.send(rig.upstream(), OK)
    assert client.take().endswith(b"ok")


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1\r\nConnection: close"])
def test_answer_to_a_client_that_wants_no_more(make_rig: Make, version: bytes) -> None:
    rig = ruled(make_rig, "http-request deny")
    client = rig.ask(b"GET / " + version + b"\r\nHost: a\r\n\r\n")
    assert b"connection: close\r\n" in client.take() and client.lost


def test_head_gets_no_body(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request return content-type a/b string hello")
    client = rig.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.take() == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: a/b\r\n\r\n"


def test_response_refused_while_the_upload_goes_on(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-response deny")
    client = rig.ask(post("/a", 100, b"x" * 10))
    rig.send(rig.upstream(), OK)
    assert client.take().startswith(b"HTTP/1.1 502 ")
    rig.send(client, b"x" * 90)
    assert rig.upstream().lost and rig.idle == 0
    assert rig.lines() == [(502, "PH")]


# Suspension.


def test_body_in_many_pieces_then_pipelined(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 5s\nhttp-request set-header B %[req.body]")
    client = rig.ask(post("/a", 4), b"a", b"b", b"c")
    assert not rig.dials
    rig.send(client, b"d" + get("/next"))
    sent = rig.upstream().take()
    assert b"b: abcd\r\n" in sent and sent.endswith(b"\r\n\r\nabcd")
    rig.send(rig.upstream(), OK)
    assert rig.upstream().take().startswith(b"GET /next HTTP/1.1\r\n")
    rig.send(rig.upstream(), OK)
    assert rig.lines() == [(200, "--")] * 2


def test_chunked_body(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 5s\nhttp-request set-header B %[req.body]")
    client = rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"2\r\nde")
    assert not rig.dials
    rig.send(client, b"\r\n0\r\n\r\n")
    assert b"b: abcde\r\n" in rig.upstream().take()
    rig.send(rig.upstream(), OK)


def test_part_of_a_body_is_enough(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 5s at-least 3\nhttp-request set-header B %[req.body]")
    client = rig.ask(post("/a", 10), b"ab")
    assert not rig.dials
    rig.send(client, b"cd")
    sent = rig.upstream().take()
    assert b"b: abcd\r\n" in sent and sent.endswith(b"abcd")
    rig.send(client, b"efghij")
    assert rig.upstream().take() == b"efghij"
    rig.send(rig.upstream(), OK)
    assert rig.lines() == [(200, "--")]


def test_body_larger_than_what_is_kept(make_rig: Make) -> None:
    """As much as is kept counts as all; reading goes on when there is a server."""
    rig = ruled(make_rig, "http-request wait-for-body time 5s\nhttp-request set-header Y z")
    size = rig.relay.bufsize * 3
    client = rig.ask(post("/a", size), b"x" * (size // 2))
    server = rig.upstream()
    rig.send(client, b"x" * (size - size // 2))
    assert server.take().count(b"x") == size
    rig.send(server, OK)
    assert rig.lines() == [(200, "--")]


def test_bad_chunk_while_the_rules_wait(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 5s")
    client = rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n")
    assert client.take().startswith(b"HTTP/1.1 400 ")
    rig.loop.advance(60_000.0)
    assert len(rig.log.lines) == 1 and not rig.dials


def test_client_is_slower_than_its_timeout(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 90s")
    client = rig.ask(post("/a", 4), b"a")
    rig.loop.advance(31_000.0)
    assert client.take().startswith(b"HTTP/1.1 408 ")
    rig.loop.advance(120_000.0)
    assert len(rig.log.lines) == 1 and not rig.dials


LEAVING: tuple[tuple[str, Callable[[Rig, FakeTransport], None]], ...] = (
    ("reset", lambda rig, client: rig.lose(client, ConnectionResetError())),
    ("end of file", lambda rig, client: rig.shut(client)),
)


@pytest.mark.parametrize(("how", "leave"), LEAVING, ids=[how for how, _ in LEAVING])
@pytest.mark.parametrize("line", ["pause 20s", "tarpit", "if TRUE then set-header A b ; pause 20s ; deny"])
@pytest.mark.parametrize("aborts", [False, True])
def test_client_leaves_while_the_rules_wait(
    make_rig: Make, how: str, leave: Callable[[Rig, FakeTransport], None], line: str, aborts: bool
) -> None:
    options = frozenset({"abortonclose"}) if aborts else frozenset()
    rig = ruled(make_rig, f"http-request {line}", options=options)
    client = rig.ask()
    leave(rig, client)
    rig.loop.advance(60_000.0)
    if how == "reset" or aborts:
        assert not rig.dials and client.take() == b""
    for dial in rig.dials:
        # It only shut its sending side: it still gets its answer.
        assert dial.transport is not None
        rig.send(dial.transport, OK)
    assert len(rig.log.lines) == 1 and client.lost


def test_what_comes_ahead_while_the_rules_wait_is_kept(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request pause 1s if { path /first }")
    client = rig.ask(get("/first"))
    rig.send(client, get("/second"), get("/third"))
    assert not rig.dials
    rig.loop.advance(1100.0)
    paths = []
    for _ in range(3):
        paths.append(rig.upstream().take().split(b" ")[1])
        rig.send(rig.upstream(), OK)
    assert paths == [b"/first", b"/second", b"/third"]


def test_two_pauses_and_what_is_between(make_rig: Make) -> None:
    rig = ruled(
        make_rig,
        "http-request pause 1s\nhttp-request set-header A b\nhttp-request pause 1s\nhttp-request deny if { hdr(a) b }",
    )
    client = rig.ask()
    rig.loop.advance(1500.0)
    assert client.take() == b""
    rig.loop.advance(600.0)
    assert client.take().startswith(b"HTTP/1.1 403 ")
    assert rig.log.lines[0].times[-1] >= 2000
    rig.send(client, GET)
    rig.loop.advance(2200.0)
    assert client.take().startswith(b"HTTP/1.1 403 ")


def test_tarpit_takes_its_time_and_keeps_the_connection(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request tarpit if { path /no }", timeouts=replace(TIMEOUTS, tarpit=4000))
    client = rig.ask(get("/no"))
    rig.loop.advance(3_000.0)
    assert client.take() == b"" and client_of(client).exchange is not None
    rig.loop.advance(2_000.0)
    assert client.take().startswith(b"HTTP/1.1 500 ")
    assert rig.lines() == [(500, "PT")]


def test_timeout_of_the_client_as_a_rule_says(make_rig: Make) -> None:
    """`set-timeout client` holds for this request's body."""
    rig = ruled(make_rig, "http-request set-timeout client 2s if { path /a }")
    client = rig.ask(post("/a", 10, b"x"))
    rig.send(client, b"y")
    rig.loop.advance(2_100.0)
    assert client.take().startswith(b"HTTP/1.1 408 ")
    other = rig.ask(post("/b", 10, b"x"))
    rig.loop.advance(10_000.0)
    assert other.take() == b""


# TCP.


INSPECTED = "tcp-request content reject if { req.payload(0,1) -m bin 00 }"
"""Looks at the first byte."""


def tcp(make_rig: Make, lines: str, delay: int | None = 2000) -> Rig:
    return ruled(make_rig, lines, mode="tcp", request_inspect_delay=delay)


def test_inspection_waits_for_the_first_bytes(make_rig: Make) -> None:
    rig = tcp(make_rig, INSPECTED)
    client = rig.client()
    assert not rig.dials
    rig.send(client, b"ping")
    assert rig.upstream().take() == b"ping"
    rig.lose(rig.upstream())


@pytest.mark.parametrize("how", ["time", "end of file"])
def test_inspection_ends(make_rig: Make, how: str) -> None:
    rig = tcp(make_rig, INSPECTED)
    client = rig.client()
    if how == "time":
        rig.loop.advance(2_100.0)
    else:
        rig.shut(client)
    assert len(rig.dials) == 1
    rig.lose(rig.upstream())
    assert len(rig.log.lines) == 1


def test_client_leaves_during_inspection(make_rig: Make) -> None:
    rig = tcp(make_rig, INSPECTED)
    client = rig.client()
    rig.lose(client, ConnectionResetError())
    rig.loop.advance(5_000.0)
    assert len(rig.log.lines) == 1 and not rig.dials


def test_what_needs_no_bytes_waits_for_none(make_rig: Make) -> None:
    rig = tcp(make_rig, "tcp-request content accept if { src 192.0.2.1 }\ntcp-request content reject")
    rig.client()
    assert len(rig.dials) == 1


def test_connections_are_refused_before_their_first_byte(make_rig: Make) -> None:
    rig = tcp(make_rig, "tcp-request connection reject if { src 192.0.2.0/24 }", None)
    assert rig.client().lost and not rig.dials and not rig.log.lines


def test_timeout_of_the_client_holds_for_tunnels(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request set-timeout client 2s if { path /a }")
    for path, silent in (("/a", 2_100.0), ("/b", 10_000.0)):
        client = rig.ask(get(path, "Connection: Upgrade\r\nUpgrade: x\r\n"))
        rig.send(rig.upstream(), b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        rig.loop.advance(silent)
        assert client.lost is (path == "/a")


@pytest.mark.parametrize(
    ("line", "logged"), [("tcp-response content reject", (-1, "PD")), ("http-response silent-drop", (200, "PR"))]
)
def test_responses_that_nobody_gets(make_rig: Make, line: str, logged: tuple[int, str]) -> None:
    rig = ruled(make_rig, line)
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    assert client.take() == b"" and client.lost
    assert rig.lines() == [logged]
    assert rig.frontend.counts.dresp == rig.backend.counts.dresp == 1
