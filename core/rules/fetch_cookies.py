"""Fetches of cookies, of requests and of responses (manual 7.3.6).

Owns: how cookies stand in Cookie and Set-Cookie. Must not know: other headers.

The last cookie of a name is meant, the first one where no name is given; conditions look at all.
"""

from __future__ import annotations

import re
from typing import Any

from .catalogue import BOTH, REQUEST, RESPONSE, Call, Fetch, Needs, Stage, fetch
from .fetch_headers import REQUEST_HEAD, Message, direction_of, number_in
from .samples import INT, STR

Cookie = tuple[bytes, bytes]

_QUOTE, _BLANK, _TAB = b'" \t'
_PAIR = re.compile(rb'[ \t]*([^=;, \t]*)[ \t]*(?:=[ \t]*((?:[^";,]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))*))?', re.DOTALL)


def cookies_in(value: bytes, one: bool) -> list[Cookie]:
    """(name, value) of each cookie in a header's value; of the first only if `one` (Set-Cookie, whose other pairs are
    attributes). What has no `=` is none."""
    if not one and _QUOTE not in value:
        return _plain_cookies(value)
    found = []
    start = 0
    while start <= len(value):
        match = _PAIR.match(value, start)
        assert match is not None
        if match[2] is not None:
            found.append((match[1], match[2].rstrip(b" \t")))
        if one:
            break
        ends = [end for end in (value.find(b";", match.end()), value.find(b",", match.end())) if end >= 0]
        if not ends:
            break
        start = min(ends) + 1
    return found


def _plain_cookies(value: bytes) -> list[Cookie]:
    """The same where nothing is quoted: a tenth of the time."""
    found = []
    for part in value.replace(b",", b";").split(b";"):
        name, equals, text = part.partition(b"=")
        name = name.strip(b" \t")
        if equals and _BLANK not in name and _TAB not in name:
            found.append((name, text.strip(b" \t")))
    return found


def all_cookies(message: Message, x: Any) -> list[Cookie]:
    head = message(x)
    if head is None:
        return []
    block = head.block
    asked = message is REQUEST_HEAD
    name = b"cookie" if asked else b"set-cookie"
    last = (block.index or block.make_index()).get(name)
    if last is None:
        return []
    if not block.repeats:
        return cookies_in(last, not asked)
    return [cookie for line in block.values(name) for cookie in cookies_in(line, not asked)]


def read_cookie(message: Message, name: bytes | None) -> Fetch:
    """scope -> the value of the last cookie of that name, or of the first one at all."""

    def run(x: Any) -> bytes | None:
        found = all_cookies(message, x)
        if name is None:
            return found[0][1] if found else None
        for other, value in reversed(found):
            if other == name:
                return value
        return None

    return run


def read_cookies(message: Message, name: bytes | None) -> Fetch:
    """scope -> the values of all cookies of that name."""

    def each(x: Any) -> list[bytes]:
        return [value for other, value in all_cookies(message, x) if name is None or other == name]

    return each


def _count_pairs(x: Any) -> int:
    """All cookies of a response as HAProxy counts them: their attributes too."""
    head = x.answer
    return 0 if head is None else sum([len(cookies_in(value, False)) for value in head.block.values(b"set-cookie")])


def _register_family(names: str, message: Message, stages: Stage, needs: Needs) -> None:
    def named(suffix: str) -> str:
        return " ".join([name + suffix for name in names.split()])

    def wanted(call: Call) -> bytes | None:
        return call.values[0] or None

    @fetch(
        named(""),
        STR,
        stages,
        "A cookie",
        arguments="name:string?",
        needs=needs,
        each=lambda call: read_cookies(message, wanted(call)),
    )
    def value(call: Call) -> Fetch:
        return read_cookie(message, wanted(call))

    @fetch(named("_cnt"), INT, stages, "The number of cookies of a name", arguments="name:string?", needs=needs)
    def count(call: Call) -> Fetch:
        name = wanted(call)
        each = read_cookies(message, name)
        if name is None and message is not REQUEST_HEAD:
            return _count_pairs
        return lambda x: len(each(x))

    def numbers(call: Call) -> Fetch:
        each = read_cookies(message, wanted(call))
        return lambda x: [number_in(value) for value in each(x)]

    @fetch(named("_val"), INT, stages, "A cookie, as a number", arguments="name:string?", needs=needs, each=numbers)
    def number(call: Call) -> Fetch:
        read = read_cookie(message, wanted(call))

        def run(x: Any) -> int | None:
            value = read(x)
            return None if value is None else number_in(value)

        return run

    first = names.split()[0]

    @fetch(f"{first}_names", STR, stages, "The names of all cookies", arguments="delimiter:string?", needs=needs)
    def all_names(call: Call) -> Fetch:
        delimiter = (call.values[0] or b",")[:1]
        return lambda x: delimiter.join([name for name, _ in all_cookies(message, x)])


_register_family("req.cook cook", REQUEST_HEAD, REQUEST, Needs.HEAD)


def _answer(x: Any) -> Any:
    return x.answer


_register_family("res.cook scook", _answer, RESPONSE, Needs.RESPONSE)


@fetch("cookie", STR, BOTH, "A cookie of whichever message is under way", arguments="name:string?", needs=Needs.HEAD)
def _cookie(call: Call) -> Fetch:
    return read_cookie(direction_of(call), call.values[0] or None)
