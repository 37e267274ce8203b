"""Regular expressions of users: read as PCRE means them, run by the standard library on bytes.

Owns: the translation of what is written differently, and what backslashes mean in a text that replaces what matched.
Must not know: who matches what. Invariant: what cannot be
translated is an error, never a different meaning.

Translated: POSIX classes (`[[:digit:]]`), `(?<name>...)`, `(?i)` and its kin in the midst of an expression (they hold
to the end of their group), `\\Q...\\E`, `\\h \\H \\z \\Z \\e \\x{41} \\R \\N \\k<name> \\g{1}`, and doubled punctuation
inside sets, which the standard library would take for operators of sets. Not there: `\\K`, `\\G`, recursion, callouts,
verbs, `\\p{...}`, `\\X`, branch reset.

The engine backtracks: an expression such as `(a+)+$` can take exponential time on a hostile value, and nothing
interrupts it.
"""

from __future__ import annotations

import re
import warnings

Piece = bytes | int
"""Literal bytes of a replacement, or the number of a group."""
_ESCAPE = re.compile(rb"\\(?:([0-9])|x([0-9A-Fa-f]{2})|(.)|\Z)", re.DOTALL)

_POSIX = {
    b"alnum": rb"A-Za-z0-9",
    b"alpha": rb"A-Za-z",
    b"ascii": rb"\x00-\x7f",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"\x21-\x7e",
    b"lower": rb"a-z",
    b"print": rb"\x20-\x7e",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb" \t\n\r\f\v",
    b"upper": rb"A-Z",
    b"word": rb"\w",
    b"xdigit": rb"0-9A-Fa-f",
}
_NEGATED = {b"digit": rb"\D", b"space": rb"\S", b"word": rb"\W"}

_ESCAPES = {
    b"h": rb"[ \t\xa0]",
    b"H": rb"[^ \t\xa0]",
    b"z": rb"\Z",
    b"Z": rb"(?=\n?\Z)",
    b"e": rb"\x1b",
    b"R": rb"(?>\r\n|[\n\x0b\f\r\x85])",
    b"N": rb"[^\n]",
}
_IN_SETS = {b"h": rb" \t\xa0", b"e": rb"\x1b", b"b": rb"\x08", b"N": b"N", b"R": b"R"}
_REFUSED = b"KGpPXCgk"

_TOKEN = re.compile(
    rb"\\Q(?P<quoted>.*?)(?:\\E|\Z)|\\E|\\x\{(?P<code>[0-9A-Fa-f]{1,6})\}"
    rb"|\\(?:k[<{\'](?P<named>\w+)[>}\']|g\{?(?P<numbered>[1-9][0-9]*)\}?|(?P<escape>.))"
    rb"|(?P<set>\[\^?\]?)|\(\?(?P<inline>[imsxn]*(?:-[imsxn]+)?)\)|(?P<open>\((?:\?<(?=[A-Za-z_]))?)|(?P<close>\))"
    rb"|(?P<verb>\(\*[A-Z:]+\))",
    re.DOTALL,
)
_SET_TOKEN = re.compile(
    rb"\[:(?P<not>\^?)(?P<class>[a-z]+):\]|\\x\{(?P<code>[0-9A-Fa-f]{1,6})\}|\\(?P<escape>.)|(?P<end>\])"
    rb"|(?P<special>\[|--|&&|\|\||~~)",
    re.DOTALL,
)


def compile_regex(text: bytes, fold: bool = False) -> re.Pattern[bytes]:
    """`fold`: whatever the case (ASCII). Raises ValueError, with a message for users."""
    source = translate(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(source, re.IGNORECASE if fold else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(
            f"regular expression '{text.decode('utf-8', 'backslashreplace')}' is invalid: {error}"
        ) from None


def translate(text: bytes) -> bytes:
    """The expression as the standard library writes it. ValueError."""
    if not re.search(rb"\\|\[|\(\?|\(\*", text):
        return text
    pieces: list[bytes] = []
    # For each open group how many groups of flags end with it.
    owed = [0]
    index = 0
    while True:
        found = _TOKEN.search(text, index)
        if found is None:
            pieces.append(text[index:])
            break
        pieces.append(text[index : found.start()])
        index = found.end()
        if found["quoted"] is not None:
            pieces.append(re.escape(found["quoted"]))
        elif found["code"] is not None:
            pieces.append(_byte(found["code"]))
        elif found["escape"] is not None:
            pieces.append(_escape(found["escape"], _ESCAPES))
        elif found["named"] is not None:
            pieces.append(b"(?P=%b)" % found["named"])
        elif found["numbered"] is not None:
            pieces.append(rb"(?:\%b)" % found["numbered"])
        elif found["set"] is not None:
            piece, index = _translate_set(text, found["set"], index)
            pieces.append(piece)
        elif found["inline"] is not None:
            flags = found["inline"].replace(b"n", b"")
            if flags.strip(b"-"):
                pieces.append(b"(?%b:" % flags)
                owed[-1] += 1
        elif found["open"] is not None:
            pieces.append(found["open"].replace(b"?<", b"?P<"))
            owed.append(0)
        elif found["close"] is not None:
            pieces.append(b")" * (owed.pop() + 1) if len(owed) > 1 else b")")
        elif found["verb"] is not None:
            raise ValueError(f"{found['verb'].decode()} is not supported in regular expressions")
    pieces.append(b")" * owed[0])
    return b"".join(pieces)


def _byte(code: bytes) -> bytes:
    number = int(code, 16)
    if number > 255:
        raise ValueError(f"\\x{{{code.decode()}}} is more than a byte: regular expressions match bytes")
    return b"\\x%02x" % number


def _escape(letter: bytes, table: dict[bytes, bytes]) -> bytes:
    if letter in _REFUSED:
        raise ValueError(f"\\{letter.decode()} is not supported in regular expressions")
    if letter in table:
        return table[letter]
    return b"\\" + letter


def _translate_set(text: bytes, start: bytes, index: int) -> tuple[bytes, int]:
    """A set from behind its opening bracket, and the index behind its end."""
    # A bracket that comes first stands for itself.
    pieces = [start[:-1] + rb"\]" if start.endswith(b"]") else start]
    while True:
        found = _SET_TOKEN.search(text, index)
        if found is None:
            # Not closed: the standard library will say so.
            pieces.append(text[index:])
            return b"".join(pieces), len(text)
        pieces.append(text[index : found.start()])
        index = found.end()
        if found["class"] is not None:
            known = _NEGATED if found["not"] else _POSIX
            if found["class"] not in known:
                raise ValueError(f"'{found[0].decode()}' is no class that is supported in regular expressions")
            pieces.append(known[found["class"]])
        elif found["code"] is not None:
            pieces.append(_byte(found["code"]))
        elif found["escape"] is not None:
            pieces.append(_escape(found["escape"], _IN_SETS))
        elif found["special"] is not None:
            # `--` is a range that starts or ends with a minus, the others are plain characters.
            if found[0] == b"--":
                pieces.append(rb"\--" if text[index : index + 1] != b"]" else rb"\-")
            else:
                pieces.append(b"".join([b"\\" + bytes((byte,)) for byte in found[0]]))
        else:
            pieces.append(b"]")
            return b"".join(pieces), index


def pieces_of(text: bytes, *, strict: bool = False) -> list[Piece]:
    """The pieces of a replacement (measured: `\\1` is a group, `\\x41` a byte, any other escaped character itself).
    `strict`: ValueError for a backslash at the end and for `\\x` without two digits, as `regsub` has it."""
    pieces: list[Piece] = []
    start = 0
    for found in _ESCAPE.finditer(text):
        pieces.append(text[start : found.start()])
        group, code, other = found.groups()
        if group is not None:
            pieces.append(int(group))
        elif code is not None:
            pieces.append(bytes.fromhex(code.decode()))
        elif strict and other is None:
            raise ValueError("a backslash cannot be the last character")
        elif strict and other == b"x":
            raise ValueError("two hexadecimal digits are expected behind \\x")
        else:
            pieces.append(other or b"")
        start = found.end()
    pieces.append(text[start:])
    return [piece for piece in pieces if piece != b""]
