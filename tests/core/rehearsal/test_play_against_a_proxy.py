"""What an explanation says is what the proxy does: the same request through a running thread, byte for byte."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import uvloop
from maniple.core.build import build
from maniple.core.config.model import Configuration
from maniple.core.rules.explanation import Explanation

Explain = Callable[..., Explanation]

GET = b"GET /a/b?q=1 HTTP/1.1\r\nHost: h.example\r\nCookie: a=1; b=2\r\nX-Old: 1\r\nX-Old: 2\r\n\r\n"
POST = b"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
OK = b"HTTP/1.1 200 OK\r\nServer: s\r\nLocation: /in/x\r\nContent-Length: 2\r\n\r\nok"

CASES = {
    "no rules": ("", "", GET),
    "forwarded for": (
        "option forwardfor\nhttp-request set-src ipv4(192.0.2.1)",
        "option forwardfor header X-Client",
        GET,
    ),
    "headers": (
        "http-request del-header x-old\nhttp-request add-header X-New %[src]:%[dst_port]\n"
        "http-request replace-value cookie a=(.*) z=\\1",
        "http-request set-header Host %[req.hdr(host),upper]",
        GET,
    ),
    "request line": (
        "http-request set-path /x%[path]\nhttp-request set-query z=2\nhttp-request set-method HEAD",
        "",
        GET,
    ),
    "variables": ("http-request set-var(txn.x) url_param(q)", "http-request set-header X-V %[var(txn.x),add(1)]", GET),
    "mirrors": ("http-request map-uri /a /in", "http-response set-header X-B %[status]", GET),
    "responses": (
        "http-response set-header X-F 1\nhttp-after-response set-status 202",
        "http-response del-header Server\nhttp-response set-header X-S %[srv_name]",
        GET,
    ),
    "refused response": ("http-after-response set-header X-A 1", "http-response deny if { status 200 }", GET),
    "closing": ("option http-server-close", "", GET.replace(b"1.1", b"1.0")),
    "body": ("http-request wait-for-body time 1s\nhttp-request set-header X-B %[req.body,hex]", "", POST),
    "denied": ("http-request deny deny_status 429 hdr A %[path] if { path_beg /a }", "", GET),
    "denied in a set": ("http-request jump inner", "", GET),
    "redirected": ("redirect prefix http://o drop-query", "", GET),
    "returned": ('http-request return content-type text/plain lf-string "%[path] %[src]"', "", GET),
    "after our own": ("http-request deny\nhttp-after-response set-header X-A %[status]", "", GET),
    "tarpit": ("timeout tarpit 20ms\nhttp-request tarpit", "", GET),
    "rejected": ("http-request reject", "", GET),
    "refused at once": ("tcp-request connection reject", "", GET),
    "monitored": ("monitor-uri /a/b?q=1\nmonitor fail if { nbsrv(b) gt 0 }", "", GET),
    "not valid": ("http-request deny", "", b"GET / HTTP/1.1\r\nHo st: h\r\n\r\n"),
    "error page of ours": (
        'http-error status 403 content-type text/plain lf-string "no %[path]" hdr A b\nhttp-request deny',
        "",
        GET,
    ),
    "captured": ("capture request header host len 9\nunique-id-format %ci-%cp\nunique-id-header X-Id", "", GET),
    "nowhere": ("use_backend none", "", GET),
}
SETS = "request-rules inner\n    http-request deny if { hdr_cnt(x-old) 2 }\nbackend none\n    mode http\n"


@dataclass(slots=True)
class Seen:
    """What was on the wire."""

    sent: bytes = b""
    returned: bytes = b""
    client: tuple[str, int] = ("", 0)
    proxy: tuple[str, int] = ("", 0)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)


@pytest.fixture(autouse=True)
def thaw(monkeypatch: pytest.MonkeyPatch) -> None:
    """build() freezes what is there: not in a process that lives on."""
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *numbers: None)


async def live(configured: Callable[[str], Configuration], text: str, request: bytes) -> tuple[str, Seen]:
    """The request through a thread in service; the configuration's text with the port of its server."""
    seen = Seen()

    async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections.append(writer)
        seen.sent = await reader.readuntil(b"\r\n\r\n")
        writer.write(OK if not seen.sent.startswith(b"HEAD") else OK.removesuffix(b"ok"))

    server = await asyncio.start_server(origin, "127.0.0.1", 0)
    text = text.replace("{port}", str(server.sockets[0].getsockname()[1]))
    runtime = build(configured(text), loop=asyncio.get_running_loop())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        runtime.listen("f", 0, listening)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        seen.client, seen.proxy = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        try:
            writer.write(request)
            try:
                seen.returned = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            except (asyncio.IncompleteReadError, ConnectionResetError):
                seen.returned = b""
        finally:
            writer.close()
            for connection in seen.connections:
                connection.close()
            runtime.abort()
            server.close()
            await asyncio.sleep(0)
    return text, seen


@pytest.mark.parametrize("name", CASES)
def test_the_proxy_does_what_is_told(configured: Callable[[str], Configuration], explain: Explain, name: str) -> None:
    front, back, request = CASES[name]
    lines = ["frontend f", "bind 127.0.0.1:0", *front.split("\n"), "default_backend b", "backend b", *back.split("\n")]
    text = SETS + "\n".join([*lines, "server s 127.0.0.1:{port}"]) + "\n"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        text, seen = runner.run(live(configured, text, request))
    told = explain(text, request, OK, source=seen.client, destination=seen.proxy)

    def lines_of(head: bytes) -> list[str]:
        return head.removesuffix(b"\r\n\r\n").decode().split("\r\n") if head else []

    assert told.sent == lines_of(seen.sent)
    ending = told.response_ending or told.ending
    assert ending is not None
    shown = ending.answer.head if ending.answer is not None else told.returned
    assert shown == lines_of(seen.returned)
    assert told.forwarded is (seen.sent != b"" and told.response_ending is None)
