"""Messages of distcc at the start of a stream (its protocol: tokens of four characters and eight hexadecimal digits).

Owns: finding a token. Must not know: fetches. Invariants: nothing is read beyond the bytes that are here; what is cut
off is told apart from what is wrong.
"""

from __future__ import annotations

import re

_PARAMETER = re.compile(rb"[0-9A-Fa-f]{8}")
WITHOUT_BODY = frozenset((b"DIST", b"ARGC", b"NFIL", b"DONE", b"STAT"))
"""Tokens whose parameter is a version or a number; that of all others is the length of what follows."""


class Unfinished(Exception):
    """More bytes may change the answer."""


def find_token(message: bytes, token: bytes, occurrence: int) -> tuple[int, bytes | None] | None:
    """The parameter of the token's nth occurrence, and its body (None while that is not here as a whole); None where
    the message is wrong before that. Raises Unfinished."""
    start = 0
    while True:
        head = message[start : start + 12]
        if len(head) < 12:
            raise Unfinished
        name = head[:4]
        if _PARAMETER.fullmatch(head, 4) is None:
            return None
        value = int(head[4:], 16)
        start += 12
        size = 0 if name in WITHOUT_BODY else value
        if name == token:
            occurrence -= 1
            if not occurrence:
                body = message[start : start + size]
                return value, body if len(body) == size else None
        start += size
