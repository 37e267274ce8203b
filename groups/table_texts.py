"""Entries of stick tables as `show table` shows them, and the words that choose entries and values.

Owns: the form (HAProxy's, compared with 3.0), names of what is stored, filters. Must not know: commands, clients.

What is stored is shown in an order that never changes, whatever the table's line says. Elements of arrays are shown
with their number in the name (`gpc1`, `gpc1_rate`), and can be named so, which HAProxy cannot. Its counts have 32 bits
and wrap around, ours do not; only what is set is cut to what HAProxy would store. A pointer is the entry's slot.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence

from ..core.rules.table_keys import show_key
from ..pools.table import Table
from ..pools.table_shape import ARRAYS, FOREVER, KINDS, Kind, TableShape

_SHOWN = (
    "server_id", "gpt0", "gpc0", "gpc0_rate", "conn_cnt", "conn_rate", "conn_cur", "sess_cnt", "sess_rate",
    "http_req_cnt", "http_req_rate", "http_err_cnt", "http_err_rate", "bytes_in_cnt", "bytes_in_rate", "bytes_out_cnt",
    "bytes_out_rate", "gpc1", "gpc1_rate", "server_key", "http_fail_cnt", "http_fail_rate", "gpt", "gpc", "gpc_rate",
    "glitch_cnt", "glitch_rate",
)  # fmt: skip
"""The order in which data types are shown."""
_ELEMENT = re.compile(r"(gpt|gpc)([0-9]{1,3})(_rate)?")
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_MOST = (1 << 63) - 1
_WIDE = ("bytes_in_cnt", "bytes_out_cnt")
_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "le": operator.le,
    "ge": operator.ge,
    "lt": operator.lt,
    "gt": operator.gt,
}
MOST_FILTERS = 4
_LETTERS = {"\t": "t", "\n": "n", "\r": "r", "\x1b": "e"}


def _escaped(character: str) -> str:
    if character in _LETTERS:
        return "\\" + _LETTERS[character]
    if character in "\\ =":
        return "\\" + character
    return character if " " < character <= "~" else f"\\x{ord(character):02X}"


_ESCAPES = {code: _escaped(chr(code)) for code in range(256)}


def key_text(shape: TableShape, key: bytes) -> str:
    """The key as it is shown; texts are escaped."""
    shown = show_key(shape, key).decode("latin-1")
    return shown.translate(_ESCAPES) if shape.key == "string" else shown


def table_line(table: Table) -> str:
    """What `show table` says of the table as a whole."""
    shape = table.shape
    return f"# table: {table.name}, type: {shape.key}, size:{shape.size}, used:{len(table)}"


class EntryText:
    """Shows the entries of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns: list[tuple[str, Callable[[int, int], object]]] = []
        for name in _SHOWN:
            stored = table.stored(name)
            if stored is None:
                continue
            stem, _, rate = name.partition("_")
            for element in range(stored.elements):
                label = f"{stem}{element}{rate and '_' + rate}" if name in ARRAYS else name
                period = f"({stored.period})" if stored.period else ""
                self._columns.append((f" {label}{period}=", self._value(name, element)))

    def _value(self, name: str, element: int) -> Callable[[int, int], object]:
        cell = self._table.cell(name, element)
        assert cell is not None
        if KINDS[name] is not Kind.NAME:
            return cell.value
        texts, number = self._table.names, cell.value
        return lambda slot, now: texts.text(number(slot, now)).decode("utf-8", "surrogateescape") or "-"

    def line(self, slot: int, now: int) -> str:
        """The entry, which the caller holds once."""
        table = self._table
        left = table.remaining(slot, now)
        begin = (
            f"0x{slot:x}: key={key_text(table.shape, table.key(slot))} use={table.arrays.holders(slot) - 1}"
            f" exp={0 if left >= FOREVER // 2 else left} shard=0"
        )
        return begin + "".join([f"{label}{value(slot, now)}" for label, value in self._columns])


class Refused(Exception):
    """What is wrong with a command's words."""


def find_type(shape: TableShape, word: str) -> tuple[str, int]:
    """The data type and its element that `data.<type>` names. Raises Refused."""
    name = word.removeprefix("data.") if word.startswith("data.") else ""
    stored = {one.name: one for one in shape.stored}
    if name in stored:
        return name, 0
    match = _ELEMENT.fullmatch(name)
    if match is not None:
        array = stored.get(f"{match[1]}{match[3] or ''}")
        if array is not None and int(match[2]) < array.elements:
            return array.name, int(match[2])
    raise Refused("Data type not stored in this table" if name in KINDS else "Unknown data type")


def read_number(word: str) -> int | None:
    """A decimal number of 64 bits."""
    number = int(word) if _NUMBER.fullmatch(word) else _MOST + 1
    return number if -_MOST - 1 <= number <= _MOST else None


class Filter:
    """Up to four conditions on what is stored, which hold together."""

    def __init__(self, shape: TableShape, words: Sequence[str]) -> None:
        """Raises Refused."""
        self._conditions: list[tuple[str, int, Callable[[int, int], bool], int]] = []
        for number in range(1, MOST_FILTERS + 1):
            if not words:
                break
            try:
                self._conditions.append(_read_condition(shape, words[:3]))
            except Refused as refused:
                raise Refused(f"Filter entry #{number}: {refused}") from None
            last, words = words[2], words[3:]
        if words:
            place = 4 + 3 * MOST_FILTERS
            raise Refused(f"Detected extra data in filter, {place}th word of input, after '{last}'")

    def bind(self, table: Table) -> Callable[[int, int], bool]:
        """Whether an entry of this table, which the caller holds, is meant: a function of slot and time."""
        tests = [(_figure(table, name, element), test, limit) for name, element, test, limit in self._conditions]
        if not tests:
            return lambda slot, now: True
        return lambda slot, now: all(test(value(slot, now), limit) for value, test, limit in tests)


def _figure(table: Table, name: str, element: int) -> Callable[[int, int], int]:
    """What filters see: texts are 0, as in HAProxy."""
    cell = table.cell(name, element)
    if cell is None or KINDS[name] is Kind.NAME:
        return lambda slot, now: 0
    return cell.value


def _read_condition(shape: TableShape, words: Sequence[str]) -> tuple[str, int, Callable[[int, int], bool], int]:
    name, element = find_type(shape, words[0])
    test = _OPERATORS.get(words[1]) if len(words) > 1 else None
    if test is None:
        raise Refused('Require and operator among "eq", "ne", "le", "ge", "lt", "gt"')
    limit = read_number(words[2]) if len(words) > 2 else None
    if limit is None:
        raise Refused("Require a valid integer value to compare against")
    return name, element, test, limit


def assign(table: Table, slot: int, words: Iterable[str], now: int) -> None:
    """Carries out `data.<type> <value> ...` on an entry that the caller holds, one after the other up to the first that
    is wrong. Raises Refused."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("data."):
            raise Refused('"data.<type>" followed by a value expected')
        name, element = find_type(table.shape, word)
        number = read_number(next(rest, ""))
        if number is None:
            raise Refused("Require a valid integer value to store")
        cell = table.cell(name, element)
        if cell is not None and KINDS[name] is not Kind.NAME:
            cell.set(slot, _fitted(name, number), now)


def _fitted(name: str, number: int) -> int:
    """What HAProxy stores of a number."""
    if name in _WIDE:
        return number & ((1 << 64) - 1)
    number &= (1 << 32) - 1
    return number - (1 << 32) if name == "server_id" and number >> 31 else number
