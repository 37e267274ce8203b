"""Fields of MQTT's packets by name and number, and what may be asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_mqtt import mqtt_is_valid

CONNECT = bytes.fromhex("101200044d515454058200 3c 021901 000163 0000".replace(" ", ""))
CONNACK = bytes.fromhex("20020105")

CASES: list[tuple[bytes, str, bytes | None]] = [
    (CONNECT, "connect,protocol_name", b"MQTT"),
    (CONNECT, "Connect,KeepAlive", b"60"),
    (CONNECT, "1,flags", b"130"),
    (CONNECT, "1,25", b"1"),
    (CONNECT, "1,17", None),
    (CONNECT, "1,username", None),
    (CONNECT, "1,password", None),
    (CONNECT, "2,flags", None),
    (CONNECT[:-1], "1,flags", None),
    (CONNACK, "connack,reason_code", b"5"),
    (CONNACK, "2,protocol_version", b"4"),
    (b"GET / HTTP/1.1", "1,flags", None),
]


@pytest.mark.parametrize(("message", "words", "expected"), CASES)
def test_fields(message: bytes, words: str, expected: bytes | None, value_of: Callable[..., Any]) -> None:
    assert value_of(f"bin({message.hex()}),mqtt_field_value({words})", None) == expected


def test_valid_or_not_yet() -> None:
    assert mqtt_is_valid(CONNECT) is True and mqtt_is_valid(CONNACK + b"more") is True
    assert mqtt_is_valid(CONNECT[:-1]) is None and mqtt_is_valid(b"") is None
    assert mqtt_is_valid(b"\x30\x02aa") is False


WRONG: list[tuple[str, int, str]] = [
    ("str(a),mqtt_field_value(publish,flags)", 25, "connect .1. or connack .2."),
    ("str(a),mqtt_field_value(connect,topic)", 33, "fields are flags, protocol_name"),
    ("str(a),mqtt_field_value(connack,username)", 33, "fields are flags, protocol_version, reason_code"),
    ("str(a),mqtt_field_value(1,38)", 27, "no property of that number"),
    ("str(a),mqtt_field_value(2,25)", 27, "no property of that number"),
    ("str(a),mqtt_field_value(1)", 8, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
