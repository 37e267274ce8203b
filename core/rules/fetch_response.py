"""Fetches of the status line and of what maniple did with the response (manual 7.3.6).

Owns: these. Must not know: headers and cookies (fetch_headers, fetch_cookies), who waits for a response's body
(`wait-for-body`): what is seen of it is what has come with the head, else. Of answers of our own nothing is seen.
"""

from __future__ import annotations

from typing import Any

from .catalogue import REQUEST_KEPT, RESPONSE, RESPONSE_KEPT, Needs, fetch, plain_fetch
from .fetch_request import captured
from .samples import BIN, BOOL, INT, STR

_BODY = Needs.RESPONSE | Needs.RESPONSE_BODY


@plain_fetch("status", INT, RESPONSE_KEPT, "The status")
def status(x: Any) -> Any:
    answer = x.answer
    if answer is not None:
        return answer.status
    return x.status if x.status >= 0 else None


@plain_fetch("server_status", INT, RESPONSE_KEPT, "The status that the server sent, whatever rules have set")
def server_status(x: Any) -> int | None:
    answer = x.answer
    return None if answer is None else int(answer.line.split(None, 2)[1])


@plain_fetch("res.ver resp_ver", STR, RESPONSE, "The version of the response, as 1.1")
def version(x: Any) -> Any:
    answer = x.answer
    return None if answer is None else b"1.1" if answer.version == 11 else b"1.0"


@plain_fetch("capture.res.ver", STR, REQUEST_KEPT, "The version of the response, as HTTP/1.1", needs=Needs.RESPONSE)
def captured_version(x: Any) -> Any:
    answer = x.answer
    return None if answer is None else b"HTTP/1.1" if answer.version == 11 else b"HTTP/1.0"


fetch("capture.res.hdr", STR, RESPONSE_KEPT, "A captured header of the response", arguments="index:integer")(
    captured("response_captures")
)


@plain_fetch("res.body", BIN, RESPONSE, "The body, as far as it is here", needs=_BODY)
def body(x: Any) -> Any:
    return None if x.answer is None else x.response_body()


@plain_fetch("res.body_len", INT, RESPONSE, "How much of the body is here", needs=_BODY)
def body_length(x: Any) -> Any:
    return None if x.answer is None else len(x.response_body())


@plain_fetch("res.body_size", INT, RESPONSE, "How long the body is, or how much is here where nobody said", needs=_BODY)
def body_size(x: Any) -> Any:
    answer = x.answer
    if answer is None:
        return None
    length = answer.length
    return length if length >= 0 else len(x.response_body())


@plain_fetch("res.comp res.cache_hit", BOOL, RESPONSE_KEPT, "Compression and caches are not there yet: false")
def never(x: Any) -> bool:
    return False


@plain_fetch("res.comp_algo res.cache_name", STR, RESPONSE_KEPT, "Which compression, which cache: none")
def neither(x: Any) -> None:
    return None
