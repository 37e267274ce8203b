"""Keys and values of one entry as an update carries them.

Owns: their form, by definition. Must not know: update numbers, tables. The order of values is that of the columns:
a count is an integer of variable length, a rate three (age of its period in ms, current, previous), an array its
elements one after the other, a text as dictionary says. Keys: strings have their length in front, all others are as
wide as the definition says.
"""

from __future__ import annotations

from collections.abc import Mapping

from .dictionary import ReceivedTexts, SentTexts
from .faults import MalformedFault
from .integers import decode_integer, encode_integer
from .tables import ARRAYS, RATES, TEXTS, TableDefinition
from .values import Rate, Value

_UNKNOWN_RATE = Rate(0, 0, 0)


def encode_entry(table: TableDefinition, key: bytes, values: Mapping[str, Value], texts: SentTexts) -> bytes:
    """The bytes of an entry. A data type that `values` lacks is zero. ValueError for a key that is not the table's."""
    parts = [_encode_key(table, key)]
    for column in table.columns:
        value = values.get(column.name)
        if column.name in TEXTS:
            parts.append(texts.encode(value if isinstance(value, bytes) else None, table.name))
        elif column.name in ARRAYS:
            several = value if type(value) is tuple else ()
            empty: int | Rate = _UNKNOWN_RATE if column.name in RATES else 0
            padded = (*several, *[empty] * column.elements)[: column.elements]
            parts += map(_encode_number, padded)
        elif column.name in RATES:
            parts.append(_encode_number(value if isinstance(value, Rate) else _UNKNOWN_RATE))
        else:
            parts.append(_encode_number(value if isinstance(value, int) else 0))
    return b"".join(parts)


def _encode_key(table: TableDefinition, key: bytes) -> bytes:
    if table.key == "string":
        if len(key) > table.width:
            raise ValueError(f"a key of {len(key)} bytes in a table of {table.width}")
        return encode_integer(len(key)) + key
    if len(key) != table.width:
        raise ValueError(f"a key of {len(key)} bytes in a table of {table.width}")
    return key


def _encode_number(value: int | Rate) -> bytes:
    if isinstance(value, int):
        return encode_integer(value)
    return encode_integer(value.age) + encode_integer(value.current) + encode_integer(value.previous)


def decode_entry(table: TableDefinition, body: bytes, at: int, texts: ReceivedTexts) -> tuple[bytes, dict[str, Value]]:
    """(key, values) of the entry that starts at `at` and ends with `body`. MalformedFault and SizeFault."""
    key, at = _decode_key(table, body, at)
    values: dict[str, Value] = {}
    for column in table.columns:
        name = column.name
        if name in TEXTS:
            values[name], at = texts.decode(body, at)
        elif name in RATES:
            rates = []
            for _ in range(column.elements):
                rate, at = _decode_rate(body, at)
                rates.append(rate)
            values[name] = tuple(rates) if name in ARRAYS else rates[0]
        else:
            counts = []
            for _ in range(column.elements):
                count, at = decode_integer(body, at)
                counts.append(count)
            values[name] = tuple(counts) if name in ARRAYS else counts[0]
    if at != len(body) and not table.unknown:
        raise MalformedFault("bytes after an entry")
    return key, values


def _decode_key(table: TableDefinition, body: bytes, at: int) -> tuple[bytes, int]:
    length = table.width
    if table.key == "string":
        length, at = decode_integer(body, at)
    if length > len(body) - at:
        raise MalformedFault("a key is cut short")
    # A string that is too long is cut, as tables do with long keys everywhere.
    return body[at : at + min(length, table.width)], at + length


def _decode_rate(body: bytes, at: int) -> tuple[Rate, int]:
    age, at = decode_integer(body, at)
    current, at = decode_integer(body, at)
    previous, at = decode_integer(body, at)
    return Rate(age, current, previous), at
