"""Dates as log lines show them.

Owns: the notations of the manual's chapter 8.2.6 and those of syslog headers. Every function takes seconds since the
epoch and knows no clock. Building a date costs some microseconds, so the callers keep the part that changes once a
second; the functions here are for whole seconds, and MILLISECONDS has the rest.
Must not know: exchanges, senders.
"""

from __future__ import annotations

import time

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

MILLISECONDS = tuple(f"{number:03d}" for number in range(1000))


def local_date(second: int) -> str:
    """`06/Feb/2009:12:14:14`, local time: `%t` and `%tr` before their milliseconds."""
    return _clf(time.localtime(second))


def gmt_zone_date(second: int) -> str:
    """`06/Feb/2009:11:14:14 +0000`: `%T` and `%trg`."""
    return _clf(time.gmtime(second)) + " +0000"


def local_zone_date(second: int) -> str:
    """`06/Feb/2009:12:14:14 +0100`: `%Tl` and `%trl`."""
    moment = time.localtime(second)
    return f"{_clf(moment)} {_offset(moment)}"


def syslog_date(second: int) -> str:
    """`Feb  6 12:14:14`, local time (RFC 3164 4.1.2)."""
    moment = time.localtime(second)
    return (
        f"{_MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2d} {moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
    )


def iso_parts(second: int) -> tuple[str, str]:
    """`2009-02-06T12:14:14` and `+01:00`; a fraction of the second goes between (RFC 5424 6.2.3)."""
    moment = time.localtime(second)
    offset = _offset(moment)
    day = f"{moment.tm_year:04d}-{moment.tm_mon:02d}-{moment.tm_mday:02d}"
    return f"{day}T{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}", f"{offset[:3]}:{offset[3:]}"


def _clf(moment: time.struct_time) -> str:
    return (
        f"{moment.tm_mday:02d}/{_MONTHS[moment.tm_mon - 1]}/{moment.tm_year:04d}"
        f":{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
    )


def _offset(moment: time.struct_time) -> str:
    seconds = moment.tm_gmtoff or 0
    sign = "-" if seconds < 0 else "+"
    minutes = abs(seconds) // 60
    return f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
