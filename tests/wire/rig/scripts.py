"""Messages that many cases exchange, and the usual scripts of servers."""

from __future__ import annotations

from maniple.tests.wire.rig.peers import CLOSE, Request, Script, Send

GET = Send(b"GET /a HTTP/1.1\r\nHost: x.test\r\nUser-Agent: t\r\n\r\n")
GET_CLOSE = Send(b"GET /a HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n")
GET_10 = Send(b"GET /a HTTP/1.0\r\n\r\n")
GET_10_KEEP = Send(b"GET /a HTTP/1.0\r\nHost: x.test\r\nConnection: keep-alive\r\n\r\n")
OK = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Up: A\r\n\r\nhello")
OK_CLOSE = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
OK_10 = Send(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
OK_10_KEEP = Send(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello")
UNTIL_CLOSE = Send(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello until close")
UNTIL_CLOSE_10 = Send(b"HTTP/1.0 200 OK\r\n\r\nhello until close")
CHUNKED = Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
TRAILERS = Send(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
    b"5\r\nhello\r\n0\r\nX-T: one\r\nX-U: two\r\n\r\n"
)
ONE = (Request(), OK)
THREE: Script = (Request(), OK, Request(), OK, Request(), OK)


def served(*steps: Send) -> dict[str, tuple[Script, ...]]:
    """An origin that answers each request of a connection with the next of these."""
    return {"s1": (tuple(item for step in steps for item in (Request(), step)),)}


def closing(step: Send) -> dict[str, tuple[Script, ...]]:
    return {"s1": ((Request(), step, CLOSE),)}
