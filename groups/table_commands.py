"""The runtime commands on stick tables: `show table`, `set table`, `clear table`.

Owns: their words and complaints, which are HAProxy's (management 9.3; compared with 3.0). Must not know: how an entry
is shown (table_texts). No group is asked: the tables are shared memory, and the supervisor looks by itself.

Invariants: a table is opened for one turn of the supervisor's loop and closed in it; what takes longer goes on in the
next turn, behind the slots that were looked at, and ends early when the table is no longer in service. So a list of a
million entries stops nobody and is kept nowhere, and an entry that comes or goes meanwhile may be in it or not.
Unlike HAProxy's, keys of binary tables can be named, by the digits that are shown; a number that is none is refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial

from ..core.rules.table_keys import read_key
from ..pools.segment import Segment
from ..pools.table import Table
from .command import Command, refuse
from .steering import Answer, Steering
from .table_texts import EntryText, Filter, Refused, assign, table_line
from .tables import open_table

PORTION = 4000
"""Values of entries that are looked at in a turn: 5 ms."""
_REMOVALS = 250
"""Entries that are removed in a turn: 20 us each."""
_POINTER = re.compile(r"0x([0-9a-fA-F]+)")
_NO_TABLE = "No such table"
_OF_SHOW = 'Optional argument only supports "data.<store_data_type>" <operator> <value> or key <key> or ptr <ptr>'
_OF_SET = (
    "Required arguments: <table> key <key> [data.<store_data_type> <value>]*"
    " or <table> ptr <ptr> [data.<store_data_type> <value>]*"
)
_OF_CLEAR = (
    'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key> or <table> ptr <ptr>'
)
_NOT_BY_CONTENT = 'content-based lookup is only supported with the "show" and "clear" actions'
_IN_USE = "Entry currently in use, cannot remove"


def now() -> int:
    """Milliseconds of the tables' clock."""
    return time.monotonic_ns() // 1_000_000


# Words.


def _run(
    usage: str,
    work: Callable[[Table, Sequence[str]], Sequence[str]],
    steering: Steering,
    words: Sequence[str],
    answer: Answer,
) -> None:
    """Carries out what concerns one entry, and answers with the lines of `work`, which gets the words behind the
    table's name."""
    segment = steering.tables.get(words[0]) if words else None
    if segment is None:
        refuse(answer, _NO_TABLE if words else usage)
        return
    with closing(open_table(segment, 0)) as table:
        try:
            lines = work(table, words[1:])
        except Refused as refused:
            refuse(answer, str(refused))
            return
    for line in lines:
        answer.line(line)
    answer.end()


def _key(table: Table, words: Sequence[str]) -> bytes:
    """The key that `key <key>` or `ptr <ptr>` means."""
    kind, *values = words
    if kind == "key":
        if not values:
            raise Refused("Key value expected")
        key = read_key(table.shape, values[0].encode("utf-8", "surrogateescape"))
        if key is None:
            raise Refused("Invalid key")
        return key
    if not values or not values[0].startswith("0x"):
        raise Refused("Pointer expected (0xffff notation)")
    match = _POINTER.fullmatch(values[0])
    if match is None:
        raise Refused("Malformed ptr.")
    slot = int(match[1], 16)
    if not slot or table.portion(slot, 1)[0] != [slot]:
        raise Refused("No entry can be found matching ptr.")
    return table.key(slot)


# What they do.


def _show(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if not words:
        for segment in list(steering.tables.values())[::-1]:
            with closing(open_table(segment, 0)) as table:
                answer.line(table_line(table))
        answer.end()
    elif words[1:2] in (["key"], ["ptr"]):
        _run("", _show_entry, steering, words, answer)
    else:
        _walk(_OF_SHOW, _shown, steering, words, answer)


def _show_entry(table: Table, words: Sequence[str]) -> Sequence[str]:
    moment = now()
    slot = table.hold(_key(table, words), moment)
    if not slot:
        return ()
    try:
        return table_line(table), EntryText(table).line(slot, moment)
    finally:
        table.release(slot)


def _set(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    _run(_OF_SET, _set_entry, steering, words, answer)


def _set_entry(table: Table, words: Sequence[str]) -> Sequence[str]:
    if not words:
        return ()
    if words[0] not in ("key", "ptr"):
        raise Refused(_NOT_BY_CONTENT if words[0].startswith("data.") else _OF_SET)
    moment = now()
    slot = table.track(_key(table, words), moment)
    if not slot:
        raise Refused("Unable to allocate a new entry")
    try:
        table.mark(slot)
        assign(table, slot, words[2:], moment)
    finally:
        table.release(slot)
    return ()


def _clear(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if words[1:2] in (["key"], ["ptr"]) or not words:
        _run(_OF_CLEAR, _clear_entry, steering, words, answer)
    else:
        _walk(_OF_CLEAR, _cleared, steering, words, answer)


def _clear_entry(table: Table, words: Sequence[str]) -> Sequence[str]:
    if table.remove(_key(table, words)) is False:
        raise Refused(_IN_USE)
    return ()


# All entries, or those that a filter chooses.

Work = Callable[[Table, Sequence[int], Callable[[int, int], bool]], list[str]]


def _walk(usage: str, work: Work, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    name, *chosen = words
    segment = steering.tables.get(name)
    if segment is None:
        refuse(answer, _NO_TABLE)
        return
    if chosen and not chosen[0].startswith("data."):
        refuse(answer, usage)
        return
    with closing(open_table(segment, 0)) as table:
        try:
            wanted = Filter(table.shape, chosen)
        except Refused as refused:
            refuse(answer, str(refused))
            return
        cells = sum(one.elements for one in table.shape.stored)
    most = _REMOVALS if work is _cleared else max(1, PORTION // (cells + 4))
    answer.pour(_portions(partial(steering.tables.get, name), segment, wanted, work, most))


def _portions(
    find: Callable[[], Segment | None], segment: Segment, wanted: Filter, work: Work, most: int
) -> Iterator[Sequence[str]]:
    """The lines, as long as the table that is in service is that one."""
    start = 1
    while start and find() is segment:
        with closing(open_table(segment, 0)) as table:
            first = [table_line(table)] if work is _shown and start == 1 else []
            slots, start = table.portion(start, most)
            lines = work(table, slots, wanted.bind(table))
        yield first + lines


def _shown(table: Table, slots: Sequence[int], wanted: Callable[[int, int], bool]) -> list[str]:
    text = EntryText(table)
    moment = now()
    lines = []
    for found in slots:
        slot = table.hold(table.key(found), moment)
        if slot:
            try:
                if wanted(slot, moment):
                    lines.append(text.line(slot, moment))
            finally:
                table.release(slot)
    return lines


def _cleared(table: Table, slots: Sequence[int], wanted: Callable[[int, int], bool]) -> list[str]:
    moment = now()
    for found in slots:
        key = table.key(found)
        slot = table.hold(key, moment)
        if slot:
            try:
                meant = wanted(slot, moment)
            finally:
                table.release(slot)
            if meant:
                table.remove(key)
    return []


TABLE_COMMANDS = (
    Command(
        ("clear", "table"),
        "clear table <table> [<filter>]*",
        "remove an entry from a table (filter: data/key)",
        "operator",
        _clear,
    ),
    Command(
        ("set", "table"),
        "set table <table> key <k> [data.* <v>]*",
        "update or create a table entry's data",
        "operator",
        _set,
    ),
    Command(
        ("show", "table"),
        "show table <table> [<filter>]*",
        "report table usage stats or dump this table's contents (filter: data/key)",
        "user",
        _show,
    ),
)
