"""`stick-table` lines, `table` lines of peers sections, and `table-file` (manual 4.2, 11.1).

Owns: their syntax, and which data types go together. Must not know: keys, counters, where tables live.

Facts (measured: HAProxy 3.0): `type` and `size` are asked for, in any order with the rest; a data type that is named
twice is a warning; an array excludes its single elements of old; `len` belongs to string and binary and follows them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...pools.table_shape import ARRAYS, KINDS, Kind, Stored, TableShape
from ..errors import what_and_how
from ..units import parse_size, parse_time
from .diagnostics import Diagnostics
from .drafts import GlobalDraft, ProxyDraft
from .keywords import ANY, GLOBAL, GLOBAL_KEYWORDS, PROXY_KEYWORDS, Keyword, nearest
from .lexer import Word
from .model import Configuration, Place, ProxySpec
from .statement import Refusal, Statement
from .suggest import offer
from .table_spec import FILE_INTERVAL, TableSpec
from .values import Duration, Text

_OWN = ANY - {"defaults"}
WIDTHS = {"ip": 4, "ipv4": 4, "ipv6": 16, "integer": 4, "string": 31, "binary": 32}
"""Type -> bytes of a key, where `len` says nothing. (Strings: the manual says 32, of which HAProxy uses 31.)"""
_SIZED = frozenset({"string", "binary"})
MOST_ELEMENTS = 100
MOST_FACTOR = 1024
_SYNONYMS = {"server_name": "server_key"}
_EXCLUDED = {"gpc": ("gpc0", "gpc1"), "gpc_rate": ("gpc0_rate", "gpc1_rate"), "gpt": ("gpt0",)}
_ITEM = re.compile(r"([A-Za-z0-9_]*)(?:\(([^()]*)\))?")
SHAPE = (
    "type {ip|ipv6|integer|string [len <n>]|binary [len <n>]} size <size> [expire <time>] [nopurge] "
    "[store <type>,...] [peers <section>] [srvkey {name|addr}] [write-to <table>] [recv-only] [brates-factor <n>]"
)
_OPTIONS = (
    "type", "size", "expire", "nopurge", "store", "peers", "srvkey", "write-to", "recv-only", "brates-factor",
)  # fmt: skip


@dataclass(slots=True)
class _Draft:
    """What a line has said so far."""

    key: str = ""
    width: int = 0
    size: int = 0
    expire: int = 0
    purge: bool = True
    stored: dict[str, Stored] = field(default_factory=dict)
    words: dict[str, Word] = field(default_factory=dict)
    """Data type -> where it is written."""
    peers: str = ""
    peers_place: Place | None = None
    server_key: str = "name"
    write_to: str = ""
    receive_only: bool = False
    bytes_factor: int = 1


def parse_table(statement: Statement, name: str, words: Sequence[Word]) -> TableSpec:
    """The table that `words` of the statement describe: all of a `stick-table` line, or what stands behind the name in
    `table NAME type ...`. Raises Refusal; warnings go to the statement."""
    draft = _Draft()
    index = 0
    while index < len(words):
        word = words[index]
        if word.text == "nopurge":
            draft.purge = False
        elif word.text == "recv-only":
            draft.receive_only = True
        elif word.text in _OPTIONS:
            index += 1
            if index >= len(words):
                raise Refusal(f"`{statement.name} ... {word.text}` expects {_expected(word.text)}", word)
            index = _read_option(statement, draft, word.text, words, index)
        else:
            hint = nearest(word.text, _OPTIONS) or f"usage: {statement.name} {SHAPE}"
            if word.text == "len":
                hint = "`len` follows `type string` or `type binary`"
            elif word.text.partition("(")[0].strip(",") in KINDS:
                hint = "data types are parted by commas, without blanks, or each has a `store` of its own"
            raise Refusal(f"`{statement.name}` cannot take '{word.text}'", word, hint)
        index += 1
    if not draft.key:
        raise Refusal(f"`{statement.name}` misses the type of its keys", None, f"types are {', '.join(WIDTHS)}")
    if not draft.size:
        raise Refusal(f"`{statement.name}` misses its size", None, "`size <n>`: entries that it holds at most")
    _exclude(statement, draft)
    shape = TableShape(draft.key, draft.width, draft.size, draft.expire, draft.purge, tuple(draft.stored.values()))
    if not draft.purge and not draft.expire:
        statement.warn("`nopurge` without `expire`: once the table is full no key is ever added", None)
    return TableSpec(
        name,
        statement.place,
        shape,
        draft.peers,
        draft.peers_place,
        draft.server_key,
        draft.write_to,
        draft.receive_only,
        draft.bytes_factor,
    )


def _expected(option: str) -> str:
    return {
        "type": f"one of {', '.join(WIDTHS)}",
        "size": "a number of entries",
        "expire": "a time",
        "store": "data types",
        "peers": "the name of a peers section",
        "srvkey": "name or addr",
        "write-to": "the name of a table",
        "brates-factor": "a number",
    }[option]


def _read_option(statement: Statement, draft: _Draft, option: str, words: Sequence[Word], index: int) -> int:
    """Read what follows an option; the index of its last word."""
    word = words[index]
    if option == "type":
        return _read_type(statement, draft, words, index)
    if option == "store":
        _read_store(statement, draft, word)
    elif option == "size":
        draft.size = _number(statement, option, word, parse_size)
        if not draft.size:
            raise Refusal(f"`{statement.name} ... size`: a table has at least one entry", word)
    elif option == "expire":
        draft.expire = _number(statement, option, word, parse_time)
    elif option == "peers":
        draft.peers, draft.peers_place = word.text, statement.place_of(word)
    elif option == "srvkey":
        if word.text not in ("name", "addr"):
            raise Refusal(f"`{statement.name} ... srvkey` expects name or addr, not '{word.text}'", word)
        draft.server_key = word.text
    elif option == "write-to":
        draft.write_to = word.text
        statement.note(f"`{statement.name} ... write-to`: accepted, not yet in force", word)
    else:
        draft.bytes_factor = _integer(statement, option, word, 1, MOST_FACTOR)
    return index


def _number(statement: Statement, option: str, word: Word, read: object) -> int:
    try:
        value: int = read(word.text)  # type: ignore[operator]
    except ValueError as error:
        text, hint = what_and_how(error)
        raise Refusal(f"`{statement.name} ... {option} {word.text}`: {text}", word, hint) from None
    return value


def _integer(statement: Statement, option: str, word: Word, least: int, most: int) -> int:
    if not word.text.isdecimal() or not least <= int(word.text) <= most:
        limits = f"from {least} to {most}" if most else f"of at least {least}"
        raise Refusal(f"`{statement.name} ... {option}` expects a number {limits}, not '{word.text}'", word)
    return int(word.text)


def _read_type(statement: Statement, draft: _Draft, words: Sequence[Word], index: int) -> int:
    word = words[index]
    if word.text not in WIDTHS:
        hint = nearest(word.text, WIDTHS) or f"types are {', '.join(WIDTHS)}"
        raise Refusal(f"`{statement.name}`: '{word.text}' is no type of keys", word, hint)
    draft.key = "ip" if word.text == "ipv4" else word.text
    draft.width = WIDTHS[word.text]
    if index + 1 < len(words) and words[index + 1].text == "len" and word.text in _SIZED:
        if index + 2 >= len(words):
            raise Refusal(f"`{statement.name} ... len` expects a number of bytes", words[index + 1])
        draft.width = _integer(statement, "len", words[index + 2], 1, 0xFFFF)
        return index + 2
    return index


def _read_store(statement: Statement, draft: _Draft, word: Word) -> None:
    column = 0
    for text in _items(word.text):
        place = replace(word, text=text, column=word.start + column, first=0)
        column += len(text) + 1
        one = _read_stored(statement, text, place)
        if one.name in draft.stored:
            statement.warn(f"'{one.name}' is stored already: the second one is ignored", place)
            continue
        draft.stored[one.name] = one
        draft.words[one.name] = place


def _items(text: str) -> list[str]:
    """The data types between commas that are in no parentheses."""
    items, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            items.append(text[start:index])
            start = index + 1
    return [*items, text[start:]]


def _read_stored(statement: Statement, text: str, word: Word) -> Stored:
    match = _ITEM.fullmatch(text)
    name = match[1] if match else text.partition("(")[0]
    name = _SYNONYMS.get(name, name)
    if name not in KINDS:
        hint = nearest(name, KINDS) or f"data types are {', '.join(KINDS)}"
        raise Refusal(f"`{statement.name}`: there is no data type '{name}'", word, hint)
    usage = _usage(name)
    if match is None:
        raise Refusal(f"`{statement.name} ... store {text}`: ')' is missing", word, usage)
    arguments = match[2].split(",") if match[2] else []
    wanted = (name in ARRAYS) + (KINDS[name] is Kind.RATE)
    if len(arguments) != wanted:
        what = "an argument is missing" if len(arguments) < wanted else f"'{name}' takes no further argument"
        raise Refusal(f"`{statement.name} ... store {text}`: {what}", word, usage)
    elements, period = 1, 0
    if name in ARRAYS:
        if not arguments[0].isdecimal() or not 1 <= int(arguments[0]) <= MOST_ELEMENTS:
            raise Refusal(f"`{statement.name} ... store {text}`: an array has 1 to {MOST_ELEMENTS} elements", word)
        elements = int(arguments[0])
    if KINDS[name] is Kind.RATE:
        period = _number(statement, f"store {name}", replace(word, text=arguments[-1]), parse_time)
        if not period:
            raise Refusal(f"`{statement.name} ... store {text}`: a rate has a period of at least 1ms", word)
    return Stored(name, elements, period)


def _usage(name: str) -> str:
    parts = ["<elements>"] * (name in ARRAYS) + ["<period>"] * (KINDS[name] is Kind.RATE)
    return f"it is written {name}({','.join(parts)})" if parts else f"it is written {name}"


def _exclude(statement: Statement, draft: _Draft) -> None:
    for array, singles in _EXCLUDED.items():
        for single in singles:
            if array in draft.stored and single in draft.stored:
                raise Refusal(
                    f"`{statement.name}`: '{array}' and '{single}' cannot be stored together",
                    draft.words[single],
                    f"'{single}' is an element of '{array}'",
                )


def _read_line(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("table", parse_table(statement, draft.spec.name, statement.arguments))


PROXY_KEYWORDS.add(
    Keyword(
        "stick-table",
        _OWN,
        "type <type> size <size> [<option>...]",
        "The proxy's table, which all rules can name.",
        "rules",
        _read_line,
        1,
        -1,
        strict=True,
    )
)


def _read_file(statement: Statement, draft: ProxyDraft | GlobalDraft) -> None:
    interval = FILE_INTERVAL
    if len(statement) > 1:
        if statement.text(1) != "interval":
            hint = "usage: table-file <path> [interval <time>]"
            raise Refusal(f"`table-file` cannot take '{statement.text(1)}'", statement.arguments[1], hint)
        statement.expect(3, 3, "<path> interval <time>")
        interval = statement.part("table-file interval", 1, 1).value(0, Duration(low=1000))
    draft.set("table_file", statement.value(0, Text("path")))
    draft.set("table_file_interval", interval)


_FILE = "Ours: file in which entries of stick tables are kept over restarts, written every minute and at the end."
_FILE_SHAPE = "<path> [interval <time>]"
GLOBAL_KEYWORDS.add(Keyword("table-file", GLOBAL, _FILE_SHAPE, _FILE, "supervisor", _read_file, 1, 3))
PROXY_KEYWORDS.add(Keyword("table-file", _OWN, _FILE_SHAPE, _FILE, "supervisor", _read_file, 1, 3, strict=True))


def tables_of(
    proxies: Iterable[ProxySpec], others: Iterable[TableSpec], file: str, interval: int
) -> Mapping[str, TableSpec]:
    """All tables by name: the proxies', with the file that they are kept in (its whole path, so that two spellings of
    one are one) and how often it is written, and those of peers sections."""
    found: dict[str, TableSpec] = {}
    for proxy in proxies:
        if proxy.table is not None:
            own = (proxy.table_file, proxy.table_file_interval) if proxy.table_file else (file, interval)
            found[proxy.name] = replace(proxy.table, file=own[0], file_interval=own[1])
    for spec in others:
        found[spec.name] = spec if spec.file else replace(spec, file=file, file_interval=interval)
    return {name: replace(spec, file=os.path.abspath(spec.file)) if spec.file else spec for name, spec in found.items()}


def check_tables(configuration: Configuration, diagnostics: Diagnostics) -> None:
    """What tables refer to is there; a frontend and a backend of one name have one table between them."""
    owners: dict[str, ProxySpec] = {}
    for proxy in configuration.proxies:
        table = proxy.table
        if table is None:
            if proxy.table_file:
                diagnostics.warning(proxy.place, f"{proxy.kind} '{proxy.name}' has a `table-file` and no `stick-table`")
            continue
        other = owners.setdefault(proxy.name, proxy)
        if other is not proxy:
            line = other.table.place.line if other.table is not None else 0
            message = f"{other.kind} '{proxy.name}' has a table of the same name (line {line})"
            diagnostics.error(table.place, message, hint="a table is known by its proxy's name")
    for spec in configuration.tables.values():
        if spec.write_to and spec.write_to not in configuration.tables:
            message = f"`write-to`: there is no table '{spec.write_to}'"
            diagnostics.error(spec.place, message, spec.write_to, offer(spec.write_to, configuration.tables, "tables"))
