"""The converter that replaces what a regular expression matches (manual 7.3.1), and substitutions as all rules write
them.

Owns: `\\0` to `\\9`, `\\xHH` and other escapes in substitutions. Must not know: where the texts come from. Where an
expression matches nothing at the end of a text again and again, as `$` does, it is replaced once (HAProxy: twice).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .catalogue import Call, Convert, converter
from .regexes import compile_regex, pieces_of
from .samples import STR

Substitution = bytes | Callable[[re.Match[bytes]], bytes]
"""What `re.Pattern.sub` takes."""


def parse_substitution(text: bytes, groups: int) -> Substitution:
    """A substitution for an expression with so many groups: of a group that there is not nothing is put in, as of one
    that took no part in the match. Raises ValueError."""
    pieces = [piece for piece in pieces_of(text, strict=True) if not isinstance(piece, int) or piece <= groups]
    if not any(isinstance(piece, int) for piece in pieces):
        constant = b"".join([piece for piece in pieces if isinstance(piece, bytes)])
        return lambda match: constant
    # The standard library's own templates are run in C.
    return b"".join(
        [b"\\g<%d>" % piece if isinstance(piece, int) else piece.replace(b"\\", rb"\\") for piece in pieces]
    )


@converter(
    "regsub",
    STR,
    STR,
    "With what the regular expression matches replaced: once, or everywhere with flag g; i: whatever the case",
    arguments="regex:string substitution:string flags:string?",
)
def _regsub(call: Call) -> Convert:
    source, text, flags = call.values
    if not source:
        raise call.error("a regular expression is expected", 0)
    if flags and flags.strip(b"gi"):
        raise call.error("flags are g and i", 2)
    flags = flags or b""
    try:
        pattern = compile_regex(source, b"i" in flags)
    except ValueError as error:
        raise call.error(str(error), 0) from None
    try:
        substitution = parse_substitution(text, pattern.groups)
    except ValueError as error:
        raise call.error(str(error), 1) from None
    replace = pattern.sub
    count = 0 if b"g" in flags else 1
    return lambda value: replace(substitution, value, count)
