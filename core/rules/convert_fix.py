"""Converters that look into a FIX message at the start of a stream (manual 7.3.1; FIX, tag=value encoding).

Owns: both. Must not know: where the bytes come from, what a message means. Invariants: only the first message is looked
at; what may still become one (too short so far) has no value, so that rules wait for more bytes.
"""

from __future__ import annotations

import re

from .catalogue import Call, Convert, converter, plain_converter
from .samples import BIN, BOOL

_END = b"\x01"
TAGS = {
    b"BeginString": b"8",
    b"BodyLength": b"9",
    b"CheckSum": b"10",
    b"MsgType": b"35",
    b"SenderCompID": b"49",
    b"TargetCompID": b"56",
}
"""Names that may be written for numbers."""
VERSIONS = frozenset((b"FIX.4.0", b"FIX.4.1", b"FIX.4.2", b"FIX.4.3", b"FIX.4.4", b"FIXT.1.1"))
LEAST = 26
"""Bytes of the shortest message."""
_NUMBER = re.compile(rb"0*([1-9][0-9]{0,9})")


def _number(text: bytes) -> bytes | None:
    """The number of a tag, without zeros in front; None where it is none."""
    found = _NUMBER.fullmatch(text)
    return None if found is None else found[1]


@plain_converter("fix_is_valid", BIN, BOOL, "Whether it starts with a well-formed FIX message")
def fix_is_valid(value: bytes) -> bool | None:
    if len(value) < LEAST:
        return None
    start = 0
    count = 0
    # Where the body ends, of the length that the second field says.
    end = len(value)
    while True:
        after = value.find(_END, start)
        if after < 0:
            return None
        text, equals, content = value[start:after].partition(b"=")
        number = _number(text)
        if number is None or not equals or not content:
            return False
        count += 1
        if count == 1:
            if number != b"8" or content not in VERSIONS:
                return False
        elif count == 2:
            size = _NUMBER.fullmatch(content)
            if number != b"9" or size is None:
                return False
            end = after + 1 + int(size[1])
        elif count == 3 and number != b"35":
            return False
        elif number == b"10":
            return start == end and content == b"%03d" % (sum(value[:start]) & 255)
        elif after >= end:
            # It goes over the end, or is the last one and no checksum.
            return False
        start = after + 1


def find_tag(message: bytes, number: bytes) -> bytes | None:
    """The content of the first field of that number (without zeros in front); None where it is empty, where there is
    none, or fields are broken before it."""
    start = 0
    while True:
        end = message.find(_END, start)
        if end < 0:
            return None
        text, _, content = message[start:end].partition(b"=")
        found = _number(text)
        if found is None:
            return None
        if found == number:
            return content or None
        start = end + 1


@converter("fix_tag_value", BIN, BIN, "The first value of a tag in a FIX message", arguments="tag:string")
def _fix_tag_value(call: Call) -> Convert:
    text: bytes = call.values[0]
    number = _number(TAGS.get(text, text))
    if number is None:
        raise call.error(f"a tag is a number or one of {' '.join(name.decode() for name in TAGS)}", 0)
    return lambda value: find_tag(value, number)
