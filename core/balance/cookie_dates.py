"""Dates in persistence cookies: `server|last seen|first seen` (manual 4.2 `cookie ... maxidle`, `maxlife`).

Owns: their form, five characters of base64 that are 30 bits, the time in steps of four seconds. Must not know: limits.
"""

from __future__ import annotations

BAR = b"|"
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS = {byte: number for number, byte in enumerate(ALPHABET)}
LENGTH = 5
NO_DATES = (0, 0)


def write_date(seconds: int) -> bytes:
    """A time, rounded up to the next step."""
    return _write((seconds + 3) >> 2)


def rewrite_date(seconds: int) -> bytes:
    """A time that came out of a cookie."""
    return _write(seconds >> 2)


def _write(steps: int) -> bytes:
    return bytes([ALPHABET[steps >> shift & 63] for shift in (24, 18, 12, 6, 0)])


def read_date(text: bytes) -> int:
    """Seconds since the epoch of the first five characters; 0 if they are no date."""
    steps = 0
    for byte in text[:LENGTH]:
        digit = _DIGITS.get(byte)
        if digit is None:
            return 0
        steps = (steps << 6) + digit
    # As HAProxy, which keeps seconds in 32 bits: the far future is the past.
    return 0 if steps <= 0 else signed(steps << 2)


def signed(number: int) -> int:
    """The 32 bits of a number as one with a sign."""
    return (number + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def split_value(value: bytes, dates: tuple[int, int]) -> tuple[bytes, int, int]:
    """The server's part of a cookie's value, when it was last seen and first seen. `dates`: what is said of those that
    the value does not tell."""
    last, first = dates
    name, bar, rest = value.partition(BAR)
    if bar:
        if len(rest) >= LENGTH:
            last = read_date(rest) or last
        rest = rest.partition(BAR)[2]
        # The second one must be longer than a date by what HAProxy counts: its bar.
        if len(rest) >= LENGTH:
            first = read_date(rest) or first
    return name, last, first
