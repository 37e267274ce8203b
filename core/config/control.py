"""Where the runtime commands are listened for: `stats socket` lines, and the argument of -S (manual 3.1; management 9.3
and 9.4).

Owns: the words behind the address. Must not know: sockets, commands. Invariant: a word of bind lines that means nothing
here is reported, never silently dropped; the level is "operator" where none is written, "admin" for -S, as in HAProxy.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..addresses import parse_address
from .bind import group_number, octal, user_number
from .global_spec import ControlSpec
from .model import Place

LEVELS = ("user", "operator", "admin")
"""From the least to the most that is allowed."""
_WITHOUT_EFFECT = {
    **dict.fromkeys(("accept-proxy", "defer-accept", "tfo", "transparent", "v4v6", "v6only"), 0),
    **dict.fromkeys(("backlog", "id", "interface", "maxconn", "mss", "name", "nice", "process"), 1),
    **dict.fromkeys(("severity-output", "tcp-ut", "thread"), 1),
}
"""Words of bind lines that change nothing here, and how many arguments each has."""


def read_control(words: Sequence[str], place: Place, level: str = "operator") -> tuple[ControlSpec, list[str]]:
    """The words behind `stats socket`, and those among them that have no effect. Raises ValueError with a text for
    people."""
    if not words or not words[0]:
        raise ValueError("an address or path is expected")
    address = parse_address(words[0])
    if address.kind == "name":
        raise ValueError(f"'{words[0]}': a numeric address is expected")
    found: dict[str, int | str | bool] = {"level": level}
    ignored: list[str] = []
    rest = list(words[1:])

    def argument(name: str) -> str:
        if not rest:
            raise ValueError(f"`{name}` expects an argument")
        return rest.pop(0)

    while rest:
        word = rest.pop(0)
        if word == "level":
            found["level"] = argument(word)
            if found["level"] not in LEVELS:
                raise ValueError("`level` expects user, operator or admin")
        elif word == "expose-fd":
            if argument(word) != "listeners":
                raise ValueError("`expose-fd` expects listeners")
            found["expose_listeners"] = True
        elif word in _READERS:
            field, read = _READERS[word]
            text = argument(word)
            try:
                found[field] = read(text)
            except ValueError as error:
                raise ValueError(f"`{word} {text}`: {error}") from None
        elif word in _WITHOUT_EFFECT:
            ignored.append(" ".join((word, *(argument(word) for _ in range(_WITHOUT_EFFECT[word])))))
        else:
            raise ValueError(f"unknown word '{word}'")
    return ControlSpec(place, address, **found), ignored  # type: ignore[arg-type]


def read_master(text: str) -> ControlSpec:
    """The argument of -S: an address and words, separated by commas. Raises ValueError."""
    return read_control(text.split(","), Place("<command line>", 0, 0), "admin")[0]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("a number is expected")
    return int(text)


_READERS = {
    "mode": ("mode", octal),
    "uid": ("uid", _number),
    "gid": ("gid", _number),
    "user": ("uid", user_number),
    "group": ("gid", group_number),
}
