"""The start of a log message, before its text: priority, date, host, tag, process, as the `log` line's format says.

Owns: the formats of the manual's keyword `log` (rfc3164, rfc5424, local, priority, short, timed, iso, raw), the names
of severities and facilities. Must not know: where messages go.

Checked byte for byte against HAProxy: rfc3164 names the host `localhost` where none is to be sent, rfc5424 `-`; local
is rfc3164 without the host; timed and iso have microseconds and the zone's offset, and rfc5424 too.
"""

from __future__ import annotations

from collections.abc import Callable

from ..rules.stamps import iso_parts, syslog_date

EMERG, ALERT, CRIT, ERR, WARNING, NOTICE, INFO, DEBUG = range(8)

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""Names as the `log` line has them, by number (RFC 5424 table 2)."""

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
    *("uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2"),
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
)

FORMATS = ("local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw")

Header = Callable[[int, float], bytes]
"""From severity and date (seconds since the epoch) to the bytes before the text."""


def make_header(form: str, facility: int, tag: str, host: str, pid: int, *, structured: bool = False) -> Header:
    """The header of one format. `host` is "" where none is sent; `structured`: rfc5424 without the `-` that stands for
    no structured data. Raises ValueError for a format that nobody has."""
    if form == "raw":
        return lambda severity, date: b""
    if form == "short":
        levels = [f"<{severity}>".encode() for severity in range(8)]
        return lambda severity, date: levels[severity]
    priorities = [f"<{facility * 8 + severity}>" for severity in range(8)]
    if form == "priority":
        encoded = [priority.encode() for priority in priorities]
        return lambda severity, date: encoded[severity]
    if form in ("rfc3164", "local"):
        process = f"{tag}[{pid}]: "
        tail = process if form == "local" else f"{host or 'localhost'} {process}"
        return _per_second(priorities, tail)
    if form == "rfc5424":
        return _with_fraction(
            [f"{priority}1 " for priority in priorities], f" {host or '-'} {tag} {pid} - {'' if structured else '- '}"
        )
    if form == "timed":
        return _with_fraction([f"<{severity}>" for severity in range(8)], " ")
    if form == "iso":
        return _with_fraction([""] * 8, " ")
    raise ValueError(f"'{form}' is not a log format")


def _per_second(priorities: list[str], tail: str) -> Header:
    """Headers whose date has seconds: made once for each second and severity."""
    known: dict[int, bytes] = {}
    current = -1

    def header(severity: int, date: float) -> bytes:
        nonlocal current
        second = int(date)
        if second != current:
            known.clear()
            current = second
        made = known.get(severity)
        if made is None:
            made = known[severity] = f"{priorities[severity]}{syslog_date(second)} {tail}".encode()
        return made

    return header


def _with_fraction(before: list[str], tail: str) -> Header:
    current = -1
    day = offset = ""

    def header(severity: int, date: float) -> bytes:
        nonlocal current, day, offset
        second = int(date)
        if second != current:
            current = second
            day, offset = iso_parts(second)
        return f"{before[severity]}{day}.{int((date - second) * 1000000):06d}{offset}{tail}".encode()

    return header
