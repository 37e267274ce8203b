"""Redirections (manual 4.2: redirect).

Owns: their words and their bytes. Must not know: how answers are sent. A line `redirect ...` of its own takes its text
as it stands, a rule `http-request redirect ...` as a format.
"""

from __future__ import annotations

from typing import Any

from ..http.reasons import REASONS
from .actions import Act, Text, Use
from .fetch_request import pathq_of
from .formats import Constant, constant_of
from .verdicts import Answer, Verdict

CODES = (301, 302, 303, 307, 308)
_NOT_KEPT = (302, 303, 307)
"""Statuses that no cache shall keep."""


def read_redirect(use: Use, *, formats: bool) -> Act:
    """The words after `redirect`."""
    form = ""
    text: Text | None = None
    code = 302
    cookie = b""
    flags = set()
    while not use.ended():
        word = use.take("a word")
        if word.text in ("location", "prefix", "scheme"):
            if form:
                raise use.error(f"it redirects by {form} already", word)
            form = word.text
            target = use.take(f"a {form}")
            if not target.text:
                raise use.error(f"a {form} is expected", target)
            text = use.format_of(target.text, target.column) if formats else _plain(use, target.text)
        elif word.text == "code":
            wanted = use.take("a code")
            codes = [each for each in CODES if str(each) == wanted.text]
            if not codes:
                message = f"{wanted.text} is no code of a redirection"
                raise use.error(message, wanted, f"codes are {', '.join(map(str, CODES))}")
            code = codes[0]
        elif word.text in ("drop-query", "append-slash", "ignore-empty", "keep-query"):
            flags.add(word.text)
        elif word.text in ("set-cookie", "clear-cookie"):
            name_word, name = use.text("a cookie")
            if not name or any(byte < 0x20 for byte in name):
                raise use.error(f"'{name_word.text}' cannot stand in a header", name_word)
            cookie = b"set-cookie: %b; path=/;%b\r\n" % (name, b" Max-Age=0;" if word.text == "clear-cookie" else b"")
        else:
            raise use.error(f"unknown word '{word.text}'", word, use.usage())
    if text is None:
        raise use.error("it expects location, prefix or scheme", None, use.usage())
    if not use.ground.request and form != "location":
        raise use.error(f"a response cannot be redirected by {form}", None, "only `redirect location` can be used here")
    location = _location(form, text, flags)
    return _act(use, location, code, cookie, "ignore-empty" in flags, constant_of(location) is not None)


def _plain(use: Use, text: str) -> Text:
    value = text.encode("utf-8", "surrogateescape")
    if any(byte < 0x20 for byte in value):
        raise use.error(f"'{text}' cannot stand in a header")
    return Constant(value)


def _location(form: str, text: Text, flags: set[str]) -> Text:
    if form == "location":
        return text
    drop = "drop-query" in flags
    slash = "append-slash" in flags
    if form == "prefix":
        if constant_of(text) == b"/":
            text = Constant(b"")
        return lambda x: text(x) + _path(x, drop, slash)
    return lambda x: b"%b://%b%b" % (text(x), x.head.block.host or b"", _path(x, drop, slash))


def _path(x: Any, drop_query: bool, append_slash: bool) -> bytes:
    pathq: bytes = pathq_of(x.head) or b"/"
    if drop_query:
        pathq = pathq.partition(b"?")[0]
    if append_slash and not pathq.endswith(b"/"):
        # Behind the query, too, where it is not dropped: as HAProxy.
        pathq += b"/"
    return pathq


def _act(use: Use, location: Text, code: int, cookie: bytes, ignore_empty: bool, constant: bool) -> Act:
    start = b"HTTP/1.1 %d %b\r\ncontent-length: 0\r\nlocation: " % (code, REASONS[code])
    end = b"\r\n%b%b\r\n" % (b"cache-control: no-cache\r\n" if code in _NOT_KEPT else b"", cookie)

    def render(x: Any) -> bytes:
        return start + location(x) + end

    answer = Answer(use.place, code, render=render, constant=constant)
    if not ignore_empty:
        return lambda x: answer

    def act(x: Any) -> Verdict | None:
        return answer if location(x) else None

    return act
