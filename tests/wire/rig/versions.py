"""Cases that HAProxy 2.6, Debian's package, decides otherwise than 3.0, whose behaviour is the one to match."""

from __future__ import annotations

NOT_IN_2_6 = frozenset(
    {
        "204 with a length",
        "Expect, the server refuses",
        "Expect, the server refuses and closes",
        "closes in an upload",
        "closes in the response",
        "closes while the server works, abortonclose",
        "early answer and close",
        "half-closes in a chunked upload",
        "half-closes in an upload",
        "half-closes while connecting, abortonclose",
        "half-closes while queued, abortonclose",
        "half-closes while the server works, abortonclose",
        "httpclose in the frontend",
        "httpclose, HTTP/1.0",
        "new connection closed, later request",
        "no server line, upload",
        "nul",
        "resets in an upload",
        "resets in the response",
        "resets while the server works, abortonclose",
        "reused closes in the head, later request",
        "reused closes, first request, always",
        "server closes in the head",
        "server stalls in a chunk",
        "server stalls in the body",
        "stalls in an upload",
        "stalls in an upload, server faster",
        "rules: answers to POST",
        "rules: return 204",
        "rules: responses of the frontend",
        "rules: responses of the backend",
        "elsewhere: response dropped",
        "elsewhere: variables of responses",
        "inspection: response, closed",
        "combination 6",
        "combination 7",
        "combination 8",
        "combination 10",
        "combination 12",
        "combination 14",
        "combination 15",
        "combination 16",
        "combination 20",
        "combination 28",
    }
)
"""Of rules: 2.6 closes after it has redirected a request with a body, does not know when a denied response came, and
has no timeout of a response's client."""
