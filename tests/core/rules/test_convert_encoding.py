"""Encodings: what is encoded decodes to itself, what is broken to nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_encoding import (
    decode_base64,
    decode_base64url,
    encode_base64,
    encode_base64url,
    encode_hex,
    escape_url,
    htonl,
    read_hex,
)
from maniple.core.rules.samples import wrap


@given(st.binary())
def test_there_and_back(value: bytes) -> None:
    assert decode_base64(encode_base64(value)) == value
    assert decode_base64url(encode_base64url(value)) == value
    assert decode_base64url(base64.urlsafe_b64encode(value)) == value
    assert bytes.fromhex(encode_hex(value).decode()) == value
    assert read_hex(encode_hex(value)) == wrap(int.from_bytes(value, "big"))


@given(st.binary())
def test_urls_there_and_back(value: bytes) -> None:
    from urllib.parse import quote_from_bytes, unquote_to_bytes

    assert escape_url(value) == quote_from_bytes(value, safe="").encode()
    assert unquote_to_bytes(escape_url(value)) == value


@pytest.mark.parametrize("text", [b"YQ", b"YQ=", b"Y===", b"YQ==YQ==", b"YW J", b"YWJj\n", b"-_-_", b"="])
def test_no_base64(text: bytes) -> None:
    assert decode_base64(text) is None


@pytest.mark.parametrize("text", [b"Y", b"Y=", b"YQ=", b"AP8Q+w", b"AP8Q/w", b"YQ==YQ", b"YW\xff"])
def test_no_base64url(text: bytes) -> None:
    assert decode_base64url(text) is None


@pytest.mark.parametrize("text", [b"0x1", b"1_0", b" 1", b"+1", b"g"])
def test_no_hexadecimal_digits(text: bytes) -> None:
    assert read_hex(text) is None


def test_htonl() -> None:
    assert htonl(-2) == b"\xff\xff\xff\xfe" and htonl((5 << 32) + 1) == b"\0\0\0\1"


CASES: list[tuple[str, Any]] = [
    ("bin(01020304050607),le2dec(:,2)", b"513:1027:1541:7"),
    ("bin(01020304050607),le2dec(-,2,1)", b"513-1027-1541"),
    ("bin(0100007f),le2dec(.,4)", b"2130706433"),
    ("bin(ffffffffffffffff),le2dec(.,8)", b"18446744073709551615"),
    ("bin(0102030405),be2hex(-,2)", b"0102-0304-05"),
    ("str(a%2),url_dec", None),
    ("str(a+b?c+d%2B),url_dec", b"a+b?c d+"),
    ("str(a+b?c+d%2B),url_dec(1)", b"a b?c d+"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expressions(text: str, expected: Any, value_of: Callable[..., Any]) -> None:
    assert value_of(text, None) == expected


WRONG: list[tuple[str, int, str]] = [
    ("bin(00),be2dec(.,9)", 18, "from 1 to 8"),
    ("bin(00),le2dec(.,0)", 18, "from 1 to 8"),
    ("bin(00),be2dec(.,1,2)", 20, "0 or 1"),
    ("bin(00),be2hex(:,0)", 18, "positive"),
    ("bin(00),be2hex(:)", 9, "positive"),
    ("str(a),url_enc(path)", 16, "'query' is the only type"),
    ("bin(00),be2dec(.)", 9, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
