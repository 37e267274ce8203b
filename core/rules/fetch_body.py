"""Fetches of the request's body: as much of it as is here (manual 7.3.6).

Owns: these. Must not know: who waits for the body (`wait-for-body`, `option http-buffer-request`).
"""

from __future__ import annotations

from typing import Any

from .catalogue import REQUEST, Call, Fetch, Needs, fetch, plain_fetch
from .fetch_request import all_parameters, first_parameter, parameters
from .samples import BIN, INT

_BODY = Needs.HEAD | Needs.BODY


@plain_fetch("req.body", BIN, REQUEST, "The body, as far as it is here", needs=_BODY)
def body(x: Any) -> Any:
    return None if x.head is None else x.body()


@plain_fetch("req.body_len", INT, REQUEST, "How much of the body is here", needs=_BODY)
def body_length(x: Any) -> Any:
    return None if x.head is None else len(x.body())


@plain_fetch("req.body_size", INT, REQUEST, "How long the body is, or how much of a chunked one is here", needs=_BODY)
def body_size(x: Any) -> Any:
    head = x.head
    if head is None:
        return None
    length = head.length
    return length if length >= 0 else len(x.body())


@fetch(
    "req.body_param",
    BIN,
    REQUEST,
    "A parameter of a form's body",
    arguments="name:string? flags:string?",
    needs=_BODY,
    each=lambda call: all_parameters(call.values[0] or None, body, b"&"),
)
def _body_param(call: Call) -> Fetch:
    name, flags = call.values
    if flags not in (None, b"", b"i"):
        raise call.error("the only flag is i", 1)
    if flags == b"i" and name:
        wanted = name.lower()

        def run(x: Any) -> bytes | None:
            for found, value in parameters(body(x) or b"", b"&"):
                if found.lower() == wanted:
                    return value
            return None

        return run
    return first_parameter(name or None, body, b"&")
