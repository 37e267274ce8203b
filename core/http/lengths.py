"""How long a body is: the values of Content-Length and Transfer-Encoding.

Owns: the rules S1, S4 and S5 for a single value and for lists. Must not know: whether the message is a request or a
response, and what status a violation has: each reason is told, the caller chooses. Everything that looks ambiguous is
refused: two readings of one length are what request smuggling is made of (RFC 9112 11.2).
"""

from __future__ import annotations

from enum import IntEnum

LENGTH_MAX = 2**63 - 1
"""Largest Content-Length: what HAProxy's signed 64-bit counters hold."""


def read_content_length(value: bytes) -> int:
    """The length that one Content-Length value means, -1 if it is invalid. A comma list of equal numbers is that number
    (RFC 9110 8.6, S1); leading zeros do not count."""
    if value.isdigit():
        return _bounded(value)
    if b"," not in value:
        return -1
    found = -1
    for item in value.split(b","):
        digits = item.strip(b" \t")
        if not digits.isdigit():
            return -1
        number = _bounded(digits)
        if number < 0 or (found >= 0 and found != number):
            return -1
        found = number
    return found


def _bounded(digits: bytes) -> int:
    """int(), but the time does not grow with the square of a hostile client's digits."""
    significant = digits.lstrip(b"0")
    if len(significant) > 19:
        return -1
    number = int(significant or b"0")
    return number if number <= LENGTH_MAX else -1


class Coding(IntEnum):
    """What the transfer codings of a message amount to."""

    CHUNKED = 0
    """`chunked` alone: the only one that we relay."""
    UNKNOWN_CHUNKED = 1
    """Others, and `chunked` last: well framed, but not supported (422 / 502)."""
    NOT_CHUNKED = 2
    """Others only: where the message ends cannot be known."""
    BAD = 3
    """Empty item, `chunked` twice, or a coding after `chunked`."""


def read_transfer_encoding(values: list[bytes]) -> Coding:
    """The verdict on all Transfer-Encoding lines of a message, in their order (S4, S5)."""
    chunked = others = False
    for value in values:
        for item in value.split(b","):
            coding = item.strip(b" \t").lower()
            if not coding or chunked:
                return Coding.BAD
            if coding == b"chunked":
                chunked = True
            else:
                others = True
    if not chunked:
        return Coding.NOT_CHUNKED
    return Coding.UNKNOWN_CHUNKED if others else Coding.CHUNKED
