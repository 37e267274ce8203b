"""Arguments of fetches, converters and actions: how they are cut out of a word, and what kinds there are.

Owns: quoting inside parentheses, signatures, the reading of each kind. Must not know: what a keyword does with its
arguments. Everything wrong is a ConfigError whose column is a place inside the line.

Inside the parentheses (measured: HAProxy 2.6, 3.0), after the configuration's own quoting is done: commas part the
arguments and the first `)` ends them, except in quotes; '' and "" open and close anywhere and vanish; outside '' a
backslash takes the meaning of a quote, a blank or a backslash, and `\\n \\r \\t` are what they are in C; any other
backslash stands for itself. Blanks are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import suggest
from ..errors import ConfigError, what_and_how
from ..units import parse_size, parse_time
from .samples import INT_MAX, INT_MIN, pack_ip
from .variables import Name, parse_name

if TYPE_CHECKING:
    from .scope import Site

HOW_WRITTEN = "an expression is written as in `src,ipmask(24)`: a fetch, its converters behind commas"
"""The hint for what is no expression."""
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'", " ": " "}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as it is after its quotes are gone, and the column of its first character in the line."""

    text: str
    column: int

    @property
    def raw(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")


def cut_arguments(text: str, start: int, column: int) -> tuple[tuple[Argument, ...], int]:
    """The arguments between the parenthesis that opens at `text[start]` and the one that closes, and the index behind
    that. `column` is the column of `text[0]`. `()` has one, which is empty. Raises ConfigError."""
    found: list[Argument] = []
    index = start + 1
    while True:
        piece: list[str] = []
        begin = index
        quote = ""
        while True:
            character = text[index : index + 1]
            if not character:
                what = f"quote {quote} is not closed" if quote else "')' is missing after the arguments"
                raise ConfigError(what, column=column + start, word=text[start:], hint=HOW_WRITTEN)
            if quote and character == quote:
                quote = ""
            elif not quote and character in "'\"":
                quote = character
            elif character == "\\" and quote != "'" and text[index + 1 : index + 2] in _ESCAPED:
                index += 1
                if index == len(text):
                    continue
                piece.append(_ESCAPED[text[index]])
            elif not quote and character in ",)":
                break
            else:
                piece.append(character)
            index += 1
        found.append(Argument("".join(piece), column + begin))
        index += 1
        if character == ")":
            return tuple(found), index


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument that a keyword takes."""

    name: str
    kind: str
    optional: bool


def parse_signature(text: str) -> tuple[Slot, ...]:
    """`"delimiter:string count:integer?"`: names and kinds (see KINDS), `?` where the argument may be missing."""
    slots = []
    for item in text.split():
        name, _, kind = item.partition(":")
        bare = kind.rstrip("?")
        if bare not in KINDS:
            raise ValueError(f"'{bare}' is no kind of arguments")
        slots.append(Slot(name, bare, bare != kind))
    return tuple(slots)


def show_signature(slots: tuple[Slot, ...]) -> str:
    """`(<delimiter>[,<count>])`, as the manual writes it; "" without arguments."""
    if not slots:
        return ""
    shown = ""
    closing = ""
    for number, slot in enumerate(slots):
        comma = "," if number else ""
        if slot.optional:
            shown += "["
            closing += "]"
        shown += f"{comma}<{slot.name}>"
    return f"({shown}{closing})"


def read_arguments(
    keyword: str, slots: tuple[Slot, ...], arguments: tuple[Argument, ...], column: int, site: Site
) -> tuple[Any, ...]:
    """The values of the arguments, one for each slot, None where an optional one is missing. `column` is where the
    keyword stands. Raises ConfigError."""
    if (
        len(arguments) == 1
        and not arguments[0].text
        and not (slots and slots[0] == Slot(slots[0].name, "string", False))
    ):
        # `name()` is `name`, but where a text is asked for, that is the empty text.
        arguments = ()
    usage = f"usage: {keyword}{show_signature(slots)}"
    if len(arguments) > len(slots):
        extra = arguments[len(slots)]
        most = f"at most {len(slots)}" if slots else "no"
        word = "argument" if len(slots) == 1 else "arguments"
        raise ConfigError(f"'{keyword}' takes {most} {word}", column=extra.column, word=extra.text, hint=usage)
    values: list[Any] = []
    for number, slot in enumerate(slots):
        if number >= len(arguments):
            if not slot.optional:
                raise ConfigError(
                    f"'{keyword}' misses its argument <{slot.name}>", column=column, word=keyword, hint=usage
                )
            values.append(None)
            continue
        argument = arguments[number]
        try:
            values.append(KINDS[slot.kind](argument, site))
        except ValueError as error:
            what, how = what_and_how(error)
            raise ConfigError(
                f"'{keyword}': argument {number + 1}, <{slot.name}>: {what}",
                column=argument.column,
                word=argument.text,
                hint=how or usage,
            ) from None
    return tuple(values)


def _string(argument: Argument, site: Site) -> bytes:
    return argument.raw


def _integer(argument: Argument, site: Site) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", argument.text, re.ASCII):
        raise ValueError("an integer is expected" if argument.text else "it is empty, an integer is expected")
    number = int(argument.text)
    if not INT_MIN <= number <= INT_MAX:
        raise ValueError("an integer of 64 bits is expected")
    return number


def _ipv4(argument: Argument, site: Site) -> bytes:
    packed = pack_ip(argument.raw)
    if packed is None or len(packed) != 4:
        raise ValueError("an IPv4 address is expected")
    return packed


def _ipv6(argument: Argument, site: Site) -> bytes:
    packed = pack_ip(argument.raw)
    if packed is None or len(packed) != 16:
        raise ValueError("an IPv6 address is expected")
    return packed


def _mask(argument: Argument, size: int, read: Callable[[Argument, Site], bytes], site: Site) -> bytes:
    if argument.text.isdigit() and argument.text.isascii():
        bits = int(argument.text)
        if bits > size * 8:
            raise ValueError(f"a mask has at most {size * 8} bits")
        return ((1 << size * 8) - (1 << size * 8 - bits)).to_bytes(size, "big")
    try:
        return read(argument, site)
    except ValueError:
        raise ValueError(f"a mask is expected, as an address or as its length, 0 to {size * 8}") from None


def _mask4(argument: Argument, site: Site) -> bytes:
    return _mask(argument, 4, _ipv4, site)


def _mask6(argument: Argument, site: Site) -> bytes:
    return _mask(argument, 16, _ipv6, site)


def _time(argument: Argument, site: Site) -> int:
    return parse_time(argument.text)


def _size(argument: Argument, site: Site) -> int:
    return parse_size(argument.text)


def _frontend(argument: Argument, site: Site) -> Any:
    return _named("frontend", site.frontends, argument.text)


def _backend(argument: Argument, site: Site) -> Any:
    return _named("backend", site.backends, argument.text)


def _named(kind: str, known: Any, name: str) -> Any:
    try:
        return known[name]
    except KeyError:
        raise ValueError(f"there is no {kind} '{name}': {suggest.section(kind, name, known)}") from None


def _server(argument: Argument, site: Site) -> Any:
    """(backend, server); where no backend is written (None, name): the current one's is meant."""
    backend_name, slash, name = argument.text.rpartition("/")
    if not slash:
        if not any(server.name == name for backend in site.backends.values() for server in backend.servers):
            names = [server.name for backend in site.backends.values() for server in backend.servers]
            raise ValueError(f"no backend has a server '{name}': {suggest.offer(name, names, 'servers')}")
        return None, name
    backend = _named("backend", site.backends, backend_name)
    for server in backend.servers:
        if server.name == name:
            return backend, server
    names = [server.name for server in backend.servers]
    raise ValueError(f"backend '{backend_name}' has no server '{name}': {suggest.offer(name, names, 'servers')}")


def _userlist(argument: Argument, site: Site) -> Any:
    return _named("userlist", site.userlists, argument.text)


def _table(argument: Argument, site: Site) -> str:
    if argument.text not in site.trackers.tables:
        how = suggest.offer(argument.text, site.trackers.tables, "tables") or "a proxy has one by a `stick-table` line"
        raise ValueError(f"there is no stick table '{argument.text}': {how}")
    return argument.text


def _variable(argument: Argument, site: Site) -> Name:
    return parse_name(argument.text)


KINDS: dict[str, Callable[[Argument, Site], Any]] = {
    "string": _string,
    "integer": _integer,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "mask4": _mask4,
    "mask6": _mask6,
    "time": _time,
    "size": _size,
    "frontend": _frontend,
    "backend": _backend,
    "server": _server,
    "variable": _variable,
    "userlist": _userlist,
    "table": _table,
}
"""Kind -> the function that reads it (ValueError). string: bytes; ipv4, ipv6, mask4, mask6: packed; time: milliseconds;
frontend, backend: the facts of that name; server: see _server; variable: variables.Name; userlist:
userlists.Userlist; table: a stick table's name."""
