"""Converters of the Forwarded header (manual 7.3.1, rfc7239_*; RFC 7239, 4 to 6).

Owns: the reading of one element (`for=...;by=...;host=...;proto=...`) and of nodes. Must not know: headers. As
HAProxy's: names are in small letters, no blanks, no extensions, one element only.
"""

from __future__ import annotations

import re
from typing import Any

from .catalogue import Call, Convert, converter, plain_converter
from .samples import ANY, BOOL, INT, IP, STR, Type, pack_ip

_NODE = re.compile(rb"([0-9][0-9.]*|\[[0-9A-Fa-f:.]+\]|unknown|_[A-Za-z0-9._-]+)(?:(:)([0-9]+|_[A-Za-z0-9._-]+)?)?")
# A hyphen stands between letters or digits (HAProxy 3.0 refuses them all, as if no host had one).
_HOST = re.compile(rb"(?:(?:[A-Za-z0-9.]|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9]))*|\[([0-9A-Fa-f:.]+)\])(?::([0-9]+))?")
_ITEM = re.compile(rb'(for|by|host|proto)=(?:"([^"]*)"|([^";]*))(;|\Z)')

Node = tuple[tuple[Type, bytes], tuple[Type, Any] | None]


def read_node(value: bytes, whole: bool = False) -> Node | None:
    """A node's name, an address or a text, and its port if it has one, a number or a text; None if it is no node.
    Behind it may be anything, unless it is to be the `whole`."""
    found = _NODE.match(value)
    if found is None or (whole and found.end() != len(value)):
        return None
    text, colon, port = found.groups()
    name: tuple[Type, bytes] = (STR, text)
    if text[:1] not in (b"u", b"_"):
        packed = pack_ip(text.strip(b"[]"))
        if packed is None or (len(packed) == 16) is not (text[:1] == b"["):
            return None
        name = (IP, packed)
    if colon is None:
        return name, None
    if port is None:
        return None
    if port[:1] == b"_":
        return name, (STR, port)
    number = int(port)
    return (name, (INT, number)) if 0 < number < 65536 else None


def _is_host(value: bytes) -> bool:
    found = _HOST.fullmatch(value)
    if found is None:
        return False
    address, port = found.groups()
    if address is not None and len(pack_ip(address) or b"") != 16:
        return False
    return port is None or 0 < int(port) < 65536


def read_element(value: bytes) -> dict[bytes, bytes] | None:
    """The parameters of an element by their names, without quotes; None if it is none."""
    parameters: dict[bytes, bytes] = {}
    index = 0
    while True:
        found = _ITEM.match(value, index)
        if found is None:
            return None
        name, quoted, bare, separator = found.groups()
        text = bare if quoted is None else quoted
        if name in parameters:
            return None
        if name == b"proto":
            right = quoted is None and text in (b"http", b"https")
        elif quoted is None and (b":" in text or b"[" in text or not (text or separator)):
            # These are no characters of a token, and a token is not empty (HAProxy sees that at the end only).
            right = False
        else:
            right = _is_host(text) if name == b"host" else read_node(text, whole=True) is not None
        if not right:
            return None
        parameters[name] = text
        index = found.end()
        if not separator:
            return parameters


@plain_converter("rfc7239_is_valid", STR, BOOL, "Whether it is an element of a Forwarded header")
def is_valid(value: bytes) -> bool:
    return read_element(value) is not None


@converter("rfc7239_field", STR, STR, "A parameter of an element: for, by, host or proto", arguments="name:string")
def _field(call: Call) -> Convert:
    name = call.values[0]
    if name not in (b"for", b"by", b"host", b"proto"):
        raise call.error("a parameter is for, by, host or proto", 0)

    def run(value: bytes) -> bytes | None:
        parameters = read_element(value)
        return None if parameters is None else parameters.get(name)

    return run


@plain_converter("rfc7239_n2nn", STR, ANY, "A node's name: an address, or a text")
def node_name(value: bytes) -> tuple[Type, bytes] | None:
    node = read_node(value)
    return None if node is None else node[0]


@plain_converter("rfc7239_n2np", STR, ANY, "A node's port: a number, or a text")
def node_port(value: bytes) -> tuple[Type, Any] | None:
    node = read_node(value)
    return None if node is None else node[1]
