r"""Values of formats with flag `+json` or `+cbor`, as HAProxy 3.0 writes them (found by experiment).

Owns: both notations. Must not know: where values come from, formats.

JSON: `{"name": value, ...}`; texts end where HAProxy's do, and bytes beyond ASCII stay as they are. One difference is
meant: control characters in texts become `\u00XX`; HAProxy writes them raw, which is no JSON and lets a client write
lines of its own into the log.

CBOR (RFC 8949): a map without a stated length, in upper-case hexadecimal digits, or as bytes with flag `+bin`. Texts
have a stated length; those that are escaped for the log (request lines, captures) come in chunks, one for each stretch
that needs no escape and one for each escape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

_JSON = {code: f"\\u{code:04x}" for code in (*range(32), 127)}
_JSON.update({ord('"'): '\\"', ord("\\"): "\\\\"})
_LINE = re.compile(r"#[0-9A-F]{2}|[^#]+")
_BRACES = re.compile(r"#[0-9A-F]{2}|[{|}]|[^#{|}]+")
_BREAK = b"\xff"


class Encoding(Protocol):
    """How a value is written. All give text, in which bytes that are no UTF-8 are surrogates."""

    missing: str
    """A value that is not there."""
    nothing: str
    """Captures that are not there."""

    def number(self, value: int) -> str: ...

    def digits(self, value: int) -> str:
        """The number of a variable whose field is to be a text."""

    def truth(self, value: int) -> str: ...

    def text(self, value: str) -> str:
        """A text; the empty one is missing."""

    def line(self, value: str) -> str:
        """A text that was escaped for the log."""

    def braces(self, value: str) -> str:
        """Captures, escaped for the log, between braces and bars."""

    def items(self, values: Sequence[str]) -> str:
        """Captures, escaped for the log, as a list."""

    def octets(self, value: bytes) -> str:
        """Bytes that are no text."""

    def key(self, name: str, first: bool) -> str:
        """What stands before the value of a field."""

    def begin(self) -> str: ...

    def end(self) -> str: ...


class Json:
    """Flag `+json`."""

    __slots__ = ()
    missing = '""'
    nothing = "null"

    def number(self, value: int) -> str:
        return str(int(value))

    def digits(self, value: int) -> str:
        return f'"{value}"'

    def truth(self, value: int) -> str:
        return "true" if value else "false"

    def text(self, value: str) -> str:
        return f'"{value.translate(_JSON)}"'

    line = braces = text

    def items(self, values: Sequence[str]) -> str:
        return f"[{', '.join([self.text(value) for value in values])}]"

    def octets(self, value: bytes) -> str:
        return self.text(value.partition(b"\0")[0].decode("utf-8", "surrogateescape"))

    def key(self, name: str, first: bool) -> str:
        return f'"{name}": ' if first else f', "{name}": '

    def begin(self) -> str:
        return "{"

    def end(self) -> str:
        return "}"


class Cbor:
    """Flag `+cbor`; `binary`: with `+bin`."""

    __slots__ = ("_binary", "missing", "nothing")

    def __init__(self, binary: bool = False) -> None:
        self._binary = binary
        self.missing = self.nothing = self._shown(b"\xf6")

    def _shown(self, raw: bytes) -> str:
        return raw.decode("utf-8", "surrogateescape") if self._binary else raw.hex().upper()

    def number(self, value: int) -> str:
        return self._shown(_head(0x00, value) if value >= 0 else _head(0x20, -1 - value))

    digits = number

    def truth(self, value: int) -> str:
        return self._shown(b"\xf5" if value else b"\xf4")

    def text(self, value: str) -> str:
        return self._shown(_text(value)) if value else self.missing

    def line(self, value: str) -> str:
        return self._shown(_chunks(_LINE.findall(value)))

    def braces(self, value: str) -> str:
        return self._shown(_chunks(_BRACES.findall(value)))

    def items(self, values: Sequence[str]) -> str:
        return self._shown(b"\x9f" + b"".join([_chunks(_LINE.findall(value)) for value in values]) + _BREAK)

    def octets(self, value: bytes) -> str:
        return self._shown(b"\x5f" + _head(0x40, len(value)) + value + _BREAK)

    def key(self, name: str, first: bool) -> str:
        return self._shown(_text(name))

    def begin(self) -> str:
        return self._shown(b"\xbf")

    def end(self) -> str:
        return self._shown(_BREAK)


def _head(kind: int, number: int) -> bytes:
    """The first bytes of a value of that major type (RFC 8949 3)."""
    if number < 24:
        return bytes((kind | number,))
    for code, size in ((24, 1), (25, 2), (26, 4)):
        if number < 1 << 8 * size:
            return bytes((kind | code,)) + number.to_bytes(size, "big")
    return bytes((kind | 27,)) + number.to_bytes(8, "big")


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogateescape")
    return _head(0x60, len(raw)) + raw


def _chunks(pieces: Sequence[str]) -> bytes:
    return b"\x7f" + b"".join([_text(piece) for piece in pieces]) + _BREAK


def encoding_of(name: str, binary: bool) -> Encoding:
    """`json` or `cbor`."""
    return Cbor(binary) if name == "cbor" else Json()
