"""Converters of dates, which are numbers of seconds, milliseconds or microseconds since the epoch (manual 7.3.1).

Owns: these. Must not know: clocks. Invariants: a date before the epoch is one, where HAProxy takes it for one far away;
what no calendar has gives no sample. `%N` in ms_* and us_* is the fraction of the second in nanoseconds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from .catalogue import Call, Convert, converter
from .fetch_internal import unit_of
from .samples import INT, STR

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Calendar = Callable[[float], time.struct_time]


@converter(
    "http_date",
    INT,
    STR,
    "A date as HTTP's headers have it (RFC 9110, 5.6.7); the unit is s, ms or us, of the offset too",
    arguments="offset:integer? unit:string?",
)
def _http_date(call: Call) -> Convert:
    offset = call.values[0] or 0
    scale = unit_of(call, 1)
    fraction = {1: "", 1000: ".%03d", 1_000_000: ".%06d"}[scale]
    cached: tuple[int, bytes | None] = (
        0,
        b"Thu, 01 Jan 1970 00:00:00" + (fraction % 0 if fraction else "").encode() + b" GMT",
    )

    def run(value: int) -> bytes | None:
        nonlocal cached
        value += offset
        known = cached
        if known[0] == value:
            return known[1]
        seconds, rest = divmod(value, scale)
        try:
            day = time.gmtime(seconds)
        except (OverflowError, ValueError, OSError):
            return None
        text = (
            f"{_DAYS[day.tm_wday]}, {day.tm_mday:02d} {_MONTHS[day.tm_mon - 1]} {day.tm_year:04d}"
            f" {day.tm_hour:02d}:{day.tm_min:02d}:{day.tm_sec:02d}{fraction % rest if fraction else ''} GMT"
        ).encode()
        cached = (value, text)
        return text

    return run


_SPECIAL = re.compile(r"%(.)", re.DOTALL)
_FORMAT = "format:string? offset:integer?"


def _formatted(call: Call, calendar: Calendar, scale: int) -> Convert:
    """A converter by strftime. Dates come again and again within a second, so the last one is kept."""
    text = (call.values[0] or b"").decode("utf-8", "surrogateescape")
    offset = call.values[1] or 0
    width = 9
    # What strftime would take for its own is parted from our %N.
    pieces: list[str] = [""]
    if scale == 1:
        pieces[0] = text
    else:
        index = 0
        for found in _SPECIAL.finditer(text):
            pieces[-1] += text[index : found.start()]
            index = found.end()
            if found[1] == "N":
                pieces.append("")
            else:
                pieces[-1] += found[0]
        pieces[-1] += text[index:]
    digits = {1: 0, 1000: 3, 1_000_000: 6}[scale]
    last: tuple[int, list[str]] | None = None

    def run(value: int) -> bytes | None:
        nonlocal last
        seconds, rest = divmod(value, scale)
        if last is None or last[0] != seconds:
            try:
                day = calendar(seconds + offset)
                last = (seconds, [time.strftime(piece, day) if piece else "" for piece in pieces])
            except (OverflowError, ValueError, OSError):
                return None
        shown = last[1]
        if len(shown) == 1:
            return shown[0].encode("utf-8", "surrogateescape")
        return f"{rest:0{digits}d}".ljust(width, "0").join(shown).encode("utf-8", "surrogateescape")

    return run


@converter("ltime", INT, STR, "A date in local time, by strftime's format; an offset in seconds", arguments=_FORMAT)
def _ltime(call: Call) -> Convert:
    return _formatted(call, time.localtime, 1)


@converter("utime", INT, STR, "A date in UTC, by strftime's format; an offset in seconds", arguments=_FORMAT)
def _utime(call: Call) -> Convert:
    return _formatted(call, time.gmtime, 1)


@converter("ms_ltime", INT, STR, "As ltime, of milliseconds; %N is the fraction", arguments=_FORMAT)
def _ms_ltime(call: Call) -> Convert:
    return _formatted(call, time.localtime, 1000)


@converter("ms_utime", INT, STR, "As utime, of milliseconds; %N is the fraction", arguments=_FORMAT)
def _ms_utime(call: Call) -> Convert:
    return _formatted(call, time.gmtime, 1000)


@converter("us_ltime", INT, STR, "As ltime, of microseconds; %N is the fraction", arguments=_FORMAT)
def _us_ltime(call: Call) -> Convert:
    return _formatted(call, time.localtime, 1_000_000)


@converter("us_utime", INT, STR, "As utime, of microseconds; %N is the fraction", arguments=_FORMAT)
def _us_utime(call: Call) -> Convert:
    return _formatted(call, time.gmtime, 1_000_000)
