"""Values that are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_debug import RINGS, show
from maniple.core.rules.samples import BIN, BOOL, INT, IP, STR, Type

SHOWN: list[tuple[Type, Any, bytes]] = [
    (STR, b"abc", b"[debug] p: type=str <abc>\n"),
    (INT, -5, b"[debug] p: type=int <-5>\n"),
    (BOOL, True, b"[debug] p: type=bool <1>\n"),
    (IP, b"\1\2\3\4", b"[debug] p: type=ip <1.2.3.4>\n"),
    (BIN, b"a\0b", b"[debug] p: type=bin <a>\n"),
]


@pytest.mark.parametrize(("kind", "value", "line"), SHOWN)
def test_lines(kind: Type, value: Any, line: bytes) -> None:
    assert show(b"p", kind, value) == line


def test_ring(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    ring = RINGS[b"buf0"]
    ring.clear()
    assert value_of("int(7),debug,add(1)", None) == 8
    x = make_scope(variables={"a": (STR, b"x")})
    assert value_of("var(txn.a),debug(seen,buf0)", x) == (STR, b"x")
    assert list(ring) == [b"[debug] debug: type=int <7>\n", b"[debug] seen: type=str <x>\n"]
    ring.clear()


def test_streams(value_of: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    assert value_of("str(a),debug(one,stdout),debug(two,stderr)", None) == b"a"
    assert capfd.readouterr() == ("[debug] one: type=str <a>\n", "[debug] two: type=str <a>\n")


WRONG: list[tuple[str, int, str]] = [
    ("str(a),debug(p,nowhere)", 16, "stdout, stderr or buf0"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
