"""Converters between bytes and the texts that stand for them: base64, hexadecimal digits, URLs, numbers (manual 7.3.1).

Owns: these. Must not know: what the bytes mean. Invariant: what is not well formed gives no sample; base64 is taken
strictly (RFC 4648: full groups, padding at the end only; base64url with or without padding), where HAProxy makes
something of padding in strange places.
"""

from __future__ import annotations

import binascii
import re
from typing import Literal
from urllib.parse import unquote_to_bytes

from .catalogue import Call, Convert, converter, plain_converter
from .samples import BIN, INT, STR, wrap

_TO_URL = bytes.maketrans(b"+/", b"-_")
# The other alphabet's own characters are errors: they become what is in none.
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")


@plain_converter("base64", BIN, STR, "As base64")
def encode_base64(value: bytes) -> bytes:
    return binascii.b2a_base64(value, newline=False)


@plain_converter("ub64enc", BIN, STR, "As base64url, without padding")
def encode_base64url(value: bytes) -> bytes:
    return binascii.b2a_base64(value, newline=False).rstrip(b"=").translate(_TO_URL)


@plain_converter("b64dec", STR, BIN, "The bytes of a base64 text")
def decode_base64(value: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except binascii.Error:
        return None


@plain_converter("ub64dec", STR, BIN, "The bytes of a base64url text")
def decode_base64url(value: bytes) -> bytes | None:
    if value.endswith(b"="):
        if len(value) & 3:
            return None
        value = value.translate(_FROM_URL)
    else:
        value = value.translate(_FROM_URL) + b"=" * (-len(value) & 3)
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except binascii.Error:
        return None


@plain_converter("hex", BIN, STR, "Two hexadecimal digits for each byte")
def encode_hex(value: bytes) -> bytes:
    return binascii.b2a_hex(value).upper()


_DIGITS = re.compile(rb"[0-9A-Fa-f]*")


@plain_converter("hex2i", STR, INT, "The number that hexadecimal digits are")
def read_hex(value: bytes) -> int | None:
    if _DIGITS.fullmatch(value) is None:
        return None
    return wrap(int(value, 16)) if value else 0


@plain_converter("htonl", INT, BIN, "Four bytes, the highest first, of its lowest 32 bits")
def htonl(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "big")


def _truncates(call: Call) -> bool:
    value = call.values[2]
    if value not in (None, 0, 1):
        raise call.error("0 or 1 is expected", 2)
    return bool(value)


@converter(
    "be2hex",
    BIN,
    STR,
    "Hexadecimal digits, a separator between chunks of bytes",
    arguments="separator:string? chunk:integer? truncate:integer?",
)
def _be2hex(call: Call) -> Convert:
    separator = call.values[0] or b""
    chunk = call.values[1] or 0
    if chunk <= 0 and (call.values[1] is not None or separator):
        raise call.error("the size of a chunk is a positive number", 1)
    truncate = _truncates(call)
    step = chunk * 2

    def run(value: bytes) -> bytes:
        if truncate:
            value = value[: len(value) // chunk * chunk]
        digits = binascii.b2a_hex(value).upper()
        if not separator:
            return digits
        return separator.join([digits[start : start + step] for start in range(0, len(digits), step)])

    return run


def _to_decimal(call: Call, order: Literal["little", "big"]) -> Convert:
    separator = call.values[0]
    chunk = call.values[1]
    if not 1 <= chunk <= 8:
        raise call.error("the size of a chunk is a number from 1 to 8", 1)
    truncate = _truncates(call)

    def run(value: bytes) -> bytes:
        end = len(value) // chunk * chunk if truncate else len(value)
        return separator.join(  # type: ignore[no-any-return]
            [b"%d" % int.from_bytes(value[start : start + chunk], order) for start in range(0, end, chunk)]
        )

    return run


_CHUNKS = "separator:string chunk:integer truncate:integer?"


@converter("be2dec", BIN, STR, "The number that each chunk is, its highest byte first", arguments=_CHUNKS)
def _be2dec(call: Call) -> Convert:
    return _to_decimal(call, "big")


@converter("le2dec", BIN, STR, "The number that each chunk is, its lowest byte first", arguments=_CHUNKS)
def _le2dec(call: Call) -> Convert:
    return _to_decimal(call, "little")


# URLs (RFC 3986).

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_RESERVED = re.compile(rb"[^A-Za-z0-9._~-]")
_ESCAPES = {bytes([byte]): b"%%%02X" % byte for byte in range(256) if byte not in _KEPT}
_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def escape_url(value: bytes) -> bytes:
    """All but unreserved characters as `%XX`."""
    return _RESERVED.sub(lambda found: _ESCAPES[found[0]], value)


@converter("url_enc", STR, STR, "All but unreserved characters as %XX", arguments="type:string?")
def _url_enc(call: Call) -> Convert:
    if call.values[0] not in (None, b"query"):
        raise call.error("'query' is the only type", 0)
    return escape_url


@converter(
    "url_dec",
    STR,
    STR,
    "The text that is encoded with %XX, and + for blanks: behind a question mark, or everywhere",
    arguments="form:integer?",
)
def _url_dec(call: Call) -> Convert:
    form = bool(call.values[0])

    def run(value: bytes) -> bytes | None:
        if b"+" in value:
            if form:
                value = value.replace(b"+", b" ")
            else:
                start, mark, query = value.partition(b"?")
                value = start + mark + query.replace(b"+", b" ")
        if b"%" not in value:
            return value
        return None if _BROKEN.search(value) is not None else unquote_to_bytes(value)

    return run
