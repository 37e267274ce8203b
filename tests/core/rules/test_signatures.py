"""Signatures: RFC 7515's examples, keys of every kind, what is no signature or no key."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from maniple.core.rules.signatures import fits_secret, load_public_key, public_key_of, read_public_key

KEYS = Path(__file__).parent / "keys"

# RFC 7515, A.1.
TEXT = (
    b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
    b"LmNvbS9pc19yb290Ijp0cnVlfQ"
)
SECRET = urlsafe_b64decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==")
CODE = urlsafe_b64decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk=")


def test_secrets() -> None:
    assert fits_secret(SECRET, 256, TEXT, CODE)
    assert not fits_secret(SECRET, 256, TEXT + b"x", CODE) and not fits_secret(SECRET, 384, TEXT, CODE)
    assert not fits_secret(b"", 256, TEXT, CODE) and not fits_secret(SECRET, 256, TEXT, CODE[:-1])


def pem(key: Any) -> bytes:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text


def test_elliptic_curves() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    key = read_public_key(pem(private))
    first, second = utils.decode_dss_signature(private.sign(b"text", ec.ECDSA(hashes.SHA256())))
    signature = first.to_bytes(32, "big") + second.to_bytes(32, "big")
    assert key.verifies("ES", 256, b"text", signature) is True
    assert key.verifies("ES", 256, b"other", signature) is False
    assert key.verifies("ES", 384, b"text", signature) is False
    assert key.verifies("RS", 256, b"text", signature) is False
    assert key.verifies("ES", 256, b"text", signature[:-1]) is None
    assert key.verifies("ES", 256, b"text", signature[:-2]) is False
    assert key.verifies("ES", 256, b"text", bytes(64)) is False
    assert key.verifies("ES", 256, b"text", b"\xff" * 64) is False


def test_rsa_takes_anything_for_a_signature() -> None:
    key = read_public_key((KEYS / "rsa.pem").read_bytes())
    for family in ("RS", "PS", "ES"):
        for signature in (b"", b"x", bytes(256), b"\xff" * 256, bytes(257), bytes(5000)):
            assert key.verifies(family, 256, b"text", signature) is False


BAD = [b"", b"text", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"-----BEGIN CERTIFICATE-----\n"]


@pytest.mark.parametrize("text", [*BAD, pem(ed25519.Ed25519PrivateKey.generate())])
def test_no_key(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_public_key(text)


def test_files_are_read_once(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    path = str(file).encode()
    assert public_key_of(path) is None
    with pytest.raises(OSError, match=r"key\.pem"):
        load_public_key(path)
    file.write_bytes((KEYS / "ec256.pem").read_bytes())
    key = load_public_key(path)
    file.unlink()
    assert load_public_key(path) is key and public_key_of(path) is key


def test_certificates_have_keys() -> None:
    assert read_public_key((KEYS / "certificate.pem").read_bytes()).verifies("RS", 256, b"", b"x") is False
