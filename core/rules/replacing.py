"""`<regex> <format>` of the replace-* actions: the whole value becomes what the format says, with \\0 to \\9 filled in.

Owns: the meaning of backslashes in such a text (measured: `\\1` is a group, `\\x41` a byte, any other escaped character
itself). Must not know: what is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .actions import Use
from .formats import constant_of
from .regexes import compile_regex

_ESCAPE = re.compile(rb"\\(?:([0-9])|x([0-9A-Fa-f]{2})|(.)|\Z)", re.DOTALL)

Piece = bytes | int
"""Literal bytes, or the number of a group."""


def template(text: bytes) -> list[Piece]:
    """The pieces of a replacement. A group that the expression does not have is empty."""
    pieces: list[Piece] = []
    start = 0
    for found in _ESCAPE.finditer(text):
        pieces.append(text[start : found.start()])
        group, code, other = found.groups()
        if group is not None:
            pieces.append(int(group))
        elif code is not None:
            pieces.append(bytes.fromhex(code.decode()))
        else:
            pieces.append(other or b"")
        start = found.end()
    pieces.append(text[start:])
    return [piece for piece in pieces if piece != b""]


def fill(pieces: list[Piece], match: re.Match[bytes]) -> bytes:
    """The replacement of one match."""
    count = match.re.groups
    return b"".join(
        [(match[piece] or b"" if piece <= count else b"") if isinstance(piece, int) else piece for piece in pieces]
    )


def replacer(use: Use) -> Callable[[Any], Callable[[bytes], bytes]]:
    """The next two words, a regular expression and a format: scope -> (value -> what it becomes). A value that the
    expression does not match stays as it is."""
    word, pattern = use.text("a regular expression")
    try:
        search = compile_regex(pattern).search
    except ValueError as error:
        raise use.error(str(error), word) from None
    text = use.format("a replacement")
    constant = constant_of(text)
    if constant is not None:
        pieces = template(constant)

        def replace_constant(value: bytes) -> bytes:
            match = search(value)
            return value if match is None else fill(pieces, match)

        return lambda x: replace_constant

    def of(x: Any) -> Callable[[bytes], bytes]:
        now = template(text(x))

        def replace(value: bytes) -> bytes:
            match = search(value)
            return value if match is None else fill(now, match)

        return replace

    return of
