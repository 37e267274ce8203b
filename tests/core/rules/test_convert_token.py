"""What is in tokens, and whether they are signed (every algorithm: protocols.txt, beside HAProxy)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_token import (
    INVALID_TOKEN,
    UNKNOWN_ALGORITHM,
    UNKNOWN_KEY,
    UNMANAGED_ALGORITHM,
    part,
    verify,
)
from maniple.core.rules.samples import INT, STR

TOKEN = b".".join([urlsafe_b64encode(text).rstrip(b"=") for text in (b'{"alg":"HS256"}', b'{"iss":"a","n":5}', b"s")])


def test_parts() -> None:
    assert part(TOKEN, 0) == b'{"alg":"HS256"}' and part(TOKEN, 1) == b'{"iss":"a","n":5}'
    assert part(b"", 0) is None and part(b"e30", 0) is None and part(b"e30", 1) is None
    assert part(b"!.e30.", 0) is None and part(b"!.e30.", 1) == b"{}"


CASES: list[tuple[str, Any]] = [
    ("jwt_header_query", (STR, b'{"alg":"HS256"}')),
    ("jwt_header_query('$.alg')", (STR, b"HS256")),
    ("jwt_payload_query('$.n',int)", (INT, 5)),
    ("jwt_payload_query('$.n',int),add(1)", 6),
    ("jwt_payload_query('$.none')", None),
    ("jwt_payload_query", (STR, b'{"iss":"a","n":5}')),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_queries(text: str, expected: Any, value_of: Callable[..., Any]) -> None:
    assert value_of(f"str({TOKEN.decode()}),{text}", None) == expected
    assert value_of(f"str(none),{text}", None) is None


WRONG: list[tuple[str, int, str]] = [
    ("str(a),jwt_header_query(x)", 25, "starts with"),
    ("str(a),jwt_payload_query('$.a',str)", 32, "int is the only type"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column


KEYS = Path(__file__).parent / "keys"


def signed(secret: bytes, name: str = "HS256") -> str:
    text = TOKEN.rpartition(b".")[0]
    code = hmac.digest(secret, text, f"sha{name[2:]}")
    return f"{text.decode()}.{urlsafe_b64encode(code).decode().rstrip('=')}"


SIGNED: list[tuple[str, dict[str, bytes], int | None]] = [
    ("HS256,secret", {}, 1),
    ("HS256,other", {}, 0),
    ("HS384,secret", {}, 0),
    ("txn.a,secret", {"a": b"HS256"}, 1),
    ("txn.a,txn.k", {"a": b"HS256", "k": b"secret"}, 1),
    ("txn.a,txn.k", {"a": b"HS256", "k": b"other"}, 0),
    ("txn.a,txn.k", {"a": b"HS256"}, None),
    ("txn.a,txn.k", {"k": b"secret"}, None),
    ("txn.a,secret", {"a": b"hs256"}, UNKNOWN_ALGORITHM),
    ("txn.a,secret", {"a": b"RS256"}, UNKNOWN_KEY),
    ("none,secret", {}, 0),
]


@pytest.mark.parametrize(("words", "variables", "expected"), SIGNED)
def test_signatures(
    words: str,
    variables: dict[str, bytes],
    expected: int | None,
    value_of: Callable[..., Any],
    make_scope: Callable[..., Any],
) -> None:
    x = make_scope(variables={name: (STR, value) for name, value in variables.items()})
    assert value_of(f"str({signed(b'secret')}),jwt_verify({words})", x) == expected


def test_the_path_of_a_public_key_is_no_secret(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    """A token that chose HS256 and was signed with what everybody knows: HAProxy 3.0 says 1."""
    path = str(KEYS / "rsa.pem")
    x = make_scope(variables={"a": (STR, b"HS256")})
    assert value_of(f"str({signed(path.encode())}),jwt_verify(txn.a,{path})", x) == UNMANAGED_ALGORITHM


BAD_TOKENS = [b"", b".", b"..", b"...", b"a.b", b"a.b.c.d", b"a.b.!", b"a.b."]


@pytest.mark.parametrize("token", BAD_TOKENS)
def test_no_tokens(token: bytes) -> None:
    assert verify(token, b"HS256", b"secret") == INVALID_TOKEN


WRONG_SIGNATURES: list[tuple[str, int, str]] = [
    ("str(a),jwt_verify(HS128,secret)", 19, "algorithms are"),
    ("str(a),jwt_verify(RS256,/nowhere/key.pem)", 25, "no public key can be read: .*No such file"),
    (f"str(a),jwt_verify(RS256,{__file__})", 25, "no public key can be read"),
    ("str(a),jwt_verify(HS256)", 8, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG_SIGNATURES)
def test_errors_of_signatures(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    test_errors_have_their_column(text, column, says, value_of)
