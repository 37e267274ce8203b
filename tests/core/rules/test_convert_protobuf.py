"""Fields of Protocol Buffers: messages made and found again, limits of numbers, what is broken (all else:
protocols.txt, beside HAProxy)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_protobuf import find_field, read_varint
from maniple.core.rules.samples import BIN, INT


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes((*made, value))


def field(number: int, wire: int, content: bytes) -> bytes:
    return varint(number << 3 | wire) + (varint(len(content)) if wire == 2 else b"") + content


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=3))
def test_varints(value: int, behind: bytes) -> None:
    text = varint(value)
    assert read_varint(text + behind, 0, len(text) + len(behind)) == (value, len(text))
    with pytest.raises(ValueError, match="does not end"):
        read_varint(text, 0, len(text) - 1)


FIELDS = st.lists(
    st.tuples(st.integers(1, 40), st.one_of(st.binary(max_size=200), st.integers(0, (1 << 64) - 1))), max_size=6
)


@given(FIELDS, st.integers(1, 40))
def test_the_first_field_of_a_number(fields: list[tuple[int, bytes | int]], number: int) -> None:
    message = b"".join(
        [field(n, 2, value) if isinstance(value, bytes) else field(n, 0, varint(value)) for n, value in fields]
    )
    first = next((value for n, value in fields if n == number), None)
    outer = field(3, 2, b"") + field(3, 2, message)
    for text, path in ((message, (number,)), (outer, (3, number))):
        found = find_field(text, path, 0, len(text))
        if first is None:
            assert found is None
        else:
            assert found is not None
            content = text[found[1] : found[2]]
            assert content == (first if isinstance(first, bytes) else varint(first))
            assert found[0] == (2 if isinstance(first, bytes) else 0)


@given(st.binary(max_size=40))
def test_anything_may_come(message: bytes) -> None:
    for path in ((1,), (1, 1), (2, 3, 4)):
        try:
            found = find_field(message, path, 0, len(message))
        except ValueError:
            continue
        assert found is None or 0 <= found[1] <= found[2] <= len(message)


DOUBLE, FLOAT = struct.Struct("<d").pack, struct.Struct("<f").pack
CASES: list[tuple[bytes, str, Any]] = [
    (field(1, 1, DOUBLE(-3.99)), "1,double", (INT, -3)),
    (field(1, 1, DOUBLE(1e300)), "1,double", (INT, (1 << 63) - 1)),
    (field(1, 1, DOUBLE(-1e300)), "1,double", (INT, -(1 << 63))),
    (field(1, 1, DOUBLE(float("-inf"))), "1,double", (INT, -(1 << 63))),
    (field(1, 5, FLOAT(float("nan"))), "1,float", (INT, 0)),
    (field(1, 5, FLOAT(2.5)), "1,float", (INT, 2)),
    (field(1, 0, varint(3)), "1,sint32", (INT, -2)),
    (field(1, 0, varint((1 << 64) - 1)), "1,int64", (INT, -1)),
    (field(1, 0, varint(1)), "1,fixed32", None),
    (field(1, 2, b"text"), "1", (BIN, b"text")),
    (b"\x08", "1", None),
    (b"", "1", None),
]


@pytest.mark.parametrize(("message", "words", "expected"), CASES)
def test_values(message: bytes, words: str, expected: Any, value_of: Callable[..., Any]) -> None:
    source = f"bin({message.hex()})" if message else "str()"
    assert value_of(f"{source},protobuf({words})", None) == expected
    framed = bytes((0,)) + len(message).to_bytes(4, "big") + message
    assert value_of(f"bin({framed.hex()}),ungrpc({words})", None) == expected
    assert value_of(f"bin(01{framed.hex()[2:]}),ungrpc({words})", None) is None


WRONG: list[tuple[str, int, str]] = [
    ("str(a),protobuf(a)", 17, "with dots between them"),
    ("str(a),protobuf(1.)", 17, "with dots between them"),
    ("str(a),protobuf(1.0)", 17, "from 1 to 536870911"),
    ("str(a),ungrpc(536870912)", 15, "from 1 to 536870911"),
    ("str(a),ungrpc(1,string)", 17, "a type is one of int32"),
    ("str(a),ungrpc()", 15, "with dots between them"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
