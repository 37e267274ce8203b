"""The sizes that a head may have, and how strict its reading is.

Owns: the numbers. Must not know: configuration words (build translates `tune.bufsize` and the like) and how heads are
read.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a HeadReader accepts.

    `max_head`: bytes of a whole head, blank line included (bufsize - maxrewrite). `max_headers`: as
    `tune.http.maxhdr` counts, the start line included, so 101 admits 100 header lines. The two `accept_unsafe_*` are
    `option accept-unsafe-violations-in-http-request` and `-response`. They let through bare line feeds as line ends,
    other visible characters in header names, control characters (but NUL, CR and LF) in values, bytes above 127 and
    `#` in targets, and any websocket key: S9, S10 and S12. Never the framing rules S1-S5 and S13, nor S7; HAProxy
    goes further and lets through NUL, spaces before the colon and other protocols' names. `cache_size`: entries of
    each cache of a reader; 0 turns caching off."""

    max_head: int = 15360
    max_headers: int = 101
    accept_unsafe_request: bool = False
    accept_unsafe_response: bool = False
    cache_size: int = 512
