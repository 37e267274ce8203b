"""What is in tokens."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_token import part
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
