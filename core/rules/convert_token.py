"""Converters of JSON Web Tokens (manual 7.3.1; RFC 7515, 7519).

Owns: the parts of a token, and what is said of its signature. Must not know: how signatures are made (signatures).
Invariants: whether a token's time has come or gone is not looked at, as the manual says; the algorithm is the
configuration's, never the token's own word for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import Call, Convert, Scoped, converter
from .convert_encoding import decode_base64url
from .convert_json import read_query
from .operands import is_variable, read_variable
from .samples import ANY, BIN, INT, STR
from .signatures import ALGORITHMS, fits_secret, load_public_key, public_key_of

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


# Signatures: what is answered besides 0 and 1 (manual 7.3.1).
UNKNOWN_ALGORITHM = -1
UNMANAGED_ALGORITHM = -2
INVALID_TOKEN = -3
UNKNOWN_KEY = -5


def verify(token: bytes, name: bytes, key: bytes, *, chosen: bool = False) -> int:
    """1 if a token is signed by `key`, with the algorithm of that `name`; 0 if not; negative where that cannot be said.
    `key` is a secret, or the path of a file of a public key that was read before. `chosen`: the configuration did not
    write the algorithm, so that the path of a public key must not be taken for a secret: everybody knows it."""
    algorithm = ALGORITHMS.get(name)
    if algorithm is None and name != b"none":
        return UNKNOWN_ALGORITHM
    parts = token.split(b".")
    if algorithm is None and len(parts) == 2:
        return 1
    if len(parts) != 3:
        return INVALID_TOKEN
    if algorithm is None:
        return 0 if parts[2] else 1
    signature: bytes | None = decode_base64url(parts[2])
    if not signature:
        return INVALID_TOKEN
    if parts[2].endswith(b"="):
        return 0
    family, bits = algorithm
    text = token[: -len(parts[2]) - 1]
    known = public_key_of(key)
    if family == "HS":
        if chosen and known is not None:
            return UNMANAGED_ALGORITHM
        return int(fits_secret(key, bits, text, signature))
    if known is None:
        return UNKNOWN_KEY
    fits = known.verifies(family, bits, text, signature)
    return INVALID_TOKEN if fits is None else int(fits)


def _argument(call: Call, index: int) -> bytes | Callable[[Any], Any]:
    text: bytes = call.values[index]
    return read_variable(call, index, STR) if is_variable(text) else text


@converter(
    "jwt_verify",
    BIN,
    INT,
    "1 if a token's signature is right, 0 or less if not; the key is a secret or a PEM file",
    arguments="algorithm:string key:string",
)
def _verify(call: Call) -> Convert | Scoped:
    name = _argument(call, 0)
    key = _argument(call, 1)
    if isinstance(name, bytes) and name not in ALGORITHMS and name != b"none":
        raise call.error("algorithms are HS256, RS256, ES256, PS256, the same with 384 and 512, and none", 0)
    if isinstance(key, bytes):
        # A secret, if the algorithm says so, or if it may and there is no such file.
        family = ALGORITHMS.get(name, ("",))[0] if isinstance(name, bytes) else None
        if family is None or family in ("RS", "ES", "PS"):
            try:
                load_public_key(key)
            except (OSError, ValueError) as error:
                if family is not None:
                    raise call.error(f"no public key can be read: {error}", 1) from None
    if isinstance(name, bytes) and isinstance(key, bytes):
        return lambda value: verify(value, name, key)

    chosen = not isinstance(name, bytes)

    def run(x: Any, value: bytes) -> int | None:
        algorithm = name if isinstance(name, bytes) else name(x)
        secret = key if isinstance(key, bytes) else key(x)
        return None if algorithm is None or secret is None else verify(value, algorithm, secret, chosen=chosen)

    return Scoped(run)
