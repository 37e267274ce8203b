"""The proxy's own answers, as HAProxy words them.

Owns: the bytes of the 21 built-in replies, in both of HAProxy's spellings. An answer to a request that was read (no
server, a rule, a failed server) has lower-case names and Connection last. An answer to bytes that are no request is
sent before there is an exchange, and keeps the spelling of the compiled-in page. Existing checks and error pages
compare these bytes.

Must not know: which failure gets which status (core/errors), and errorfile overrides. Invariant: no reply says that
the connection persists; only 400 and 408 say that it does not, and the relay adds `connection: close` to others where
it closes.
"""

from __future__ import annotations

_PAGES = {
    200: ("OK", "", "Service ready."),
    400: ("Bad request", "", "Your browser sent an invalid request."),
    401: ("Unauthorized", "", "You need a valid user and password to access this content."),
    403: ("Forbidden", "", "Request forbidden by administrative rules."),
    404: ("Not Found", "", "The resource could not be found."),
    405: (
        "Method Not Allowed",
        "",
        "A request was made of a resource using a request method not supported by that resource",
    ),
    407: ("Unauthorized", "", "You need a valid user and password to access this content."),
    408: ("Request Time-out", "", "Your browser didn't send a complete request in time."),
    410: ("Gone", "", "The resource is no longer available and will not be available again."),
    413: ("Payload Too Large", "", "The request entity exceeds the maximum allowed."),
    414: ("URI Too Long", "", "The request target is too long."),
    421: ("Misdirected Request", "", "Request sent to a non-authoritative server."),
    422: ("Unprocessable Content", "", "The server cannot process the contained instructions."),
    425: ("Too Early", "", "Your browser sent early data."),
    429: ("Too Many Requests", "", "You have sent too many requests in a given amount of time."),
    431: ("Request Header Fields Too Large", "", "The request's header fields are too large."),
    500: ("Internal Server Error", "", "An internal server error occurred."),
    # The full stop before the sentence is HAProxy's.
    501: (
        "Not Implemented",
        ".",
        "The server does not support the functionality required to fulfill the request.",
    ),
    502: ("Bad Gateway", "", "The server returned an invalid or incomplete response."),
    503: ("Service Unavailable", "", "No server is available to handle this request."),
    504: ("Gateway Time-out", "", "The server didn't respond in time."),
}
"""Status to (reason, oddity, sentence). 414 and 431 exist since HAProxy 3.3; their sentences are ours, for lack of
one here to compare with."""

_CLOSING = frozenset((400, 408))


def _body(status: int) -> bytes:
    reason, oddity, sentence = _PAGES[status]
    return f"<html><body><h1>{status} {reason}</h1>\n{oddity}{sentence}\n</body></html>\n".encode()


def _reply(status: int) -> bytes:
    body = _body(status)
    closing = "connection: close\r\n" if status in _CLOSING else ""
    head = (
        f"HTTP/1.1 {status} {_PAGES[status][0]}\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n{closing}\r\n"
    )
    return head.encode() + body


def _early_reply(status: int) -> bytes:
    body = _body(status)
    closing = "Connection: close\r\n" if status in _CLOSING else ""
    head = (
        f"HTTP/1.1 {status} {_PAGES[status][0]}\r\n"
        f"Content-length: {len(body)}\r\nCache-Control: no-cache\r\n{closing}Content-Type: text/html\r\n\r\n"
    )
    return head.encode() + body


REPLIES: dict[int, bytes] = {status: _reply(status) for status in _PAGES}
"""Whole replies to requests that were read, by status."""

EARLY_REPLIES: dict[int, bytes] = {status: _early_reply(status) for status in _PAGES}
"""Whole replies to what could not be read as a request, or did not come in time. The connection is closed after
them."""


def reply(status: int) -> bytes:
    """The whole reply for a status; 500's for one that has no page."""
    return REPLIES.get(status) or REPLIES[500]


def early_reply(status: int) -> bytes:
    """The whole reply for a status, to bytes that are no request; 500's for one that has no page."""
    return EARLY_REPLIES.get(status) or EARLY_REPLIES[500]
