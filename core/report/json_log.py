"""`option httplog json`: one JSON object for each exchange, in one line (docs/json-log.md).

Owns: the names of the fields, which are a promise: none is renamed or dropped, new ones may be added anywhere. Must not
know: formats of text, senders.

Every field stands in every line, null where there is nothing to tell; times are whole milliseconds, each moment rounded
down by itself as in `option httplog`, so that the sums of the manual hold (8.4). Texts of clients are UTF-8; bytes that
are none are written as `\\xHH`. Measured: 5.8 us a line where httplog takes 3.1.
"""

from __future__ import annotations

import time
from typing import Any

import orjson

from ..rules.format_source import Remembered, unique_id
from ..rules.stamps import MILLISECONDS
from .log_format import Line

FIELDS: dict[str, str] = {
    "time": "when the first byte of the request came (else: when the connection was accepted), UTC, RFC 3339",
    "host": "this machine",
    "client": "address of the client, or `unix`",
    "client_port": "its port",
    "frontend": "the frontend",
    "listener": "name of the bind line, or its number",
    "tls": "whether the client used TLS",
    "backend": "the backend; the frontend's name where none was chosen",
    "server": "the server; null where none was chosen",
    "server_address": "its address; null without one",
    "server_port": "its port; null without one",
    "method": "of the request; null with a request that could not be read",
    "target": "path with query, or whatever stood there",
    "version": "such as `HTTP/1.1`",
    "status": "sent to the client; null where none was",
    "termination": "two letters, manual 8.5; `--` is a normal end",
    "bytes_in": "bytes from the client",
    "bytes_out": "bytes to the client",
    "idle_ms": "Ti: from the end of the exchange before (or of the handshakes) to the first byte",
    "request_ms": "TR: from there until the head was whole; null if it never was",
    "queue_ms": "Tw: in queues; null if it did not get out of them",
    "connect_ms": "Tc: until the server was connected; null if it was not",
    "response_ms": "Tr: until the response's head; null if none came",
    "transfer_ms": "Td: until the end; null without a response",
    "total_ms": "Ta: from the first byte to the end",
    "retries": "attempts to connect after the first",
    "redispatched": "whether they went on to another server",
    "connections": "of the process, when the line was made",
    "frontend_connections": "of the frontend",
    "backend_connections": "requests in the backend",
    "server_connections": "requests at the server",
    "server_queue": "requests before this one in the server's queue",
    "backend_queue": "and in the backend's",
    "request_captures": "list of what `capture` lines and rules kept of the request, null for what was not there",
    "response_captures": "the same of the response",
    "request_cookie": "`capture cookie` of the request; null where it was not there",
    "response_cookie": "and of the response",
    "unique_id": "`unique-id-format`; null without it",
}
"""Name -> meaning, in the order of a line."""


def make_json_line(hostname: str) -> Line:
    """The function that makes the lines."""
    seconds = Remembered(_second, 64)
    words = Remembered(_text, 1024)

    def line(x: Any) -> bytes:
        session = x.session
        idle, first, head = int(x.idle_since), int(x.first_byte_at), int(x.head_at)
        slot, connect, response, end = int(x.slot_at), int(x.connect_at), int(x.response_at), int(x.end_at)
        date = x.first_byte_date if first >= 0 else session.accept_date + (idle - session.accept_at) / 1000
        stamp = int(date * 1000)
        method, _, rest = x.request_line.partition(b" ")
        target, _, version = rest.partition(b" ")
        server: str | None = x.server_name
        if server == "<NOSRV>":
            server = None
        status = x.status
        return orjson.dumps(
            {
                "time": f"{seconds[stamp // 1000]}.{MILLISECONDS[stamp % 1000]}Z",
                "host": hostname,
                "client": session.client_host,
                "client_port": session.client_port,
                "frontend": session.frontend_name,
                "listener": session.listener_name,
                "tls": session.tls,
                "backend": x.backend_name,
                "server": server,
                "server_address": x.server_host or None if slot >= 0 else None,
                "server_port": x.server_port or None if slot >= 0 else None,
                "method": words[method] if method else None,
                "target": words[target] if target else None,
                "version": words[version] if version else None,
                "status": status if status > 0 else None,
                "termination": words[x.termination],
                "bytes_in": x.bytes_from_client,
                "bytes_out": x.bytes_to_client,
                "idle_ms": first - idle if first >= 0 else None,
                "request_ms": head - first if head >= 0 else None,
                "queue_ms": slot - head if slot >= 0 else None,
                "connect_ms": connect - slot if connect >= 0 else None,
                "response_ms": response - connect if response >= 0 else None,
                "transfer_ms": end - response if response >= 0 else None,
                "total_ms": end - first if first >= 0 else end - idle,
                "retries": x.retries,
                "redispatched": x.redispatched,
                "connections": x.process_connections,
                "frontend_connections": x.frontend_connections,
                "backend_connections": x.backend_connections,
                "server_connections": x.server_connections,
                "server_queue": x.server_queue,
                "backend_queue": x.backend_queue,
                "request_captures": x.request_captures,
                "response_captures": x.response_captures,
                "request_cookie": x.request_cookie or None,
                "response_cookie": x.response_cookie or None,
                "unique_id": _text(unique_id(x)) or None,
            }
        )

    return line


def _second(second: int) -> str:
    moment = time.gmtime(second)
    return time.strftime("%Y-%m-%dT%H:%M:%S", moment)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
