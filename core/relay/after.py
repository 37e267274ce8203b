"""`http-after-response` over answers of our own.

Owns: that pass. Must not know: passes over requests and over servers' responses (passes). Not called in proxies without
such rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http.edit import edit_response, seal

if TYPE_CHECKING:
    from .exchange import RelayExchange


def finish(exchange: RelayExchange, head: bytes) -> bytes:
    """`http-after-response` over an answer of our own: the head that is sent. `head` ends with its blank line."""
    answer = exchange.client.relay.reader.read_response(head, b"HEAD")
    exchange.answer = answer = edit_response(answer)
    exchange.request_variables = None
    for run in exchange.route.after_plan:
        exchange.lenient = False
        run(exchange)
    answer = exchange.answer
    seal(answer)
    exchange.status = answer.status
    tail = b"connection: close\r\n\r\n" if b"\r\nconnection: close\r\n" in head.lower() else b"\r\n"
    return answer.start + answer.block.wire + tail
