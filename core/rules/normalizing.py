"""Normal forms of a path with its query (RFC 3986 6.2.2; manual: `http-request normalize-uri`).

Owns: the normalizers, as functions of bytes. Must not know: requests. Each takes the path and query and whether its
strong form (`full`, `strict`) was asked for, and gives the new one, or None if the request is to be refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_PERCENT = re.compile(rb"%(?:([0-9A-Fa-f]{2})|)")
_SLASHES = re.compile(rb"//+")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _path_only(normalize: Callable[[bytes, bool], bytes]) -> Callable[[bytes, bool], bytes]:
    """A normalizer of the path, made one of path and query."""

    def run(pathq: bytes, strong: bool) -> bytes:
        path, mark, query = pathq.partition(b"?")
        return normalize(path, strong) + mark + query

    return run


def merge_slashes(path: bytes, strong: bool = False) -> bytes:
    """`/a//b` is `/a/b`."""
    return _SLASHES.sub(b"/", path)


def strip_dot(path: bytes, strong: bool = False) -> bytes:
    """Without segments `.`."""
    if path[:1] != b"/":
        return path
    segments = path[1:].split(b"/")
    kept = [segment for segment in segments[:-1] if segment != b"."]
    last = segments[-1]
    return b"/" + b"/".join([*kept, b"" if last == b"." else last])


def strip_dotdot(path: bytes, full: bool) -> bytes:
    """Segments `..` take away the one before them. Those at the beginning stay, unless `full`."""
    if path[:1] != b"/":
        return path
    segments = path[1:].split(b"/")
    kept: list[bytes] = []
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment != b"..":
            kept.append(segment)
        elif kept and kept[-1] != b"..":
            kept.pop()
            if last:
                kept.append(b"")
        else:
            if not full:
                kept.append(segment)
            if last:
                kept.append(b"")
    return b"/" + b"/".join(kept)


def decode_unreserved(text: bytes, strict: bool) -> bytes | None:
    """Letters, digits and `-._~` as themselves. `strict`: refuse what is no sequence."""
    pieces: list[bytes] = []
    start = 0
    for found in _PERCENT.finditer(text):
        code = found[1]
        if code is None:
            if strict:
                return None
            continue
        byte = int(code, 16)
        if byte in _UNRESERVED:
            pieces += (text[start : found.start()], bytes((byte,)))
            start = found.end()
    pieces.append(text[start:])
    return b"".join(pieces)


def to_uppercase(text: bytes, strict: bool) -> bytes | None:
    """`%6f` is `%6F`. `strict`: refuse what is no sequence."""
    if strict and any(found[1] is None for found in _PERCENT.finditer(text)):
        return None
    return _PERCENT.sub(lambda found: found[0].upper(), text)


def _parameter_name(item: bytes) -> bytes:
    return item.partition(b"=")[0]


def sort_query(pathq: bytes, strong: bool = False) -> bytes:
    """Parameters by their names; equal names keep their order."""
    path, mark, query = pathq.partition(b"?")
    if not mark:
        return pathq
    parameters: list[bytes] = query.split(b"&")
    parameters.sort(key=_parameter_name)
    return path + mark + b"&".join(parameters)


def strip_fragment(pathq: bytes, strong: bool = False) -> bytes:
    """Without `#` and what follows it."""
    return pathq.partition(b"#")[0]


def encode_fragment(pathq: bytes, strong: bool = False) -> bytes:
    """`#` as `%23`."""
    return pathq.replace(b"#", b"%23")


NORMALIZERS: dict[str, tuple[str, Callable[[bytes, bool], bytes | None]]] = {
    "fragment-encode": ("", encode_fragment),
    "fragment-strip": ("", strip_fragment),
    "path-merge-slashes": ("", _path_only(merge_slashes)),
    "path-strip-dot": ("", _path_only(strip_dot)),
    "path-strip-dotdot": ("full", _path_only(strip_dotdot)),
    "percent-decode-unreserved": ("strict", decode_unreserved),
    "percent-to-uppercase": ("strict", to_uppercase),
    "query-sort-by-name": ("", sort_query),
}
"""Name -> the word for its strong form, and the function."""
