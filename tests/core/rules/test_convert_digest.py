"""Digests and codes: known vectors, keys, constant time's result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.samples import BIN, INT, STR

CASES: list[tuple[str, str | None]] = [
    ("str(abc),sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("str(abc),sha2", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("str(abc),sha2(224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    ("str(abc),digest(md5)", "900150983cd24fb0d6963f7d28e17f72"),
    ("str(abc),digest(SHA-256)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    # RFC 4231, test case 2, and RFC 2202's.
    (
        "str(what do ya want for nothing?),hmac(sha256,SmVmZQ==)",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("str(what do ya want for nothing?),hmac(md5,txn.key)", "750c783e6ab0b503eaa86e310a5db738"),
    ("str(a),hmac(md5,txn.none)", None),
    ("str(a),hmac(md5,txn.number)", None),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_vectors(text: str, expected: str | None, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope(variables={"key": (STR, b"SmVmZQ=="), "number": (INT, 5)})
    value = value_of(text, x)
    assert (None if value is None else value.hex()) == expected


def test_secure_memcmp(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    text = "str(abc),secure_memcmp(txn.a)"
    assert value_of(text, make_scope(variables={"a": (BIN, b"abc")})) is True
    assert value_of(text, make_scope(variables={"a": (STR, b"abd")})) is False
    assert value_of(text, make_scope()) is None


WRONG: list[tuple[str, int, str]] = [
    ("str(a),sha2(128)", 13, "224, 256, 384 or 512"),
    ("str(a),digest(foo)", 15, "no digest of that name"),
    ("str(a),digest(shake_128)", 15, "length of its own"),
    ("str(a),hmac(md5,a2V)", 17, "in base64"),
    ("str(a),hmac(md5)", 8, "misses its argument"),
    ("str(a),secure_memcmp()", 22, "missing"),
    ("str(a),secure_memcmp(a)", 22, "no variable's name"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
