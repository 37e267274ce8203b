"""The converter that shows values as they pass by (manual 7.3.1, debug).

Owns: the line, and where it goes: standard output, standard error, or the ring `buf0`, which keeps the last lines of
the process for whoever asks. Must not know: what is done with the value.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from typing import Any

from .catalogue import Call, Convert, converter
from .samples import ANY, STR, Type, find_cast

KEPT = 1000
"""Lines that a ring keeps."""

RINGS: dict[bytes, deque[bytes]] = {b"buf0": deque(maxlen=KEPT)}
_STREAMS = {b"stdout": 1, b"stderr": 2}


def show(prefix: bytes, kind: Type, value: Any) -> bytes:
    """`[debug] prefix: type=str <text>`, as HAProxy writes it but for the names of types."""
    cast = find_cast(kind, STR)
    text = None if cast is None else cast(value)
    return b"[debug] %b: type=%b %b\n" % (prefix, kind.value.encode(), b"(undef)" if text is None else b"<%b>" % text)


@converter(
    "debug",
    ANY,
    None,
    "As it is; shown with a prefix on stdout, stderr or in the ring buf0",
    arguments="prefix:string? destination:string?",
)
def _debug(call: Call) -> Convert:
    prefix = call.values[0] or b"debug"
    destination = call.values[1] or b"buf0"
    kind = call.source
    stream = _STREAMS.get(destination)
    if stream is None and destination not in RINGS:
        raise call.error("a destination is stdout, stderr or buf0", 1)
    ring = RINGS.get(destination)

    def run(value: Any) -> Any:
        line = show(prefix, *value) if kind is ANY else show(prefix, kind, value)
        if ring is not None:
            ring.append(line)
        elif stream is not None:
            # Nobody may read it any more (a closed pipe): the request is not to suffer.
            with contextlib.suppress(OSError):
                os.write(stream, line)
        return value

    return run
