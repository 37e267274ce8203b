"""Signatures of JSON Web Tokens (RFC 7515, 7518 section 3): whether one fits a text and a key.

Owns: the algorithms by name, public keys read from PEM, the comparison. Must not know: tokens, rules. Invariants: the
library of public keys is imported when the first of them is read (30 ms), and not before; codes are compared in
constant time; nothing here raises for what a client sent.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

FAMILIES = ("HS", "RS", "ES", "PS")
ALGORITHMS: dict[bytes, tuple[str, int]] = {
    f"{family}{bits}".encode(): (family, bits) for family in FAMILIES for bits in (256, 384, 512)
}
"""Name -> family and bits of the digest. (`none` is no algorithm: it signs nothing.)"""


class PublicKey(Protocol):
    """What is needed of a public key."""

    def verifies(self, family: str, bits: int, text: bytes, signature: bytes) -> bool | None:
        """Is it the signature of that text by this key's owner? False, too, where the key is of another family; None
        where it cannot be a signature of such a key at all."""
        ...


def fits_secret(secret: bytes, bits: int, text: bytes, signature: bytes) -> bool:
    """Is it the text's authentication code (HS256 ...)?"""
    return hmac.compare_digest(hmac.digest(secret, text, f"sha{bits}"), signature)


def read_public_key(pem: bytes) -> PublicKey:
    """The key of a PEM text: a public key, or a certificate's. Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    if b"-----BEGIN CERTIFICATE-----" in pem:
        key: Any = load_pem_x509_certificate(pem).public_key()
    else:
        key = load_pem_public_key(pem)
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa(key)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _elliptic(key)
    raise ValueError("it is neither RSA's nor an elliptic curve's")


class _Key:
    __slots__ = ("_verify",)

    def __init__(self, verify: Callable[[str, int, bytes, bytes], bool | None]) -> None:
        self._verify = verify

    def verifies(self, family: str, bits: int, text: bytes, signature: bytes) -> bool | None:
        return self._verify(family, bits, text, signature)


def _digests() -> dict[int, Any]:
    from cryptography.hazmat.primitives import hashes

    return {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}


def _rsa(key: Any) -> PublicKey:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding

    digests = _digests()
    paddings: dict[str, Any] = {
        # RFC 7518 wants a salt as long as the digest; HAProxy takes any, and a signature is no weaker for it.
        **{f"PS{bits}": padding.PSS(padding.MGF1(digest), padding.PSS.AUTO) for bits, digest in digests.items()},
        **{f"RS{bits}": padding.PKCS1v15() for bits in digests},
    }

    def verify(family: str, bits: int, text: bytes, signature: bytes) -> bool:
        padded = paddings.get(f"{family}{bits}")
        if padded is None:
            return False
        try:
            key.verify(signature, text, padded, digests[bits])
        except InvalidSignature:
            return False
        return True

    return _Key(verify)


def _elliptic(key: Any) -> PublicKey:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    methods = {bits: ec.ECDSA(digest) for bits, digest in _digests().items()}
    width = (key.curve.key_size + 7) // 8

    def verify(family: str, bits: int, text: bytes, signature: bytes) -> bool | None:
        # Two numbers of the curve's width, one behind the other (RFC 7518 section 3.4).
        if family != "ES":
            return False
        if len(signature) & 1:
            return None
        if len(signature) != 2 * width:
            return False
        first = int.from_bytes(signature[:width], "big")
        second = int.from_bytes(signature[width:], "big")
        try:
            key.verify(utils.encode_dss_signature(first, second), text, methods[bits])
        except InvalidSignature:
            return False
        return True

    return _Key(verify)


_READ: dict[bytes, PublicKey] = {}
"""Path -> key, for the process. A reload makes new processes, which read again."""


def public_key_of(path: bytes) -> PublicKey | None:
    """The key in a file that was read before."""
    return _READ.get(path)


def load_public_key(path: bytes) -> PublicKey:
    """The key in a file, read now if it was not before. Raises OSError, ValueError."""
    key = _READ.get(path)
    if key is None:
        key = _READ[path] = read_public_key(Path(path.decode("utf-8", "surrogateescape")).read_bytes())
    return key
