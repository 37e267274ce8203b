"""Tables as peers describe them to each other: name, keys, data types.

Owns: HAProxy's numbers of key and data types, and the form of a definition. Must not know: how a table is stored.

    number of the sender for the table, name (length, bytes), key type, key width, data types as bits, expire (ms),
    then for each rate and array, in the order of the bits: its type, elements (arrays), period in ms (rates)

all integers of variable length. Observed between HAProxy 2.6 and 3.0. Types that are not known here have higher
numbers than all known ones, so what they add to definitions and updates stands at the end and can be passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .faults import MalformedFault
from .integers import decode_integer, encode_integer

KEY_NUMBERS: Final = {"integer": 2, "ip": 4, "ipv6": 5, "string": 6, "binary": 7}
_KEY_WORDS: Final = {number: word for word, number in KEY_NUMBERS.items()}
FIXED_WIDTHS: Final = {"integer": 4, "ip": 4, "ipv6": 16}
MOST_ELEMENTS: Final = 100
"""Of an array (manual 11.1)."""
MOST_WIDTH: Final = 8192
LONGEST_NAME: Final = 255

DATA_TYPES: Final = (
    "server_id",
    "gpt0",
    "gpc0",
    "gpc0_rate",
    "conn_cnt",
    "conn_rate",
    "conn_cur",
    "sess_cnt",
    "sess_rate",
    "http_req_cnt",
    "http_req_rate",
    "http_err_cnt",
    "http_err_rate",
    "bytes_in_cnt",
    "bytes_in_rate",
    "bytes_out_cnt",
    "bytes_out_rate",
    "gpc1",
    "gpc1_rate",
    "server_key",
    "http_fail_cnt",
    "http_fail_rate",
    "gpt",
    "gpc",
    "gpc_rate",
    "glitch_cnt",
    "glitch_rate",
)
"""By number."""
NUMBERS: Final = {name: number for number, name in enumerate(DATA_TYPES)}
ARRAYS: Final = frozenset(("gpt", "gpc", "gpc_rate"))
RATES: Final = frozenset(name for name in DATA_TYPES if name.endswith("_rate"))
TEXTS: Final = frozenset(("server_key",))
LOCAL: Final = frozenset(("conn_cur",))
"""Sent, but not learned: a peer's open connections are not ours (manual 3.5)."""
_KNOWN_BITS: Final = (1 << len(DATA_TYPES)) - 1


@dataclass(frozen=True, slots=True)
class Column:
    """One data type of a table: `elements` of an array (else 1), `period` of a rate in ms (else 0)."""

    name: str
    elements: int = 1
    period: int = 0

    def __post_init__(self) -> None:
        if self.name not in NUMBERS:
            raise ValueError(f"no data type {self.name!r}")
        if (self.name in RATES) != (self.period > 0):
            raise ValueError(f"{self.name}: a period belongs to a rate, and to nothing else")
        if not 1 <= self.elements <= (MOST_ELEMENTS if self.name in ARRAYS else 1):
            raise ValueError(f"{self.name}: {self.elements} elements")


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table of one side. `columns` are in the order of their numbers; `expire` in ms, 0: never."""

    name: str
    """As it travels: of a `table` line in a peers section, `/` and its name."""
    key: str
    """ip, ipv6, integer, string or binary."""
    width: int
    """Bytes of a key; of strings the longest one."""
    expire: int = 0
    columns: tuple[Column, ...] = ()
    unknown: int = 0
    """Bits of the data types that are not known here."""

    def __post_init__(self) -> None:
        if self.width != FIXED_WIDTHS.get(self.key, self.width):
            raise ValueError(f"keys of type {self.key} have {FIXED_WIDTHS[self.key]} bytes")
        numbers = [NUMBERS[column.name] for column in self.columns]
        if numbers != sorted(set(numbers)):
            raise ValueError("columns are in the order of their numbers, each once")

    def encode(self, number: int) -> bytes:
        """The body of a definition; `number` is what the sender calls the table."""
        name = self.name.encode("latin-1")
        bits = self.unknown
        parts = []
        for column in self.columns:
            bits |= 1 << NUMBERS[column.name]
            if column.name in ARRAYS or column.name in RATES:
                parts.append(encode_integer(NUMBERS[column.name]))
                if column.name in ARRAYS:
                    parts.append(encode_integer(column.elements))
                if column.name in RATES:
                    parts.append(encode_integer(column.period))
        # A string's width counts the zero at its end.
        width = self.width + (self.key == "string")
        head = (encode_integer(each) for each in (KEY_NUMBERS[self.key], width, bits, self.expire))
        return b"".join((encode_integer(number), encode_integer(len(name)), name, *head, *parts))


def make_definition(name: str, key: str, width: int, expire: int, columns: Sequence[Column]) -> TableDefinition:
    """A definition of columns in any order."""
    ordered = tuple(sorted(columns, key=lambda column: NUMBERS[column.name]))
    return TableDefinition(name, key, width, expire, ordered)


def decode_definition(body: bytes) -> tuple[int, TableDefinition | None, str]:
    """(the sender's number, the table, its name); the table is None when its keys are of a type that is not known here.
    MalformedFault and SizeFault."""
    number, at = decode_integer(body)
    length, at = decode_integer(body, at)
    if length > LONGEST_NAME or at + length > len(body):
        raise MalformedFault("a definition's name is longer than it may be")
    name = body[at : at + length].decode("latin-1")
    kind, at = decode_integer(body, at + length)
    width, at = decode_integer(body, at)
    bits, at = decode_integer(body, at)
    expire, at = decode_integer(body, at)
    columns = []
    for position, column in enumerate(DATA_TYPES):
        if not bits >> position & 1:
            continue
        elements, period = 1, 0
        if column in ARRAYS or column in RATES:
            again, at = decode_integer(body, at)
            if again != position:
                raise MalformedFault(f"type {again} is described where {position} is due")
            if column in ARRAYS:
                elements, at = decode_integer(body, at)
            if column in RATES:
                period, at = decode_integer(body, at)
        try:
            columns.append(Column(column, elements, period))
        except ValueError as error:
            raise MalformedFault(str(error)) from None
    unknown = bits & ~_KNOWN_BITS
    if at != len(body) and not unknown:
        raise MalformedFault("bytes after a definition")
    word = _KEY_WORDS.get(kind)
    if word is None:
        return number, None, name
    if word == "string":
        width -= 1
    if not 0 < width <= MOST_WIDTH or width != FIXED_WIDTHS.get(word, width):
        raise MalformedFault(f"keys of type {word} and {width} bytes")
    return number, TableDefinition(name, word, width, expire, tuple(columns), unknown), name


def difference(ours: TableDefinition, theirs: TableDefinition) -> str:
    """Why two tables of one name cannot be one: a text for people, or "". Data types that only one of them has are no
    reason, nor is `expire`."""
    if (ours.key, ours.width) != (theirs.key, theirs.width):
        return f"its keys are {theirs.key} of {theirs.width} bytes, ours {ours.key} of {ours.width}"
    own = {column.name: column for column in ours.columns}
    for column in theirs.columns:
        mine = own.get(column.name, column)
        if mine.period != column.period:
            return f"its {column.name} has a period of {column.period} ms, ours of {mine.period}"
        if mine.elements != column.elements:
            return f"its {column.name} has {column.elements} elements, ours {mine.elements}"
    return ""
