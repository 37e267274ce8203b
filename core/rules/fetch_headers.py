"""Fetches of headers, of requests and of responses: hdr and fhdr with their kin (manual 7.3.6).

Owns: which occurrence is meant, and how a header's value is parted at commas. Must not know: cookies. Requests and
responses share all of it; a family is registered twice, with the attribute of the scope that holds the message.

`hdr` sees the values of a list one by one, parted at commas outside of double quotes, `fhdr` whole lines. Occurrences
count from 1, from the end from -1; the last one is meant where none is given, and conditions look at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from .catalogue import BOTH, REQUEST, REQUEST_STAGES, RESPONSE, Call, Fetch, HeaderOf, Needs, Stage, fetch
from .samples import BIN, INT, IP, STR, pack_ip, str_to_int

MAX_BACKWARDS = 10
"""Occurrences that can be counted from the end (HAProxy's MAX_HDR_HISTORY)."""

_ITEM = re.compile(rb'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))*', re.DOTALL)

COMMA = ord(",")
QUOTE = ord('"')
# Numbers, since `b"," in value` tries to read the text as a number first, and fails: 0.25 us instead of 0.03.

Message = Callable[[Any], Any]
"""scope -> the message's head, or None."""

REQUEST_HEAD: Message = attrgetter("head")
RESPONSE_HEAD: Message = attrgetter("answer")


def split_list(value: bytes) -> list[bytes]:
    """The values of a list, without the blanks around them. Commas in double quotes do not part them."""
    if COMMA not in value:
        return [value]
    if QUOTE not in value:
        return [part.strip(b" \t") for part in value.split(b",")]
    parts = []
    start = 0
    while True:
        found = _ITEM.match(value, start)
        assert found is not None
        parts.append(found[0].strip(b" \t"))
        start = found.end() + 1
        if start > len(value):
            return parts


def values_of(head: Any, name: bytes | None, full: bool) -> Sequence[bytes]:
    """All values of a header (lower-case name), of all headers where it is None."""
    block = head.block
    if name is None:
        lines = [value for _, value in block.seen()]
    else:
        index = block.index or block.make_index()
        last = index.get(name)
        if last is None:
            return ()
        if not block.repeats:
            return (last,) if full or COMMA not in last else split_list(last)
        lines = block.values(name)
    return lines if full else [item for line in lines for item in split_list(line)]


def _chosen(values: Sequence[bytes], occurrence: int) -> bytes | None:
    """The wanted occurrence; None where there is none."""
    if occurrence > 0:
        return values[occurrence - 1] if occurrence <= len(values) else None
    return values[occurrence] if -occurrence <= len(values) else None


def _name_and_occurrence(call: Call) -> tuple[bytes | None, int]:
    name, occurrence = (*call.values, None)[:2]
    if occurrence is not None and occurrence < -MAX_BACKWARDS:
        raise call.error(f"occurrences can be counted up to {MAX_BACKWARDS} from the end", 1)
    if occurrence and not name:
        raise call.error("an occurrence needs the name of a header", 1)
    return (name.lower() if name else None), occurrence or -1


def read_value(message: Message, name: bytes | None, occurrence: int, full: bool) -> Fetch:
    """scope -> one value of a header."""
    if message is REQUEST_HEAD and name is not None and occurrence == -1 and not full:
        # What most rules ask for: 0.1 us less.
        def run_last(x: Any) -> bytes | None:
            head = x.head
            if head is None:
                return None
            block = head.block
            value: bytes | None = (block.index or block.make_index()).get(name)
            return value if value is None or COMMA not in value else split_list(value)[-1]

        return run_last

    if name is None:
        # Conditions look at all values of all headers; one of them is none.
        return lambda x: None

    def run(x: Any) -> bytes | None:
        head = message(x)
        return None if head is None else _chosen(values_of(head, name, full), occurrence)

    return run


def read_values(message: Message, name: bytes | None, occurrence: int, full: bool) -> Fetch:
    """scope -> all values of a header, for conditions; the one where an occurrence is given."""
    if occurrence != -1:
        one = read_value(message, name, occurrence, full)

        def each_one(x: Any) -> Sequence[bytes]:
            value = one(x)
            return () if value is None else (value,)

        return each_one

    def each(x: Any) -> Sequence[bytes]:
        head = message(x)
        return () if head is None else values_of(head, name, full)

    return each


def header_of(message: Message, name: bytes | None, occurrence: int, full: bool) -> HeaderOf | None:
    """What `read_values` looks at; None where one occurrence or all headers are meant."""
    if name is None or occurrence != -1:
        return None
    return HeaderOf("head" if message is REQUEST_HEAD else "answer", name, full)


_IPV4_AND_PORT = re.compile(rb"([0-9.]+):([0-9]{1,5})\Z")


def address_in(value: bytes) -> bytes | None:
    """The address in a value as X-Forwarded-For has it: IPv4, maybe with a port, or IPv6, maybe in brackets."""
    if value[:1] == b"[" and value[-1:] == b"]":
        packed = pack_ip(value[1:-1])
        return packed if packed is not None and len(packed) == 16 else None
    packed = pack_ip(value)
    if packed is not None:
        return packed
    found = _IPV4_AND_PORT.match(value)
    return pack_ip(found[1]) if found is not None and int(found[2]) < 65536 else None


def number_in(value: bytes) -> int:
    return str_to_int(value) or 0


def direction_of(call: Call) -> Message:
    """Where a fetch of either direction stands."""
    return REQUEST_HEAD if call.stage & REQUEST_STAGES else RESPONSE_HEAD


def _register_family(prefix: str, alias: str, message: Message | None, stages: Stage, full: bool) -> None:
    """`hdr` or `fhdr` of one direction. `alias`: further names, a name that starts with `prefix` replaced."""
    what = "line" if full else "value"
    needs = Needs.HEAD if message is REQUEST_HEAD else Needs.RESPONSE

    def names(suffix: str) -> str:
        return " ".join([f"{prefix}{suffix}", *[f"{name}{suffix}" for name in alias.split()]])

    @fetch(
        names(""),
        STR,
        stages,
        f"A {what} of a header",
        arguments="name:string? occurrence:integer?",
        needs=needs,
        each=lambda call: read_values(message or direction_of(call), *_name_and_occurrence(call), full),
        header_of=lambda call: header_of(message or direction_of(call), *_name_and_occurrence(call), full),
    )
    def value(call: Call) -> Fetch:
        return read_value(message or direction_of(call), *_name_and_occurrence(call), full)

    if message is None:
        return
    head_of = message

    @fetch(names("_cnt"), INT, stages, f"The number of {what}s of a header", arguments="name:string?", needs=needs)
    def count(call: Call) -> Fetch:
        name = call.values[0].lower() if call.values[0] else None

        def run(x: Any) -> int | None:
            head = head_of(x)
            return None if head is None else len(values_of(head, name, full))

        return run

    if full:
        return
    _register_parsed(names("_ip"), IP, "An address in a header", head_of, stages, needs, address_in)
    _register_parsed(names("_val"), INT, "A number in a header", head_of, stages, needs, number_in)


def _register_parsed(
    names: str, kind: Any, summary: str, message: Message, stages: Stage, needs: Needs, parse: Callable[[bytes], Any]
) -> None:
    def make_each(call: Call) -> Fetch:
        each = read_values(message, *_name_and_occurrence(call), False)

        def parsed(x: Any) -> list[Any]:
            return [item for value in each(x) if (item := parse(value)) is not None]

        return parsed

    @fetch(names, kind, stages, summary, arguments="name:string? occurrence:integer?", needs=needs, each=make_each)
    def make(call: Call) -> Fetch:
        read = read_value(message, *_name_and_occurrence(call), False)

        def run(x: Any) -> Any:
            value = read(x)
            return None if value is None else parse(value)

        return run


_register_family("req.hdr", "", REQUEST_HEAD, REQUEST, False)
_register_family("req.fhdr", "", REQUEST_HEAD, REQUEST, True)
_register_family("res.hdr", "shdr", RESPONSE_HEAD, RESPONSE, False)
_register_family("res.fhdr", "", RESPONSE_HEAD, RESPONSE, True)
_register_family("hdr", "", None, BOTH, False)
for _suffix, _kind, _summary, _parse in (
    ("_ip", IP, "An address in a header of the request", address_in),
    ("_val", INT, "A number in a header of the request", number_in),
):
    _register_parsed(f"hdr{_suffix}", _kind, _summary, REQUEST_HEAD, REQUEST, Needs.HEAD, _parse)


@fetch("hdr_cnt", INT, REQUEST, "The number of values of a header of the request", arguments="name:string?")
def _hdr_cnt(call: Call) -> Fetch:
    name = call.values[0].lower() if call.values[0] else None

    def run(x: Any) -> int | None:
        head = x.head
        return None if head is None else len(values_of(head, name, False))

    return run


def spoe_number(number: int) -> bytes:
    """A length as SPOE writes it (SPOE.txt 3.1)."""
    if number < 240:
        return bytes((number,))
    written = [number | 0xF0 & 0xFF]
    written[0] = (number & 0xFF) | 0xF0
    number = (number - 240) >> 4
    while number >= 128:
        written.append((number & 0xFF) | 0x80)
        number = (number - 128) >> 7
    written.append(number)
    return bytes(written)


def _register_whole(prefix: str, message: Message, stages: Stage, needs: Needs) -> None:
    @fetch(f"{prefix}.hdr_names", STR, stages, "The names of all headers", arguments="delimiter:string?", needs=needs)
    def names(call: Call) -> Fetch:
        delimiter = (call.values[0] or b",")[:1]

        def run(x: Any) -> bytes | None:
            head = message(x)
            return None if head is None else delimiter.join([name for name, _ in head.block.seen()])

        return run

    @fetch(f"{prefix}.hdrs", BIN, stages, "All headers, with the empty line", needs=needs)
    def lines(call: Call) -> Fetch:
        def run(x: Any) -> bytes | None:
            head = message(x)
            if head is None:
                return None
            return b"".join([b"%b: %b\r\n" % pair for pair in head.block.seen()]) + b"\r\n"

        return run

    @fetch(f"{prefix}.hdrs_bin", BIN, stages, "All headers, each text after its length, as SPOE has them", needs=needs)
    def packed(call: Call) -> Fetch:
        def run(x: Any) -> bytes | None:
            head = message(x)
            if head is None:
                return None
            texts = [text for pair in head.block.seen() for text in pair]
            return b"".join([spoe_number(len(text)) + text for text in texts]) + b"\0\0"

        return run


_register_whole("req", REQUEST_HEAD, REQUEST, Needs.HEAD)
_register_whole("res", RESPONSE_HEAD, RESPONSE, Needs.RESPONSE)
