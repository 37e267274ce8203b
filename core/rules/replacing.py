"""`<regex> <format>` of the replace-* actions: the whole value becomes what the format says, with \\0 to \\9 filled in.

Must not know: what is replaced, what backslashes mean (regexes).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .actions import Use
from .formats import constant_of
from .regexes import Piece, compile_regex, pieces_of


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
        pieces = pieces_of(constant)

        def replace_constant(value: bytes) -> bytes:
            match = search(value)
            return value if match is None else fill(pieces, match)

        return lambda x: replace_constant

    def of(x: Any) -> Callable[[bytes], bytes]:
        now = pieces_of(text(x))

        def replace(value: bytes) -> bytes:
            match = search(value)
            return value if match is None else fill(now, match)

        return replace

    return of
