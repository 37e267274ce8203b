"""Actions on what surrounds a message: what they ask of the exchange."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.action_stream import LEVELS
from maniple.tests.core.rules.lines import compile_lines, mistake, mistakes, run_request, run_response, sent_back

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\nX-Ip: 192.0.2.99\r\nX-6: 2001:db8::1\r\nX-N: 300\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"


@pytest.fixture
def asked(make_scope: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """A scope whose exchange notes what it is asked for."""
    x = make_scope(request=REQUEST, response=RESPONSE)
    calls: list[tuple[Any, ...]] = []

    def note(name: str) -> Any:
        return lambda *arguments: calls.append((name, *arguments))

    for name in (
        "mark_client",
        "set_client_tos",
        "mark_server",
        "set_server_tos",
        "readdress",
        "set_timeout",
        "set_retries",
        "capture",
    ):
        setattr(x, name, note(name))
    return x, calls


SLOTS = "declare capture request len 5\n"
ASKED: tuple[tuple[str, tuple[Any, ...] | None], ...] = (
    ("set-mark 7", ("mark_client", 7)),
    ("set-mark 0xff", ("mark_client", 255)),
    ("set-fc-mark 1", ("mark_client", 1)),
    ("set-tos 0x10", ("set_client_tos", 16)),
    ("set-fc-tos 255", ("set_client_tos", 255)),
    ("set-fc-mark hdr(x-n)", ("mark_client", 300)),
    ("set-fc-mark int(-1)", ("mark_client", 0xFFFFFFFF)),
    ("set-fc-tos hdr(x-n)", ("set_client_tos", 44)),
    ("set-fc-tos hdr(none)", None),
    ("set-bc-mark 0x10", ("mark_server", 16)),
    ("set-bc-mark hdr(x-n),add(1)", ("mark_server", 301)),
    ("set-bc-tos 8", ("set_server_tos", 8)),
    ("set-bc-tos hdr(x-n)", ("set_server_tos", 44)),
    ("set-bc-tos hdr(none)", None),
    ("set-src hdr(x-ip)", ("readdress", "source", bytes((192, 0, 2, 99)), None)),
    ("set-src hdr(x-6)", ("readdress", "source", bytes.fromhex("20010db8000000000000000000000001"), None)),
    ("set-src hdr(none)", None),
    ("set-src hdr(host)", None),
    ("set-src-port hdr(x-n)", ("readdress", "source", None, 300)),
    ("set-src-port int(65537)", ("readdress", "source", None, 1)),
    ("set-src-port hdr(host)", ("readdress", "source", None, 0)),
    ("set-src-port hdr(none)", None),
    ("set-dst str(10.0.0.1)", ("readdress", "destination", bytes((10, 0, 0, 1)), None)),
    ("set-dst-port int(81)", ("readdress", "destination", None, 81)),
    ("set-timeout client 5s", ("set_timeout", "client", 5000)),
    ("set-timeout client hdr(x-n)", ("set_timeout", "client", 300)),
    ("set-timeout client int(0)", None),
    ("set-timeout client hdr(none)", None),
    ("set-retries 3", ("set_retries", 3)),
    ("set-retries int(4)", ("set_retries", 4)),
    ("set-retries hdr(x-n)", None),
    ("capture path len 10", ("capture", True, 1, b"/a")),
    ("capture path id 0", ("capture", True, 0, b"/a")),
    ("capture hdr(none) len 10", None),
    ("capture src len 10", ("capture", True, 1, b"192.0.2.7")),
    ("set-nice 5", None),
)


@pytest.mark.parametrize(("line", "call"), ASKED, ids=[line for line, _ in ASKED])
def test_what_the_exchange_is_asked_for(asked: Any, line: str, call: tuple[Any, ...] | None) -> None:
    x, calls = asked
    assert compile_lines(f"{SLOTS}http-request {line}").request.run(x) is None
    assert calls == ([] if call is None else [call])


@pytest.mark.parametrize("which", ["server", "tunnel"])
def test_timeouts_of_backends(asked: Any, which: str) -> None:
    x, calls = asked
    compile_lines(back=f"http-request set-timeout {which} 250ms").request.run(x)
    assert calls == [("set_timeout", which, 250)]


def test_both_of_a_listen_section(asked: Any) -> None:
    x, calls = asked
    lines = "\n".join(f"http-request set-timeout {which} 1s" for which in ("client", "server", "tunnel"))
    compile_lines(both=lines).request.run(x)
    assert [call[1] for call in calls] == ["client", "server", "tunnel"]


LEVEL = [(name, number) for number, name in enumerate(LEVELS)]


@pytest.mark.parametrize(("name", "number"), [*LEVEL, ("silent", -1)])
def test_log_levels(make_scope: Any, name: str, number: int) -> None:
    x = make_scope(request=REQUEST, response=RESPONSE)
    run_request(f"set-log-level {name}", x)
    assert (x.log_level, x.dirty) == (number, True)
    x.log_level = None
    run_response(f"set-log-level {name}", x)
    assert x.log_level == number


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("set-priority-class int(5)", "priority_class", 5),
        ("set-priority-class int(-9999)", "priority_class", -2047),
        ("set-priority-class int(9999)", "priority_class", 2047),
        ("set-priority-class hdr(none)", "priority_class", 0),
        ("set-priority-offset hdr(x-n)", "priority_offset", 300),
        ("set-priority-offset int(999999)", "priority_offset", 524287),
        ("set-priority-offset int(-999999)", "priority_offset", -524287),
    ],
)
def test_priorities(make_scope: Any, line: str, field: str, value: int) -> None:
    x = make_scope(request=REQUEST)
    run_request(line, x)
    assert getattr(x, field) == value
    assert x.dirty is bool(value)


STATUSES = (
    ("set-status 404", b"HTTP/1.1 404 Not Found\r\n", 404),
    ('set-status 503 reason "Slow Down"', b"HTTP/1.1 503 Slow Down\r\n", 503),
    ("set-status 999 reason x", b"HTTP/1.1 999 x\r\n", 999),
)


@pytest.mark.parametrize(("line", "start", "status"), STATUSES, ids=[row[0] for row in STATUSES])
@pytest.mark.parametrize("kind", ["response", "after"])
def test_statuses(make_scope: Any, kind: str, line: str, start: bytes, status: int) -> None:
    x = make_scope(request=REQUEST, response=RESPONSE)
    received = x.answer
    keyword = {"response": "http-response", "after": "http-after-response"}[kind]
    getattr(compile_lines(f"{keyword} {line}\n{keyword} set-header S %[status]"), kind).run(x)
    assert sent_back(x) == start + b"a: b\r\ns: %d\r\n" % status
    assert x.answer.status == status and received.status == 200


def test_responses_are_captured_in_declared_slots(asked: Any) -> None:
    x, calls = asked
    compile_lines("declare capture response len 5\nhttp-response capture res.hdr(a) id 0").response.run(x)
    assert calls == [("capture", False, 0, b"b")]


def test_captures_that_count_themselves(asked: Any) -> None:
    x, calls = asked
    compile_lines(
        "capture request header Host len 3\nhttp-request capture path len 9\ntcp-request content capture src len 9\n"
        "http-request capture method len 9"
    ).request.run(x)
    assert calls == [("capture", True, 1, b"/a"), ("capture", True, 3, b"GET")]


WRONG = (
    ("http-request set-log-level loud", "unknown level 'loud'"),
    ("http-request set-nice 2000", "from -1024 to 1024"),
    ("http-request set-tos 256", "from 0 to 255"),
    ("http-request set-mark x", "x"),
    ("http-request set-mark", "expects a value"),
    ("http-request set-mark 0x", "'0x' is no number"),
    ("http-request set-bc-mark 4294967296", "from 0 to 4294967295"),
    ("http-response set-bc-mark 1", "it is no action of `http-response`"),
    ("http-request set-src", "expects a sample expression"),
    ("http-request set-timeout queue 5s", "unknown timeout 'queue'"),
    ("http-request set-timeout server 5s", "a frontend has no timeout server"),
    ("http-request set-timeout client 0", "a timeout is more than 0"),
    ("http-request set-timeout client 5x", ""),
    ("http-request set-timeout client", "expects a time"),
    ("http-request set-retries", "expects a number"),
    ("http-request set-retries 101", "from 0 to 100"),
    ("http-response set-status 99", "from 100 to 999"),
    ("http-request set-status 200", "it is no action of `http-request`"),
    ("http-request capture path", "expects len or id"),
    ("http-request capture path max 5", "unknown word 'max'"),
    ("http-request capture path len 0", "from 1 to 65535"),
    ("http-request capture path id 0", "frontend 'f' has no slot 0 for captures of requests"),
    ("declare capture request len 5\nhttp-request capture path id 1", "frontend 'f' has no slot 1"),
    ("declare capture request len 5\nhttp-response capture status id 0", "no slot 0 for captures of responses"),
    ("http-response capture status len 5", "needs the `id` of a slot"),
    ("http-request if TRUE then capture path len 5", "needs the `id` of a slot"),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(line)


def test_slots_that_there_are() -> None:
    assert mistakes("declare capture response len 5\nhttp-response capture status id 0") == []
    assert mistakes("http-request capture path len 5\nhttp-request capture path id 0") == []
    assert mistakes(back="http-request capture path id 7") == [], "the frontend may have it"
    (error,) = mistakes("capture request header a len 5\nhttp-request capture path id 1")
    assert error.hint.startswith("the only slot is 0") and error.word == "1"


BACK_WRONG = (
    ("http-request set-timeout client 5s", "a backend has no timeout client"),
    ("http-request capture path len 5", "a backend has no place of its own for captures"),
)


@pytest.mark.parametrize(("line", "message"), BACK_WRONG, ids=[line for line, _ in BACK_WRONG])
def test_wrong_in_a_backend(line: str, message: str) -> None:
    assert message in mistake(back=line)
