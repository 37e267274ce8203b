"""What is captured of every message: headers and a cookie (manual 8.7, 8.8).

Owns: reading the lines `capture request header`, `capture response header`, `capture cookie` and `declare capture`, and
the functions that fill the slots. Must not know: actions that capture (they fill the other slots), log formats.

Facts as HAProxy has them: the last line of a header counts, whole; the first cookie whose name starts as the line says
is kept with its name; each is cut to its length; headers that are not there leave their slot empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..config.examples import such_as
from ..config.keywords import PROXY_KEYWORDS
from ..config.model import ProxySpec, RuleSpec
from ..errors import ConfigError
from .capture_slots import Slot, slots_of

Capture = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class CookieCapture:
    """`capture cookie`: the beginning of its name, and how much of name and value is kept."""

    start: bytes
    length: int


def cookie_of(spec: ProxySpec, longest: int) -> CookieCapture | None:
    """The cookie that a frontend captures; of several lines the last one."""
    found = None
    for line in spec.rules if spec.has_frontend else ():
        if line.kind == "capture cookie" and not mistakes(line):
            found = CookieCapture(
                line.words[0].text.encode("utf-8", "surrogateescape"), min(int(line.words[2].text), longest)
            )
    return found


_KINDS = ("capture request header", "capture response header", "capture cookie", "declare capture")


def mistakes(line: RuleSpec) -> list[ConfigError]:
    """What is wrong with a line of these kinds; nothing is with lines of others."""
    if line.kind not in _KINDS:
        return []
    words = line.words
    if line.kind == "declare capture" and words[0].text not in ("request", "response"):
        return [_error(line, 0, f"`declare capture`: '{words[0].text}' is neither request nor response")]
    if words[1].text != "len":
        return [_error(line, 1, f"`{line.kind}` expects len, not '{words[1].text}'")]
    length = words[2].text
    if not (length.isascii() and length.isdigit()) or not int(length):
        return [_error(line, 2, f"`{line.kind}`: '{length}' is not a length of 1 or more")]
    if len(words) > 3:
        return [_error(line, 3, f"`{line.kind}` cannot take the extra argument '{words[3].text}'")]
    return []


def _error(line: RuleSpec, index: int, message: str) -> ConfigError:
    word = line.words[index]
    place = line.place
    hint = such_as(PROXY_KEYWORDS, PROXY_KEYWORDS[line.kind])
    return ConfigError(message, file=place.file, line=place.line, column=word.column, word=word.text, hint=hint)


def request_capture(spec: ProxySpec, longest: int) -> Capture | None:
    """The function that begins the captures of an exchange, None for a frontend that captures nothing."""
    slots = slots_of(spec, request=True)
    responses = len(slots_of(spec, request=False))
    cookie = cookie_of(spec, longest)
    if not slots and not responses and cookie is None:
        return None
    headers = _headers(slots)
    empty: list[str | None] = [None] * len(slots)
    none_yet: list[str | None] = [None] * responses

    def capture(x: Any) -> None:
        captures = empty.copy()
        head = x.head
        if head is not None:
            _fill(captures, headers, head.block)
        x.request_captures = captures
        x.response_captures = none_yet.copy()
        if cookie is not None and head is not None:
            x.request_cookie = find_cookie(head.block, cookie)

    return capture


def response_capture(spec: ProxySpec, longest: int) -> Capture | None:
    """The function that looks at a response, None for a frontend that captures nothing of it."""
    headers = _headers(slots_of(spec, request=False))
    cookie = cookie_of(spec, longest)
    if not headers and cookie is None:
        return None

    def capture(x: Any) -> None:
        block = x.answer.block
        _fill(x.response_captures, headers, block)
        if cookie is not None:
            x.response_cookie = find_set_cookie(block, cookie)

    return capture


def _headers(slots: Sequence[Slot]) -> tuple[tuple[int, bytes, int], ...]:
    """(number of the slot, name, length) of those that a header fills."""
    return tuple((number, slot.header, slot.length) for number, slot in enumerate(slots) if slot.header)


def _fill(captures: list[str | None], headers: Sequence[tuple[int, bytes, int]], block: Any) -> None:
    index = block.index or block.make_index()
    for number, name, length in headers:
        value = index.get(name)
        if value is not None:
            captures[number] = value[:length].decode("latin-1")


def _shown(pair: bytes) -> str:
    # Log lines are UTF-8; to allow other bytes in them would cost each line 0.1 us.
    return pair.decode("utf-8", "backslashreplace")


def find_cookie(block: Any, wanted: CookieCapture) -> str:
    """The first cookie of a request whose name starts so, as `name=value`; "" without one."""
    if b"cookie" not in (block.index or block.make_index()):
        return ""
    start = wanted.start
    for name, value in block.seen():
        if name == b"cookie":
            for pair in value.split(b";"):
                pair = pair.strip(b" \t")
                if pair.startswith(start) and b"=" in pair:
                    return _shown(pair[: wanted.length])
    return ""


def find_set_cookie(block: Any, wanted: CookieCapture) -> str:
    """The same of a response's Set-Cookie lines."""
    if b"set-cookie" not in (block.index or block.make_index()):
        return ""
    start = wanted.start
    for name, value in block.seen():
        if name == b"set-cookie":
            pair = value.partition(b";")[0].strip(b" \t")
            if pair.startswith(start) and b"=" in pair:
                return _shown(pair[: wanted.length])
    return ""
