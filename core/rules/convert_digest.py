"""Converters to digests and authentication codes, and the comparison that takes the same time whatever differs (manual
7.3.1).

Owns: these. Must not know: what is signed. Invariant: an algorithm that OpenSSL has not is an error of the
configuration.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from .catalogue import Call, Convert, Scoped, converter, plain_converter
from .operands import read_base64, read_variable
from .samples import BIN, BOOL


@plain_converter("sha1", BIN, BIN, "The SHA-1 digest")
def sha1(value: bytes) -> bytes:
    return hashlib.sha1(value, usedforsecurity=False).digest()


@converter("sha2", BIN, BIN, "The SHA-2 digest of so many bits: 224, 256, 384 or 512", arguments="bits:integer?")
def _sha2(call: Call) -> Convert:
    bits = 256 if call.values[0] is None else call.values[0]
    if bits not in (224, 256, 384, 512):
        raise call.error("the number of bits is 224, 256, 384 or 512", 0)
    make = getattr(hashlib, f"sha{bits}")
    return lambda value: make(value).digest()


def _algorithm(call: Call) -> str:
    """The name of the digest that the first argument names, as hashlib takes it."""
    name: str = call.values[0].decode("utf-8", "replace").lower()
    try:
        size = hashlib.new(name, usedforsecurity=False).digest_size
    except ValueError:
        raise call.error("OpenSSL has no digest of that name", 0) from None
    if not size:
        raise call.error("a digest without a length of its own cannot be used", 0)
    return name


@converter("digest", BIN, BIN, "A digest by OpenSSL's name of it", arguments="algorithm:string")
def _digest(call: Call) -> Convert:
    make = hashlib.new
    name = _algorithm(call)
    return lambda value: make(name, value, usedforsecurity=False).digest()


@converter(
    "hmac",
    BIN,
    BIN,
    "A message authentication code; the key in base64, or the variable that holds it so",
    arguments="algorithm:string key:string",
)
def _hmac(call: Call) -> Convert | Scoped:
    name = _algorithm(call)
    sign = hmac.digest
    key = read_base64(call, 1, "the key")
    if isinstance(key, bytes):
        return lambda value: sign(key, value, name)

    def run(x: Any, value: bytes) -> bytes | None:
        secret = key(x)
        return None if secret is None else sign(secret, value, name)

    return Scoped(run)


@converter(
    "secure_memcmp", BIN, BOOL, "Whether a variable has the same bytes, in constant time", arguments="name:string"
)
def _secure_memcmp(call: Call) -> Scoped:
    if not call.values[0]:
        raise call.error("the name of a variable is missing", 0)
    read = read_variable(call, 0, BIN)
    same = hmac.compare_digest

    def run(x: Any, value: bytes) -> bool | None:
        other = read(x)
        return None if other is None else same(value, other)

    return Scoped(run)
