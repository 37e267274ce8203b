"""What fetches of bytes find, in whole, damaged and cut hellos and RDP requests, as HAProxy finds it."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.expression import compile_text
from maniple.core.rules.samples import Type
from maniple.tests.core.rules import hellos, oracle

assert keywords.MODULES

EXPRESSIONS = (
    "req.len",
    "req.payload(0,0),hex",
    "req.payload(2,3),hex",
    "payload(4,0),hex",
    "req.payload_lv(3,2),hex",
    "req.payload_lv(0,1),hex",
    "req.payload_lv(1,1,+2),hex",
    "payload_lv(3,1,-1),hex",
    "req.ssl_hello_type",
    "req.ssl_ver",
    "req.ssl_sni",
    "req.ssl_alpn",
    "req.ssl_st_ext",
    "req.ssl_ec_ext",
    "req.rdp_cookie",
    "req.rdp_cookie(mstshash)",
    "req.rdp_cookie(MSTS)",
    "rdp_cookie_cnt",
    "req.rdp_cookie_cnt(mstshash)",
    "wait_end",
    "distcc_param(DIST)",
    "distcc_param(ARGC)",
    "distcc_param(ARGV)",
    "distcc_param(ARGV,2)",
    "distcc_param(ARGV,9)",
    "distcc_param(DOTI)",
    "distcc_body(ARGV),hex",
    "distcc_body(ARGV,3),hex",
    "distcc_body(DOTI),hex",
    "distcc_body(DIST),hex",
    "distcc_body(NAME),hex",
)
RDP = b"\x03\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=alice\r\n\1\0\x08\0"
SSL2 = b"\x80\x2e\1\3\1\0\x15\0\0\0\x10" + bytes(0x15) + bytes(16)
DISTCC = b"DIST00000001ARGC00000003ARGV00000003gccARGV00000002-cARGV00000005foo.cDOTI0000000bint main(){}"
STREAMS: dict[str, bytes] = {
    "whole": hellos.FULL,
    "OpenSSL": hellos.hello("b.test", ("h2",)),
    "without extensions": hellos.record(hellos.message(tail=b"")),
    "no name": hellos.record(hellos.message(hellos.GROUPS)),
    "ticket asked for": hellos.record(hellos.message(hellos.extension(35, b""))),
    "two names": hellos.record(
        hellos.message(hellos.extension(0, hellos.vector(b"\0" + hellos.vector(b"a", 2) + b"\1\0\1b", 2)))
    ),
    "name of another kind": hellos.record(hellos.message(hellos.server_name(b"abc", 1))),
    "TLS 1.0": hellos.record(hellos.message(hellos.server_name(b"old"), version=b"\3\1")),
    "SSL 3": hellos.record(hellos.message(version=b"\3\0", tail=b""), version=b"\3\0"),
    "SSL 2": SSL2,
    "SSL 2, cut off": SSL2[:20],
    "long session": hellos.record(hellos.message(hellos.server_name(b"abc"), session=bytes(33))),
    "a server's hello": hellos.record(b"\2" + hellos.vector(b"\3\3" + bytes(40), 3)),
    "bytes behind it": hellos.FULL + b"more",
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "zeros": bytes(100),
    "RDP": RDP,
    "RDP, no cookie": b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\x03\0\0\0",
    "RDP, many blanks": RDP.replace(b": m", b":    m"),
    "RDP, in capitals": RDP.replace(b"Cookie: mstshash", b"COOKIE: MSTSHASH"),
    "RDP, another": RDP.replace(b"mstshash", b"msts"),
    "RDP, no value": RDP.replace(b"=alice", b"="),
    "RDP, no equals": RDP.replace(b"=alice", b""),
    "RDP, no line feed": RDP.replace(b"\r\n", b"\r."),
    "RDP, no end": RDP[:30],
    **{f"hello, {size} bytes": hellos.FULL[:size] for size in (1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 50, 100, 200, 250)},
    **{f"RDP, {size} bytes": RDP[:size] for size in (5, 11, 12, 18, 19, 22, 27, 28, 29, 33, 34, 35)},
    **{f"distcc, {size} bytes": DISTCC[:size] for size in (*range(5, len(DISTCC), 5), len(DISTCC) - 1, len(DISTCC))},
    "distcc, small digits": DISTCC.replace(b"0b", b"0B"),
    "distcc, no digits": DISTCC.replace(b"ARGC0", b"ARGCx"),
    "distcc, no token": b"xx" + DISTCC,
    "distcc, the answer": b"DONE00000001STAT00000000SERR00000000SOUT00000003outDOTO00000000",
    "distcc, pumped": b"DIST00000003CWDD00000001/ARGC00000000NFIL00000001NAME00000002abFILE00000001x",
    **{f"damaged {number}": data for number, data in enumerate(hellos.damaged(7, 150))},
}


TRIES, PATIENCE = 4, 8.0
"""Times that a stream is played for its line, and seconds that one is waited for."""


@pytest.fixture(scope="module")
def theirs() -> Iterator[dict[str, list[bytes | None]]]:
    """Stream -> the values of all expressions."""
    program, _ = oracle.find_haproxy()
    reading, writing = os.pipe()
    with socket.socket() as listener, tempfile.TemporaryDirectory() as folder:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        config = Path(folder) / "payload.cfg"
        shown = "|".join(f"%[var(sess.w{number}),hex]" for number in range(len(EXPRESSIONS)))
        lines = [
            "global",
            "    nbthread 1",
            f"    log fd@{writing} len 16000 format raw local0",
            "defaults",
            "    mode tcp",
            "    log global",
            "    timeout client 5s",
            "frontend f",
            f"    bind fd@{listener.fileno()}",
            f'    log-format "{shown}"',
            "    tcp-request inspect-delay 5s",
            "    tcp-request content set-var(sess.end) bool(true) if WAIT_END",
        ]
        for number, text in enumerate(EXPRESSIONS):
            lines.append(f"    tcp-request content set-var(sess.v{number}) {text}")
            lines.append(f"    tcp-request content set-var(sess.w{number}) var(sess.v{number}),concat(x)")
        lines.append("    tcp-request content reject")
        config.write_text("\n".join(lines) + "\n")
        process = subprocess.Popen(
            [program, "-db", "-f", str(config)],
            pass_fds=(listener.fileno(), writing),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        try:
            with os.fdopen(reading, "rb", 0) as log:
                found = {}
                for name, data in STREAMS.items():
                    line = b""
                    for _ in range(TRIES):
                        with socket.create_connection(listener.getsockname(), 10) as client:
                            client.sendall(data)
                            client.shutdown(socket.SHUT_WR)
                            # HAProxy drops a line rather than wait for its log: then the stream is played anew.
                            if select.select([log], [], [], PATIENCE)[0]:
                                line = log.readline()
                                break
                    assert line, f"HAProxy says nothing of {name}"
                    found[name] = [_value(word) for word in line.rstrip(b"\n").split(b"|")]
                yield found
        finally:
            process.kill()
            process.wait()


def _value(word: bytes) -> bytes | None:
    shown = bytes.fromhex(word.decode()) if word not in (b"", b"-") else b""
    return shown[:-1] if shown else None


def ours(data: bytes, make_scope: Callable[..., Any], site: Any) -> list[bytes | None]:
    x = make_scope(payload=(data, b""))
    return [compile_text(text, site, Stage.FRONT_CONTENT, Type.STR).run(x) for text in EXPRESSIONS]


STRICTER = frozenset(
    {"req.ssl_sni", "req.ssl_alpn", "req.ssl_st_ext", "req.ssl_ec_ext", "req.ssl_ver", "req.ssl_hello_type"}
)
"""Of a broken hello we say nothing, where HAProxy may tell what stands before the fault; nor the version of what is no
client's hello. Not compared at all: absolute offsets of payload_lv, which HAProxy 3.0 halves."""


@pytest.mark.parametrize("name", STREAMS)
def test_as_haproxy(
    name: str, theirs: dict[str, list[bytes | None]], make_scope: Callable[..., Any], site: Any
) -> None:
    wrong = []
    for text, mine, other in zip(EXPRESSIONS, ours(STREAMS[name], make_scope, site), theirs[name], strict=True):
        stricter = mine is None and text in STRICTER and name.startswith(("damaged", "a server"))
        # Of a body that is not all here HAProxy 3.0 gives what lay in its buffer before.
        stricter = stricter or (mine is None and text.startswith("distcc_body") and name.endswith("bytes"))
        if mine != other and not stricter:
            wrong.append(f"{text}: ours {mine!r}, HAProxy's {other!r}")
    assert not wrong, "\n".join(wrong)
