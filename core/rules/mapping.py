"""`map-uri <from> <to>`: the beginning of the path as the server knows it, and back in its response (BK5, CL7, CL9).

Owns: both directions. Must not know: how requests are routed. HAProxy has no such thing: there one writes set-path, and
forgets the Location of one response in three.

Paths are compared by whole segments: `/app` is the beginning of `/app/x`, not of `/apple`. The way back, last
mapping first, changes the path of Location and Content-Location, where it is relative or its authority is the
one that the server was asked for (which becomes the client's again, if rules changed Host); and `Path=` of Set-Cookie.
"""

from __future__ import annotations

import re
from typing import Any

from ..http.edit import edit_response
from ..http.uri import TARGET_BYTES, table_of
from .action_uri import set_pathq
from .actions import REQUEST, Act, Use, action
from .catalogue import Needs
from .failing import failure
from .fetch_request import pathq_of
from .verdicts import Verdict

_TARGETS = table_of(TARGET_BYTES)
_REFERENCES = (b"location", b"content-location")
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*:)?//([^/?#]*)")
_COOKIE_PATH = re.compile(rb"(;[ \t]*path[ \t]*=[ \t]*)([^;]*)", re.IGNORECASE)


class Mapping:
    """One pair of prefixes, without slashes at their ends."""

    __slots__ = ("inner", "outer")

    def __init__(self, outer: bytes, inner: bytes) -> None:
        self.outer = outer.rstrip(b"/")
        """As clients write it."""
        self.inner = inner.rstrip(b"/")
        """As servers know it."""

    def forward(self, pathq: bytes) -> bytes | None:
        """The path for the server; None if the prefix is another one."""
        return _moved(pathq, self.outer, self.inner)

    def back(self, pathq: bytes) -> bytes | None:
        """The path for the client; None if the prefix is another one."""
        return _moved(pathq, self.inner, self.outer)


def _moved(pathq: bytes, old: bytes, new: bytes) -> bytes | None:
    if not pathq.startswith(old):
        return None
    rest = pathq[len(old) :]
    if rest and rest[:1] not in b"/?#":
        return None
    moved = new + rest
    return moved if moved[:1] == b"/" else b"/" + moved


@action("map-uri", REQUEST, "<from> <to>", "Ours: change the beginning of the path, and back in the response")
def _map_uri(use: Use) -> Act:
    prefixes = []
    for what in ("a path", "the path that takes its place"):
        word, text = use.text(what)
        if text[:1] != b"/" or b"?" in text or b"#" in text or text.translate(_TARGETS) != text:
            raise use.error(f"'{word.text}' is no path: it starts with `/` and has no query", word)
        prefixes.append(text)
    mapping = Mapping(*prefixes)
    # The response will be looked at.
    use.needs |= Needs.HEAD | Needs.RESPONSE
    failed = failure(use)

    def act(x: Any) -> Verdict | None:
        old = pathq_of(x.head)
        new = None if old is None else mapping.forward(old)
        if new is None:
            return None
        if not set_pathq(x, new):
            return failed(x)
        mirrors = x.mirrors
        if mirrors is None:
            mirrors = x.mirrors = []
        mirrors.append(mapping)
        return None

    return act


def undo(x: Any) -> None:
    """Let the response show what the client knows."""
    answer: Any = x.answer
    index = answer.block.index or answer.block.make_index()
    names = [name for name in _REFERENCES if name in index]
    cookies = b"set-cookie" in index
    if not names and not cookies:
        return
    answer = x.answer = edit_response(answer)
    block = answer.block
    mirrors = list(reversed(x.mirrors))
    request = x.head.block
    inner = (request.host or b"").lower()
    outer: bytes = request.first_host if request.edited else request.host
    for name in names:
        block.replace_lines(name, lambda value: back_reference(value, mirrors, inner, outer or inner))
    if cookies:
        block.replace_lines(b"set-cookie", lambda value: back_cookie(value, mirrors))


def back_reference(value: bytes, mirrors: list[Mapping], inner: bytes, outer: bytes) -> bytes:
    """A Location or Content-Location for the client."""
    found = _ABSOLUTE.match(value)
    if found is None:
        return _back(value, mirrors) if value[:1] == b"/" else value
    authority = found[2].lower()
    if authority not in (inner, outer.lower()):
        return value
    return b"%b//%b%b" % (found[1] or b"", outer, _back(value[found.end() :] or b"/", mirrors))


def back_cookie(value: bytes, mirrors: list[Mapping]) -> bytes:
    """A Set-Cookie for the client."""
    found = _COOKIE_PATH.search(value)
    if found is None or found[2][:1] != b"/":
        return value
    path = found[2].rstrip(b" \t")
    return value[: found.start()] + found[1] + _back(path, mirrors) + value[found.start() + len(found[1] + path) :]


def _back(pathq: bytes, mirrors: list[Mapping]) -> bytes:
    for mapping in mirrors:
        moved = mapping.back(pathq)
        if moved is None:
            return pathq
        pathq = moved
    return pathq
