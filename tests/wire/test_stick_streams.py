"""`stick` rules over streams of TCP, as HAProxy has them: a client is its source address, or what it says first.

All clients are connected before the first one speaks, so rules wait for bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Await, End, Raise, Send, Until
from maniple.tests.wire.test_stick import NAMES, SERVERS, TABLE, indented


def spoken(text: bytes) -> tuple[Any, ...]:
    """A server that answers the first bytes with its own."""
    return (Until(b"\n"), Send(text), CLOSE)


def said(*texts: bytes) -> tuple[tuple[Any, ...], ...]:
    """Clients that come one after the other, and say one line each."""
    scripts = []
    for number, text in enumerate(texts):
        before = (Await(f"c{number - 1}"),) if number else ()
        scripts.append((*before, Send(text), End(), CLOSE, Raise(f"c{number}")))
    return tuple(scripts)


def stream(
    name: str, back: str, texts: Sequence[bytes], *, servers: str = SERVERS, table: str = TABLE, **words: Any
) -> Case:
    origins = {one: (spoken(one.encode() + b"-session\n"),) * len(texts) for one in NAMES}
    whole = f"listen l\n    bind {{bind}}\n    stick-table {table}\n{indented(back)}{indented(servers)}"
    return Case(
        f"stick: tcp, {name}",
        said(*texts),
        origins,
        mode="tcp",
        whole=whole,
        raw=True,
        lines=len(texts),
        **words,
    )


IP = "type ip size 100"
BINARY = "type binary len 4 size 100"
INSPECT = "tcp-request inspect-delay 1s\ntcp-request content accept if { req.len ge 3 }\n"
ANSWERED = "tcp-response inspect-delay 1s\ntcp-response content accept if { res.len ge 3 }\n"
STREAMS = (
    stream("source", f"{INSPECT}stick on src", (b"aa\n", b"bb\n", b"cc\n"), table=IP),
    stream(
        "sources",
        f"{INSPECT}stick on src",
        (b"aa\n",) * 7,
        table=IP,
        sources=tuple(f"127.0.0.{number}" for number in (1, 2, 1, 2, 3, 1, 2)),
    ),
    stream(
        "networks",
        f"{INSPECT}stick on src,ipmask(24)",
        (b"aa\n",) * 3,
        table=IP,
        sources=("127.0.0.2", "127.0.1.2", "127.0.0.9"),
    ),
    stream("without", f"{INSPECT}stick on src if FALSE", (b"aa\n", b"bb\n", b"cc\n"), table=IP),
    stream(
        "what is said",
        f"{INSPECT}stick on req.payload(0,2)",
        (b"aa\n", b"bb\n", b"cc\n", b"bb\n", b"aa\n"),
        table=BINARY,
    ),
    stream(
        "what is answered",
        f"{INSPECT}{ANSWERED}stick match req.payload(0,2)\nstick store-response res.payload(0,2)",
        (b"s2\n", b"s2\n", b"s2\n", b"s1\n"),
        table=BINARY,
    ),
    stream(
        "nothing waits for the answer",
        f"{INSPECT}stick match req.payload(0,2)\nstick store-response res.payload(0,2)",
        (b"s1\n",) * 4,
        table=BINARY,
    ),
    stream(
        "a length before it",
        f"{INSPECT}stick on req.payload_lv(0,1)",
        (b"\x01a\n", b"\x01b\n", b"\x01a\n", b"\x02ax\n"),
        table=BINARY,
    ),
    stream(
        "down",
        f"{INSPECT}stick on src",
        (b"aa\n", b"bb\n"),
        table=IP,
        servers="server s1 {s1} disabled\nserver s2 {s2}",
    ),
    stream(
        "refused",
        f"{INSPECT}stick on src\noption redispatch\nretries 1",
        (b"aa\n", b"bb\n"),
        table=IP,
        servers="server s1 {refusing}\nserver s2 {s2}\nserver s4 {s4}",
    ),
    stream(
        "HTTP in it",
        f"{INSPECT}stick on req.hdr(K)",
        tuple(b"GET / HTTP/1.1\r\nK: %s\r\n\r\n" % key for key in (b"a", b"b", b"a", b"b", b"a")),
    ),
)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_stick_streams(case: Case, plays: Plays) -> None:
    plays.compare(case)
