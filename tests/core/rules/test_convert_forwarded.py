"""Elements of Forwarded headers and nodes. Most cases are compared with HAProxy (converters.txt)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_forwarded import read_element, read_node
from maniple.core.rules.samples import INT, IP, STR, Type

NODES: list[tuple[bytes, tuple[Type, bytes] | None, Any]] = [
    (b"192.0.2.1", (IP, b"\xc0\0\2\1"), None),
    (b"192.0.2.1:80", (IP, b"\xc0\0\2\1"), (INT, 80)),
    (b"[::1]:8080", (IP, bytes(15) + b"\1"), (INT, 8080)),
    (b"unknown:_p", (STR, b"unknown"), (STR, b"_p")),
    (b"_a.b-c", (STR, b"_a.b-c"), None),
]


@pytest.mark.parametrize(("text", "name", "port"), NODES)
def test_nodes(text: bytes, name: Any, port: Any) -> None:
    assert read_node(text, whole=True) == (name, port)


NO_NODES = [b"", b"a", b"::1", b"[1.2.3.4]", b"1.2.3", b"_", b"1.2.3.4:", b"1.2.3.4:0", b"1.2.3.4:65536", b"1.2.3.4.5"]


@pytest.mark.parametrize("text", NO_NODES)
def test_no_nodes(text: bytes) -> None:
    assert read_node(text) is None


def test_element() -> None:
    element = read_element(b'for="[::1]:8";by=_x;host="a-b.c:80";proto=https')
    assert element == {b"for": b"[::1]:8", b"by": b"_x", b"host": b"a-b.c:80", b"proto": b"https"}


NO_ELEMENTS = [b"", b"for=_a;", b"for=_a;for=_b", b"for=_a, for=_b", b"For=_a", b'proto="http"', b"host=a:8", b"x=y"]


@pytest.mark.parametrize("text", NO_ELEMENTS)
def test_no_elements(text: bytes) -> None:
    assert read_element(text) is None


def test_fields(value_of: Callable[..., Any]) -> None:
    text = "str('for=192.0.2.1;proto=http')"
    assert value_of(f"{text},rfc7239_field(proto)", None) == b"http"
    assert value_of(f"{text},rfc7239_field(by)", None) is None
    assert value_of(f"{text},rfc7239_field(for),rfc7239_n2nn,ipmask(8)", None) == b"\xc0\0\0\0"


WRONG: list[tuple[str, int, str]] = [
    ("str(a),rfc7239_field(x)", 22, "for, by, host or proto"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
