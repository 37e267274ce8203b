"""Times and sizes as HAProxy writes them (manual 2.5; sizes: `k`, `m`, `g`).

Owns: the suffixes, their range and their wording in errors. Must not know: keywords. Invariants: a time is an integer
of milliseconds up to 2^31-1 (about 24.8 days) and a size an integer of bytes up to 2^32-1, as HAProxy's are; a value
that is not zero never becomes zero; decimals and signs are refused.
"""

from __future__ import annotations

import re

MAX_TIME = 2**31 - 1
"""The longest time, in whatever unit the keyword counts in."""
MAX_SIZE = 2**32 - 1

_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_VALUE = re.compile(r"([0-9]+)([A-Za-z]*)", re.ASCII)
_TIME_HINT = "a time is an integer and a unit out of us, ms, s, m, h, d (default {}), such as 30s"
_SIZE_HINT = "a size is an integer of bytes, or one with the suffix k, m or g, such as 16k"


def parse_time(text: str, default_unit: str = "ms", result_unit: str = "ms") -> int:
    """The time in `result_unit` (milliseconds), rounded up; a number without unit counts in `default_unit`.

    ValueError with a text for people when `text` is no time, or longer than 2^31-1 of `result_unit`."""
    match = _VALUE.fullmatch(text)
    if match is None or (match[2] and match[2] not in _MICROSECONDS):
        raise ValueError(_junk("time", text, tuple(_MICROSECONDS), _TIME_HINT.format(default_unit)))
    amount = int(match[1]) * _MICROSECONDS[match[2] or default_unit]
    unit = _MICROSECONDS[result_unit]
    value = -(-amount // unit)
    if value > MAX_TIME:
        raise ValueError(f"time '{text}' is too long (the longest is {_longest(result_unit)})")
    return value


def parse_size(text: str) -> int:
    """The size in bytes; suffixes k, m and g in either case are powers of 1024.

    ValueError with a text for people when `text` is no size, or more than 2^32-1."""
    match = _VALUE.fullmatch(text)
    if match is None or match[2].lower() not in _SIZES:
        raise ValueError(_junk("size", text, ("k", "m", "g"), _SIZE_HINT))
    value = int(match[1]) * _SIZES[match[2].lower()]
    if value > MAX_SIZE:
        raise ValueError(f"size '{text}' is too large (the largest is {MAX_SIZE} bytes, just under 4g)")
    return value


def format_time(milliseconds: int) -> str:
    """The shortest exact text that `parse_time` reads back to the same number: 90000 -> "90s", 1500 -> "1500ms"."""
    return _format(milliseconds, (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)), "ms")


def format_size(size: int) -> str:
    """The shortest exact text that `parse_size` reads back to the same number: 16384 -> "16k"."""
    return _format(size, (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)), "")


def _format(value: int, units: tuple[tuple[str, int], ...], smallest: str) -> str:
    if value < 0:
        raise ValueError(f"{value} is negative")
    if value:
        for unit, factor in units:
            if value % factor == 0:
                return f"{value // factor}{unit}"
    return f"{value}{smallest if value else ''}"


def _longest(unit: str) -> str:
    return f"{MAX_TIME} {unit}, about 24.8 days" if unit == "ms" else f"{MAX_TIME} {unit}"


def _junk(kind: str, text: str, units: tuple[str, ...], hint: str) -> str:
    """What is wrong with `text`, as exactly as it can be told."""
    if not text:
        return f"{kind} is empty: {hint}"
    if text[0] in "+-" and text[1:2].isdigit():
        wrong = "must not be negative" if text[0] == "-" else "must not have a sign"
    elif re.fullmatch(r"[0-9]+[.,][0-9]*[A-Za-z]*", text):
        wrong = "has a decimal fraction"
    elif match := re.match(r"([0-9]+)([A-Za-z]+)$", text):
        lower = match[2].lower()
        wrong = f"has the unknown unit '{match[2]}'"
        if lower in units:
            wrong += f" (units are lower case: '{match[1]}{lower}')"
    else:
        wrong = "is not a number with a unit"
    return f"{kind} '{text}' {wrong}: {hint}"
