from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.values import Choice, Duration, Integer, Mapped, Size, Text, Value

GOOD: list[tuple[Value, str, Any]] = [
    (Integer(), "0", 0),
    (Integer(), "007", 7),
    (Integer(None), "-5", -5),
    (Integer(1, 256), "256", 256),
    (Integer(-1), "-1", -1),
    (Duration(), "5", 5),
    (Duration(), "5s", 5000),
    (Duration(unit="s"), "5", 5000),
    (Size(), "16k", 16384),
    (Choice(("tcp", "http")), "http", "http"),
    (Text("name"), "x y", "x y"),
    (Mapped("hex", lambda text: int(text, 16)), "ff", 255),
]
BAD: list[tuple[Value, str, str]] = [
    (Integer(), "", "integer is expected"),
    (Integer(), "1.5", "integer is expected"),
    (Integer(), "x", "integer is expected"),
    (Integer(), "٣", "integer is expected"),
    (Integer(), "-1", "at least 0"),
    (Integer(1, 256), "257", "from 1 to 256"),
    (Duration(), "5x", "unknown unit"),
    (Duration(1), "0", "at least 1 ms"),
    (Duration(0, 100), "1s", "from 0 to 100 ms"),
    (Size(1), "0", "at least 1 bytes"),
    (Choice(("tcp", "http")), "HTTP", "one of tcp, http"),
    (Text("name"), "", "a name is expected"),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_read(kind: Value, text: str, value: Any) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize(("kind", "text", "complaint"), BAD)
def test_refuse(kind: Value, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        kind.read(text)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (Integer(), "<number>"),
        (Integer(1), "<1..>"),
        (Integer(0, 256), "<0..256>"),
        (Integer(None), "<number>"),
        (Duration(), "<time>"),
        (Size(), "<size>"),
        (Choice(("a", "b")), "{a|b}"),
        (Text("path"), "<path>"),
        (Mapped("set", str), "<set>"),
    ],
)
def test_shape(kind: Value, shape: str) -> None:
    assert kind.shape == shape
