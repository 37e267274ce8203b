"""Converters of JSON Web Tokens that look into them (manual 7.3.1; RFC 7519).

Owns: the parts of a token. Must not know: signatures: nothing here says that a token is right. (jwt_verify is not
there yet: it needs the asymmetric algorithms of a library that maniple does not have.)
"""

from __future__ import annotations

from .catalogue import Call, Convert, converter
from .convert_encoding import decode_base64url
from .convert_json import read_query
from .samples import ANY, BIN, STR

_ARGUMENTS = "path:string? type:string?"


def part(token: bytes, number: int) -> bytes | None:
    """The header (0) or the payload (1) of a token, decoded; None where there is none."""
    pieces = token.split(b".", 2)
    if number >= len(pieces) or (number == 0 and len(pieces) == 1):
        return None
    decoded: bytes | None = decode_base64url(pieces[number])
    return decoded


def _query(call: Call, number: int) -> Convert:
    if call.values[0] is None:
        return lambda value: None if (text := part(value, number)) is None else (STR, text)
    look_up = read_query(call)

    def run(value: bytes) -> object:
        text = part(value, number)
        return None if text is None else look_up(text)

    return run


@converter("jwt_header_query", BIN, ANY, "A token's header, or what is at a path of it", arguments=_ARGUMENTS)
def _header(call: Call) -> Convert:
    return _query(call, 0)


@converter("jwt_payload_query", BIN, ANY, "A token's payload, or what is at a path of it", arguments=_ARGUMENTS)
def _payload(call: Call) -> Convert:
    return _query(call, 1)
