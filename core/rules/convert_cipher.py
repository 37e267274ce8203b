"""Converters that encrypt and decrypt with AES, authenticated (GCM) or in chained blocks (manual 7.3.1; NIST SP 800-38A
and 38D).

Owns: these. Must not know: where keys come from. Invariants: the library is imported when a configuration uses one of
them, and not before (it takes 20 ms); what cannot be decrypted, or was not encrypted with this key, gives no sample.
CBC is padded as PKCS 7 says, and authenticates nothing: whoever can send texts to be decrypted should be asked for a
signature first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import variables
from .catalogue import Call, Convert, Scoped, converter
from .convert_encoding import encode_base64
from .operands import read_base64
from .samples import BIN, STR

Given = bytes | Callable[[Any], bytes | None]
"""The bytes, or scope -> those in a variable."""

TAG_LEAST = 12
"""Bytes of an authentication tag: 16, or a shortened one. HAProxy takes tags of a single byte, which can be guessed."""
_NONCE = (8, 128)
_BLOCK = 16


def _key(call: Call) -> tuple[Given, int]:
    """The key, and how many bytes it has."""
    bits = call.values[0]
    if bits not in (128, 192, 256):
        raise call.error("the number of bits is 128, 192 or 256", 0)
    key = read_base64(call, 2, "the key")
    if isinstance(key, bytes) and len(key) != bits // 8:
        raise call.error(f"the key has {len(key)} bytes and not {bits // 8}", 2)
    return key, bits // 8


def _nonce(call: Call, least: int, most: int) -> Given:
    nonce = read_base64(call, 1, "the nonce")
    if isinstance(nonce, bytes) and not least <= len(nonce) <= most:
        says = f"{least} bytes" if least == most else f"{least} to {most} bytes"
        raise call.error(f"the nonce has {says}, and not {len(nonce)}", 1)
    return nonce


def _now(given: Given, x: Any) -> bytes | None:
    return given if isinstance(given, bytes) else given(x)


def _extra(call: Call) -> Given:
    """Authenticated and not encrypted; nothing unless it is written."""
    return b"" if call.values[4] is None else read_base64(call, 4, "the additional text")


_GCM = "bits:integer nonce:string key:string aead_tag:string aad:string?"


@converter("aes_gcm_enc", BIN, BIN, "Encrypted with AES-GCM; the tag into a variable, in base64", arguments=_GCM)
def _aes_gcm_enc(call: Call) -> Scoped:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key, size = _key(call)
    nonce = _nonce(call, *_NONCE)
    extra = _extra(call)
    try:
        name = variables.parse_name(call.values[3].decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise call.error(str(error), 3) from None
    write = variables.writer(name, call.site)

    def run(x: Any, value: bytes) -> bytes | None:
        iv = _now(nonce, x)
        secret = _now(key, x)
        more = _now(extra, x)
        if iv is None or secret is None or more is None or len(secret) != size:
            return None
        if not _NONCE[0] <= len(iv) <= _NONCE[1]:
            return None
        encryptor = Cipher(algorithms.AES(secret), modes.GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(more)
        encrypted = encryptor.update(value) + encryptor.finalize()
        write(x, (STR, encode_base64(encryptor.tag)))
        return encrypted

    return Scoped(run)


@converter("aes_gcm_dec", BIN, BIN, "Decrypted with AES-GCM; nothing if the tag is wrong", arguments=_GCM)
def _aes_gcm_dec(call: Call) -> Scoped:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key, size = _key(call)
    nonce = _nonce(call, *_NONCE)
    extra = _extra(call)
    tag = read_base64(call, 3, "the tag")
    if isinstance(tag, bytes) and not TAG_LEAST <= len(tag) <= _BLOCK:
        raise call.error(f"the tag has {TAG_LEAST} to {_BLOCK} bytes, and not {len(tag)}", 3)

    def run(x: Any, value: bytes) -> bytes | None:
        iv = _now(nonce, x)
        secret = _now(key, x)
        code = _now(tag, x)
        more = _now(extra, x)
        if iv is None or secret is None or code is None or more is None or len(secret) != size:
            return None
        if not _NONCE[0] <= len(iv) <= _NONCE[1] or not TAG_LEAST <= len(code) <= _BLOCK:
            return None
        decryptor = Cipher(algorithms.AES(secret), modes.GCM(iv, code, TAG_LEAST)).decryptor()
        decryptor.authenticate_additional_data(more)
        try:
            return decryptor.update(value) + decryptor.finalize()
        except InvalidTag:
            return None

    return Scoped(run)


def _chained(call: Call, turn: Callable[[bytes, bytes, bytes], bytes | None]) -> Convert | Scoped:
    """`turn`: key, nonce, text -> the other text."""
    key, size = _key(call)
    nonce = _nonce(call, _BLOCK, _BLOCK)
    if isinstance(key, bytes) and isinstance(nonce, bytes):
        return lambda value: turn(key, nonce, value)

    def run(x: Any, value: bytes) -> bytes | None:
        iv = _now(nonce, x)
        secret = _now(key, x)
        if iv is None or secret is None or len(secret) != size or len(iv) != _BLOCK:
            return None
        return turn(secret, iv, value)

    return Scoped(run)


_CBC = "bits:integer nonce:string key:string"


@converter("aes_cbc_enc", BIN, BIN, "Encrypted with AES-CBC", arguments=_CBC)
def _aes_cbc_enc(call: Call) -> Convert | Scoped:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def turn(key: bytes, nonce: bytes, value: bytes) -> bytes:
        more = _BLOCK - len(value) % _BLOCK
        encryptor = Cipher(algorithms.AES(key), modes.CBC(nonce)).encryptor()
        return encryptor.update(value + bytes((more,)) * more) + encryptor.finalize()

    return _chained(call, turn)


@converter("aes_cbc_dec", BIN, BIN, "Decrypted with AES-CBC; nothing if the padding is wrong", arguments=_CBC)
def _aes_cbc_dec(call: Call) -> Convert | Scoped:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def turn(key: bytes, nonce: bytes, value: bytes) -> bytes | None:
        if not value or len(value) % _BLOCK:
            return None
        decryptor = Cipher(algorithms.AES(key), modes.CBC(nonce)).decryptor()
        text = decryptor.update(value) + decryptor.finalize()
        more = text[-1]
        if not 1 <= more <= _BLOCK or text[-more:] != bytes((more,)) * more:
            return None
        return text[:-more]

    return _chained(call, turn)
