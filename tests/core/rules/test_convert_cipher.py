"""AES: published vectors, keys and nonces from variables, whatever cannot be decrypted."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.expression import compile_text
from maniple.core.rules.samples import INT, STR
from maniple.core.rules.site import LiveSite

assert keywords.MODULES
SITE = LiveSite({}, {}, None)


def b64(digits: str) -> str:
    return b64encode(bytes.fromhex(digits)).decode()


# NIST SP 800-38A, F.2.1 and F.2.5: the first blocks of texts; what follows is the padding's.
KEY128 = b64("2b7e151628aed2a6abf7158809cf4f3c")
KEY256 = b64("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
NONCE = b64("000102030405060708090a0b0c0d0e0f")
BLOCK = "6bc1bee22e409f96e93d7e117393172a"
CHAINED = [(128, KEY128, "7649abac8119b246cee98e9b12e9197d"), (256, KEY256, "f58c4c04d6e5f1ba779eabfb5f7bfbd6")]


@pytest.mark.parametrize(("bits", "key", "first"), CHAINED)
def test_chained_blocks(bits: int, key: str, first: str, value_of: Callable[..., Any]) -> None:
    encrypted = value_of(f"bin({BLOCK}),aes_cbc_enc({bits},{NONCE},{key})", None)
    assert encrypted.hex()[:32] == first and len(encrypted) == 32
    back = f"bin({encrypted.hex()}),aes_cbc_dec({bits},{NONCE},{key})"
    assert value_of(back, None).hex() == BLOCK
    # Half a block, no block, a wrong key: no value.
    assert value_of(f"bin({encrypted.hex()[:40]}),aes_cbc_dec({bits},{NONCE},{key})", None) is None
    assert value_of(f"str(),aes_cbc_dec({bits},{NONCE},{key})", None) is None
    other = b64("ff" * (bits // 8))
    assert value_of(f"bin({encrypted.hex()}),aes_cbc_dec({bits},{NONCE},{other})", None) is None


@given(st.binary(max_size=70))
def test_chained_there_and_back(text: bytes) -> None:
    words = f"bin({text.hex()}),aes_cbc_enc(128,{NONCE},{KEY128}),aes_cbc_dec(128,{NONCE},{KEY128})"
    compiled = compile_text(words, SITE, Stage.FRONT_REQUEST)
    assert compiled.run(None) == text


TAGGED = "bin(fb09cba2093b803b39be05),aes_gcm_dec(128,AAECAwQFBgcICQoL,AAECAwQFBgcICQoLDA0ODw==,{})"


def test_variables(make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope(
        variables={
            "key": (STR, KEY128.encode()),
            "nonce": (STR, NONCE.encode()),
            "short": (STR, b"AAEC"),
            "number": (INT, 5),
        }
    )
    fixed = value_of(f"str(abc),aes_cbc_enc(128,{NONCE},{KEY128})", None)
    assert value_of("str(abc),aes_cbc_enc(128,txn.nonce,txn.key)", x) == fixed
    assert value_of("str(abc),aes_cbc_enc(128,txn.nonce,txn.key),aes_cbc_dec(128,txn.nonce,txn.key)", x) == b"abc"
    for nonce, key in (("none", "key"), ("nonce", "none"), ("short", "key"), ("nonce", "short"), ("nonce", "number")):
        for name in ("cbc_enc(128,txn.{},txn.{})", "cbc_dec(128,txn.{},txn.{})", "gcm_enc(128,txn.{},txn.{},txn.t)"):
            assert value_of(f"bin({'00' * 16}),aes_{name.format(nonce, key)}", x) is None
        assert value_of(f"bin({'00' * 16}),aes_gcm_dec(128,txn.{nonce},txn.{key},{KEY128})", x) is None
    assert "t" not in x.variables


def test_additional_text_and_tags(make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    # NIST's test case 4 of GCM, the nonce of 96 bits.
    key, nonce = b64("feffe9928665731c6d6a8f9467308308"), b64("cafebabefacedbaddecaf888")
    extra = b64("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    text = (
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    x = make_scope()
    encrypted = value_of(f"bin({text}),aes_gcm_enc(128,{nonce},{key},txn.tag,{extra})", x)
    assert encrypted.hex().startswith("42831ec2217774244b7221b784d0d49c")
    assert x.variables["tag"] == (STR, b64("5bc94fbc3221a5db94fae95ae7121a47").encode())
    back = f"bin({encrypted.hex()}),aes_gcm_dec(128,{nonce},{key},txn.tag"
    assert value_of(f"{back},{extra})", x).hex() == text
    assert value_of(f"{back})", x) is None
    assert value_of(f"{back},txn.none)", x) is None
    # Shortened tags down to 96 bits; less can be guessed.
    x.variables["tag"] = (STR, b64("5bc94fbc3221a5db94fae95a").encode())
    assert value_of(f"{back},{extra})", x).hex() == text
    x.variables["tag"] = (STR, b64("5bc94fbc3221a5db94fae9").encode())
    assert value_of(f"{back},{extra})", x) is None
    assert value_of(TAGGED.format("SbCF5jLkilmZu4QnEjVlbQ=="), None) == b"hello world"


WRONG: list[tuple[str, int, str]] = [
    ("str(a),aes_cbc_enc(100,AAAA,AAAA)", 20, "128, 192 or 256"),
    (f"str(a),aes_cbc_enc(128,AAAA,{KEY128})", 24, "has 16 bytes, and not 3"),
    (f"str(a),aes_cbc_dec(128,{NONCE},AAAA)", 49, "the key has 3 bytes and not 16"),
    (f"str(a),aes_cbc_dec(128,{NONCE},A)", 49, "in base64"),
    (f"str(a),aes_gcm_enc(128,AAAA,{KEY128},txn.a)", 24, "8 to 128 bytes"),
    (f"str(a),aes_gcm_enc(128,{NONCE},{KEY128},AAAA)", 74, "no variable's name"),
    (f"str(a),aes_gcm_dec(128,{NONCE},{KEY128},AAAA)", 74, "12 to 16 bytes"),
    (f"str(a),aes_gcm_dec(128,{NONCE},{KEY128})", 8, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column


def test_the_library_is_imported_where_it_is_used() -> None:
    script = "import sys; import maniple.core.rules.keywords; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        f"str(a),aes_cbc_enc(128,{NONCE},{KEY128})",
        f"str(a),aes_cbc_dec(128,{NONCE},{KEY128})",
        f"str(a),aes_gcm_enc(128,{NONCE},{KEY128},txn.a)",
        f"str(a),aes_gcm_dec(128,{NONCE},{KEY128},txn.a)",
        f"str(a),jwt_verify(RS256,{__file__})",
        f"str(a),jwt_verify(txn.name,{__file__})",
    ],
)
def test_a_missing_library_is_an_error_of_the_line(
    text: str, value_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match="the Python package `cryptography` is needed") as caught:
        value_of(text, None)
    assert caught.value.column == 8 and caught.value.hint == "pip install cryptography"
