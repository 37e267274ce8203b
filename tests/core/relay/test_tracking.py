"""Tracked entries: what they are told, and that each is released once on every way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.tests.core.relay.rig import OK, Rig
from maniple.tests.core.relay.test_tunnel import SWITCH, UPGRADE
from maniple.tests.core.relay.tracked_rig import count, holders, tracked

Make = Callable[..., Rig]
GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
SCOPES = ("tcp-request connection", "tcp-request session", "tcp-request content", "http-request")
RULES = """
    http-request deny if { path /deny }
    http-request tarpit if { path /tarpit }
    http-request reject if { path /reject }
    http-request silent-drop if { path /drop }
    http-request return status 200 if { path /return }
    http-request auth if { path /auth }
    http-response deny if { res.hdr(deny) -m found }
    http-request wait-for-body time 5s if { path /wait }
"""


def path(name: str) -> bytes:
    return b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % name.encode()


def answered(rig: Rig) -> None:
    rig.ask(GET)
    rig.send(rig.upstream(), OK)


def twice(rig: Rig) -> None:
    client = rig.ask(GET)
    rig.send(rig.upstream(), OK)
    rig.send(client, GET)
    rig.send(rig.upstream(), OK)


def client_lost(rig: Rig) -> None:
    rig.lose(rig.ask(GET), ConnectionResetError())


def client_lost_uploading(rig: Rig) -> None:
    rig.lose(rig.ask(POST))


def client_ends_uploading(rig: Rig) -> None:
    rig.shut(rig.ask(POST))


def server_lost(rig: Rig) -> None:
    rig.ask(GET)
    rig.lose(rig.upstream())


def server_lost_in_body(rig: Rig) -> None:
    rig.ask(GET)
    rig.send(rig.upstream(), b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
    rig.lose(rig.upstream())


def bad_response_body(rig: Rig) -> None:
    rig.ask(GET)
    rig.send(rig.upstream(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    rig.send(rig.upstream(), b"no chunk\r\n")


def bad_body(rig: Rig) -> None:
    rig.ask(CHUNKED + b"no chunk\r\n")


def bad_body_later(rig: Rig) -> None:
    rig.send(rig.ask(CHUNKED), b"no chunk\r\n")


def bad_body_in_tarpit(rig: Rig) -> None:
    rig.send(rig.ask(CHUNKED.replace(b"/a", b"/tarpit")), b"no chunk\r\n")


def bad_body_while_rules_wait(rig: Rig) -> None:
    rig.send(rig.ask(CHUNKED.replace(b"/a", b"/wait")), b"no chunk\r\n")


def garbage(rig: Rig) -> None:
    rig.ask(GET)
    rig.send(rig.upstream(), b"garbage\r\n\r\n")


def no_request(rig: Rig) -> None:
    rig.ask(b"no request\r\n\r\n")


def denied_response(rig: Rig) -> None:
    rig.ask(GET)
    rig.send(rig.upstream(), b"HTTP/1.1 200 OK\r\nDeny: x\r\nContent-Length: 0\r\n\r\n")


def through_a_tunnel(rig: Rig) -> None:
    client = rig.ask(UPGRADE)
    rig.send(rig.upstream(), SWITCH)
    rig.send(client, b"ping")
    rig.lose(client)


def says_nothing(rig: Rig) -> None:
    rig.client()


def gone_while_rules_wait(rig: Rig) -> None:
    rig.lose(rig.ask(b"POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"))


ENDS: dict[str, Callable[[Rig], Any]] = {
    function.__name__: function
    for function in (
        *(answered, twice, client_lost, client_lost_uploading, client_ends_uploading, server_lost, server_lost_in_body),
        *(bad_response_body, bad_body, bad_body_later, bad_body_in_tarpit, bad_body_while_rules_wait),
        *(garbage, no_request, denied_response, through_a_tunnel, says_nothing, gone_while_rules_wait),
    )
}


def asks_for(name: str) -> Callable[[Rig], Any]:
    return lambda rig: rig.ask(path(name))


ENDS |= {name: asks_for(name) for name in ("deny", "tarpit", "reject", "drop", "return", "auth")}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("straight", [True, False])
def test_all_is_released(make_rig: Make, scope: str, end: str, straight: bool) -> None:
    rig, tracker = tracked(make_rig, f"{scope} track-sc0 str(k) table t\n{RULES}", straight=straight)
    ENDS[end](rig)
    held = holders(tracker)
    assert held == max(count(tracker, "conn_cur"), 0)
    if scope not in SCOPES[:2] and end in ("answered", "twice", "deny", "return", "server_lost", "garbage"):
        assert held == 0
    rig.close()
    assert holders(tracker) == 0 and count(tracker, "conn_cur") in (0, -1)


def test_the_entry_is_held_as_long_as_the_exchange_lasts(make_rig: Make) -> None:
    rig, tracker = tracked(make_rig, "http-request track-sc0 str(k) table t")
    client = rig.ask(GET)
    assert (holders(tracker), count(tracker, "conn_cur")) == (1, 1)
    rig.send(rig.upstream(), OK)
    assert (holders(tracker), count(tracker, "conn_cur")) == (0, 0)
    rig.send(client, GET)
    assert count(tracker, "http_req_cnt") == count(tracker, "conn_cnt") == 2


def test_a_connection_is_held_as_long_as_it_lasts(make_rig: Make) -> None:
    rig, tracker = tracked(make_rig, "tcp-request connection track-sc0 str(k) table t")
    one, other = rig.ask(GET), rig.client()
    assert (holders(tracker), count(tracker, "conn_cur")) == (2, 2)
    rig.send(rig.upstream(), OK)
    rig.send(one, GET)
    assert [count(tracker, name) for name in ("conn_cnt", "sess_cnt", "http_req_cnt")] == [2, 2, 2]
    rig.lose(other)
    assert (holders(tracker), count(tracker, "conn_cur")) == (1, 1)


def test_bytes_are_those_on_the_wire(make_rig: Make) -> None:
    rig, tracker = tracked(make_rig, "http-request track-sc0 str(k) table t")
    client = rig.ask(POST + b"cde")
    rig.send(rig.upstream(), OK)
    assert count(tracker, "bytes_in_cnt") == len(POST) + 3
    assert count(tracker, "bytes_out_cnt") == len(client.take())


def test_of_a_tunnel_at_its_end(make_rig: Make) -> None:
    rig, tracker = tracked(make_rig, "tcp-request content track-sc0 str(k) table t", mode="tcp")
    client = rig.ask(b"abc")
    rig.send(rig.upstream(), b"hello")
    assert (count(tracker, "conn_cur"), count(tracker, "bytes_in_cnt")) == (1, 0)
    rig.lose(client)
    names = ("conn_cur", "bytes_in_cnt", "bytes_out_cnt", "http_req_cnt", "sess_cnt")
    assert [count(tracker, name) for name in names] == [0, 3, 5, 0, 0]


@pytest.mark.parametrize(
    ("end", "errors", "failures"),
    [
        ("answered", 0, 0),
        ("deny", 1, 0),
        ("tarpit", 1, 0),
        ("auth", 1, 0),
        ("reject", 0, 0),
        ("return", 0, 0),
        ("server_lost", 0, 1),
        ("server_lost_in_body", 0, 1),
        ("bad_response_body", 0, 1),
        ("bad_body", 1, 0),
        ("bad_body_later", 0, 0),
        ("bad_body_in_tarpit", 1, 0),
        ("bad_body_while_rules_wait", 0, 0),
        ("client_lost_uploading", 0, 0),
        ("garbage", 0, 1),
        ("denied_response", 0, 0),
        ("no_request", 1, 0),
    ],
)
def test_errors_and_failures(make_rig: Make, end: str, errors: int, failures: int) -> None:
    rig, tracker = tracked(make_rig, f"tcp-request connection track-sc0 str(k) table t\n{RULES}")
    ENDS[end](rig)
    assert (count(tracker, "http_err_cnt"), count(tracker, "http_fail_cnt")) == (errors, failures)
    assert count(tracker, "http_req_cnt") == 1


@pytest.mark.parametrize(
    ("status", "errors", "failures"), [(404, 1, 0), (500, 0, 1), (501, 0, 0), (505, 0, 0), (302, 0, 0)]
)
def test_statuses_of_servers(make_rig: Make, status: int, errors: int, failures: int) -> None:
    for lines in ("http-request track-sc0 str(k) table t", "http-response track-sc0 str(k) table t"):
        rig, tracker = tracked(make_rig, lines)
        rig.ask(GET)
        rig.send(rig.upstream(), b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
        assert (count(tracker, "http_err_cnt"), count(tracker, "http_fail_cnt")) == (errors, failures)


def test_refused_connections(make_rig: Make) -> None:
    for scope in ("connection", "session"):
        lines = f"tcp-request connection track-sc0 str(k) table t\ntcp-request {scope} reject"
        rig, tracker = tracked(make_rig, lines)
        rig.client()
        assert (count(tracker, "conn_cnt"), count(tracker, "sess_cnt")) == (1, 0)
        rig.close()
        assert holders(tracker) == 0


def test_a_table_that_is_full(make_rig: Make) -> None:
    rig, tracker = tracked(make_rig, "http-request track-sc0 url table t")
    for number in range(60):
        client = rig.ask(path(str(number)))
        rig.send(rig.upstream(), OK)
        rig.lose(client)
    assert len(tracker.table) == 50


def test_a_value_that_leaves_a_variable_is_not_tracked_on_the_light_way(make_rig: Make) -> None:
    rig, _ = tracked(make_rig, "http-request track-sc0 req.hdr(x),set-var(txn.a) table t", stored="http_req_cnt")
    request = b"GET / HTTP/1.1\r\nHost: h\r\nX: one\r\n\r\n"
    client = rig.ask(request)
    rig.send(rig.upstream(), OK)
    # That one was dialled for, and all of it restored.
    rig.send(client, request)
    rig.send(rig.upstream(), OK)
    assert client.protocol.own.variables  # type: ignore[attr-defined]
    rig.send(client, GET)
    assert client.protocol.own.variables is None  # type: ignore[attr-defined]
    rig.send(rig.upstream(), OK)
