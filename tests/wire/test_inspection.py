"""Content inspection of TCP: rules over bytes that come one at a time, as HAProxy has them."""

from __future__ import annotations

import pytest
from maniple.tests.core.rules.hellos import hello
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, RESET, SHUT, End, Quiet, Script, Send, Step, Until
from maniple.tests.wire.rig.scripts import OK

RDP = b"\x03\x00\x00\x2a\x25\xe0\x00\x00\x00\x00\x00Cookie: mstshash=alice\r\n\x01\x00\x08\x00\x03\x00\x00\x00"


HELLO = hello("two.test")
ANSWER: Script = (Until(b"(?s)."), Send(b"pong"), End(), CLOSE)
GREETING: Script = (Send(b"SSH-2.0-x\r\n"), Until(b"go"), Send(b" on"), End(), CLOSE)
ROUTES = (
    "    default_backend one\nbackend one\n    server s1 {s1}\nbackend two\n    server s2 {s2}\n"
    "backend three\n    server s3 {s3}\n"
)
SNI = (
    "tcp-request inspect-delay 2s\ntcp-request content accept if { req.ssl_hello_type 1 }\n"
    "use_backend two if { req.ssl_sni -i TWO.test }\nuse_backend three if { req.ssl_sni -m end .three.test }"
)


def routed(name: str, lines: str, *steps: Step, more: str = "", **words: object) -> Case:
    """A client of a frontend with three backends, each with its own server. The script ends by itself."""
    front = "".join(f"    {line.strip()}\n" for line in lines.splitlines())
    return Case(
        f"inspection: {name}",
        (steps,),
        {"s1": (ANSWER,), "s2": (ANSWER,), "s3": (ANSWER,)},
        whole="frontend f\n    bind {bind}\n" + front + (more or ROUTES),
        mode="tcp",
        raw=True,
        ignore=("client0.end",),
        **words,  # type: ignore[arg-type]
    )


GONE = {"log0.backend": Differs("f", "no backend is chosen for a client that has gone")}
PONG = (Until(b"pong"), CLOSE)


def delayed(rules: str, time: str = "300ms") -> str:
    return f"tcp-request inspect-delay {time}\n" + "\n".join(
        f"tcp-request content {line}" for line in rules.split("; ")
    )


CASES = (
    routed("SNI", SNI, Send(HELLO), *PONG),
    routed("SNI, bytes one at a time", SNI, Send(HELLO, 1), *PONG),
    routed("SNI, in three pieces", SNI, Send(hello("a.three.test"), 150), *PONG),
    routed("SNI, another one", SNI, Send(hello("else.test")), *PONG),
    routed("SNI, none", SNI, Send(hello(None)), *PONG),
    routed("SNI, no TLS", SNI, Send(b"EHLO x\r\n"), *PONG),
    routed("SNI, cut off", SNI.replace("2s", "150ms"), Send(HELLO[:100]), *PONG),
    routed("SNI, client ends its side", SNI, Send(HELLO[:100]), SHUT, Until(b"pong"), CLOSE),
    routed("SNI, client leaves", SNI, Send(HELLO[:100]), Quiet(0.05), CLOSE),
    routed(
        "SNI, client resets",
        SNI,
        Send(HELLO[:100]),
        Quiet(0.05),
        RESET,
        differs=GONE,
    ),
    routed("nothing comes", SNI.replace("2s", "150ms"), Quiet(0.25), Send(b"x"), *PONG),
    routed(
        "SNI, others rejected",
        SNI + "\ntcp-request content reject",
        Send(b"GET / HTTP/1.0\r\n\r\n"),
        End(),
    ),
    routed(
        "SNI in variables",
        "tcp-request inspect-delay 2s\ntcp-request content set-var(sess.name) req.ssl_sni,lower\n"
        "tcp-request content accept if { var(sess.name) -m found }\n"
        "tcp-request content reject if WAIT_END\nuse_backend two if { var(sess.name) -m str two.test }",
        Send(hello("TWO.test"), 90),
        *PONG,
    ),
    routed(
        "ALPN and version",
        delayed("reject if { req.ssl_ver lt 3.1 }; accept if { req.ssl_alpn h2 }", "2s")
        + "\nuse_backend two if { req.ssl_alpn h2 } { req.ssl_ver 3.1:3.4 } { req.ssl_st_ext 1 }"
        " { req.ssl_ec_ext }",
        Send(hello("x", ("h2", "http/1.1")), 60),
        *PONG,
    ),
    routed(
        "RDP",
        delayed("accept if RDP_COOKIE", "2s") + "\nuse_backend two if { req.rdp_cookie(mstshash) alice }",
        Send(RDP, 3),
        *PONG,
    ),
    routed(
        "content",
        delayed("accept if REQ_CONTENT", "2s") + "\nuse_backend two if { req.len gt 0 }",
        Quiet(0.05),
        Send(b"x"),
        *PONG,
    ),
    routed(
        "waits for the end of the delay",
        delayed("accept if WAIT_END", "200ms") + "\nuse_backend two if { req.payload(0,0) -m str abc }",
        Send(b"a"),
        Quiet(0.05),
        Send(b"bc"),
        *PONG,
    ),
    routed("payload", delayed("accept if { req.payload(2,3) -m bin 636465 }; reject", "2s"), Send(b"abcdef", 1), *PONG),
    routed(
        "payload, another",
        delayed("accept if { req.payload(2,3) -m bin 636465 }; reject", "2s"),
        Send(b"abCdef", 1),
        End(),
    ),
    routed(
        "payload, too little",
        delayed("accept if { req.payload(2,3) -m bin 636465 }; reject", "150ms"),
        Send(b"abc"),
        End(),
    ),
    routed(
        "payload, never", delayed("accept if { req.payload(99999,3) -m found }; reject", "1500ms"), Send(b"abc"), End()
    ),
    routed(
        "payload with its length",
        delayed("accept if { req.payload_lv(0,2) -m str two }; reject", "2s")
        + "\nuse_backend two if { req.payload_lv(0,2) -m str two }"
        "\nuse_backend three if { req.payload_lv(0,2,+1) -m str wo! }",
        Send(b"\0\3two!", 1),
        *PONG,
    ),
    routed(
        "negation waits too", delayed("reject if !{ req.payload(0,2) -m str ab }; accept", "2s"), Send(b"abc", 1), *PONG
    ),
    routed(
        "negation, in the end", delayed("reject if !{ req.payload(0,2) -m str ab }; accept", "150ms"), Send(b"a"), End()
    ),
    routed(
        "unless waits too",
        delayed("reject unless { req.payload(0,2) -m str ab }; accept", "2s"),
        Send(b"abc", 1),
        *PONG,
    ),
    routed(
        "false before missing",
        delayed("reject if FALSE { req.payload(0,9) -m found }; accept", "2s"),
        Send(b"a"),
        *PONG,
    ),
    routed(
        "missing before false",
        delayed("reject if { req.payload(0,9) -m found } FALSE; accept", "300ms"),
        Send(b"a"),
        Quiet(0.1),
        *PONG,
    ),
    routed(
        "one of two",
        delayed("accept if { req.payload(0,9) -m found } or { req.payload(0,1) -m str a }; reject", "2s"),
        Send(b"a"),
        *PONG,
    ),
    routed(
        "an earlier rule waits for a later one",
        delayed("reject if { req.payload(0,3) -m str abc }; accept if { req.payload(0,1) -m str a }; reject", "2s"),
        Send(b"a"),
        Quiet(0.05),
        Send(b"bc"),
        End(),
    ),
    routed(
        "rules are run again",
        delayed("set-var(txn.n) int(1),add(txn.n); accept if { req.payload(0,3) -m found }", "2s")
        + "\nuse_backend two if { var(txn.n) -m int 1 }",
        Send(b"a"),
        Quiet(0.05),
        Send(b"bcd"),
        *PONG,
    ),
    routed(
        "no delay",
        "tcp-request content reject if { req.payload(0,9) -m found }\ntcp-request content accept",
        Send(b"a"),
        *PONG,
    ),
    routed(
        "of the backend",
        "default_backend b",
        Send(b"abc", 1),
        *PONG,
        more="backend b\n    tcp-request inspect-delay 2s\n"
        "    tcp-request content reject if { req.payload(0,2) -m str xx }\n"
        "    tcp-request content accept if { req.payload(0,3) -m str abc }\n    tcp-request content reject\n"
        "    server s1 {s1}\n",
    ),
    routed(
        "of both",
        delayed("reject if { req.payload(0,2) -m str xx }", "2s") + "\ndefault_backend b",
        Send(b"abcd", 1),
        End(),
        more="backend b\n    tcp-request inspect-delay 1500ms\n"
        "    tcp-request content reject if { req.payload(0,4) -m str abcd }\n"
        "    tcp-request content accept\n    server s1 {s1}\n",
    ),
    routed(
        "more than the buffer",
        delayed("accept if { req.payload(0,16000) -m found }; reject", "2s"),
        Send(b"x" * 40000),
        End(),
    ),
    routed("captured", delayed("capture req.payload(0,2) len 8; accept if { req.len ge 2 }", "2s"), Send(b"ab"), *PONG),
    routed(
        "longer than the client's time", delayed("accept if { req.len gt 5 }", "3s"), Send(b"a"), End(), differs=GONE
    ),
    routed("client ends without a word", delayed("accept if REQ_CONTENT; reject", "2s"), SHUT, End()),
    routed("no content rule", "use_backend two if WAIT_END", Send(b"a"), *PONG),
    routed(
        "a rule behind an accepting one",
        delayed("accept if TRUE; reject if { req.len gt 5 }", "2s"),
        Send(b"more than five"),
        *PONG,
    ),
    # HTTP in TCP.
    routed(
        "HTTP",
        delayed("accept if HTTP", "2s") + "\nuse_backend two if { req.hdr(host) two.test }",
        Send(b"GET / HTTP/1.1\r\nHost: two.test\r\n\r\n", 5),
        *PONG,
    ),
    routed(
        "HTTP by path",
        delayed("accept if { path_beg /x } METH_GET; reject", "2s"),
        Send(b"GET /xyz HTTP/1.1\r\nHost: two.test\r\n\r\n", 5),
        *PONG,
    ),
    routed(
        "not HTTP",
        delayed("accept if HTTP; accept if { req.len gt 20 }", "2s") + "\nuse_backend two if HTTP\nuse_backend three",
        Send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 4),
        *PONG,
    ),
)


def answered(name: str, back: str, *steps: Step, origin: Script = GREETING, **words: object) -> Case:
    """A client of a server that speaks first."""
    return Case(
        f"inspection: response, {name}",
        (steps,),
        {"s1": (origin,)},
        back=back,
        mode="tcp",
        raw=True,
        ignore=("client0.end",),
        **words,  # type: ignore[arg-type]
    )


def waiting(rules: str, time: str = "2s") -> str:
    return f"tcp-response inspect-delay {time}\n" + "\n".join(
        f"tcp-response content {line}" for line in rules.split("; ")
    )


ASKED: Script = (Until(b"g"), Send(b"SSH-2.0-x\r\n"), End(), CLOSE)
"""Speaks when all that the client says is here, so that no end is faster than that."""
SLOW: Script = (Send(b"SSH-2.0-x\r\n", 1), Until(b"go"), Send(b" on"), End(), CLOSE)
TALK = (Send(b"go"), Until(b" on"), CLOSE)
RESPONSES = (
    answered("accepted", waiting("accept if { res.payload(0,4) -m str SSH- }; reject"), *TALK),
    answered("accepted, slow", waiting("accept if { res.payload(0,4) -m str SSH- }; reject"), *TALK, origin=SLOW),
    answered(
        "rejected",
        waiting("reject if { res.payload(0,4) -m str SSH- }"),
        Send(b"g"),
        End(),
        origin=ASKED,
    ),
    answered(
        "rejected, slow", waiting("reject if { res.payload(0,9) -m str SSH-2.0-x }"), Send(b"g"), End(), origin=SLOW
    ),
    answered("too late", waiting("accept if { res.payload(0,40) -m found }; reject", "150ms"), Send(b"g"), End()),
    answered("too late, accepted", waiting("reject if { res.payload(0,40) -m found }", "150ms"), *TALK),
    answered("closed", waiting("close if { res.len gt 5 }"), Send(b"g"), End(), origin=ASKED),
    answered("length", waiting("accept if { res.len ge 11 }; reject"), *TALK, origin=SLOW),
    answered(
        "server ends",
        waiting("accept if { res.payload(0,4) -m str SSH- }; reject"),
        Send(b"g"),
        End(),
        origin=(Until(b"g"), Send(b"SS"), CLOSE),
    ),
    answered(
        "server ends, accepted",
        waiting("accept if { res.payload(0,2) -m str SS }; reject"),
        Send(b"g"),
        End(),
        origin=(Until(b"g"), Send(b"SS"), CLOSE),
    ),
    answered(
        "client leaves", waiting("accept if { res.payload(0,40) -m found }; reject"), Send(b"g"), Quiet(0.1), RESET
    ),
    answered(
        "with its length",
        waiting("accept if { res.payload_lv(0,1) -m str abc }; reject"),
        Send(b"go"),
        Until(b"abcd"),
        CLOSE,
        origin=(Send(b"\3abcd", 1), End(), CLOSE),
    ),
    answered(
        "TLS",
        waiting("accept if { res.ssl_hello_type 2 }; reject", "150ms"),
        Send(b"go"),
        End(),
        origin=(Until(b"go"), Send(HELLO), End(), CLOSE),
    ),
    answered("waits for the end", waiting("accept if WAIT_END; reject", "150ms"), *TALK),
    answered(
        "variables",
        waiting("set-var(txn.a) res.payload(0,3); accept if { var(txn.a) -m str SSH }; reject if WAIT_END", "1s"),
        *TALK,
        origin=SLOW,
    ),
    answered("no delay", "tcp-response content accept if { res.len gt 100000 }", *TALK),
)

HTTP = (
    Case(
        "inspection: http, all is here",
        ((Send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), Until(b"hello"), CLOSE),),
        {"s1": ((Until(b"\r\n\r\n"), OK, End(), CLOSE),)},
        front="tcp-request inspect-delay 2s\ntcp-request content accept if WAIT_END\ntcp-request content reject",
    ),
    Case(
        "inspection: http, a body to come",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab"),
                Quiet(0.1),
                Send(b"cd"),
                Until(b"hello"),
                CLOSE,
            ),
        ),
        {"s1": ((Until(b"\r\n\r\nabcd"), OK, End(), CLOSE),)},
        front="tcp-request inspect-delay 2s\ntcp-request content accept if { req.body -m str abcd }\n"
        "tcp-request content reject",
    ),
    Case(
        "inspection: http, two requests",
        (
            (
                Send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
                Until(b"hello"),
                Send(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"),
                Until(b"hello"),
                CLOSE,
            ),
        ),
        {"s1": ((Until(b"\r\n\r\n"), OK, Until(b"\r\n\r\n"), OK, End(), CLOSE),)},
        front="tcp-request inspect-delay 2s\ntcp-request content accept if WAIT_END REQ_CONTENT\n"
        "tcp-request content reject",
        lines=2,
    ),
)


@pytest.mark.parametrize("case", (*CASES, *RESPONSES, *HTTP), ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
