"""Fetches of what needs no client and no message: constants, dates, chance, the process, variables (manual 7.3.2).

Owns: these. Must not know: connections, heads.
"""

from __future__ import annotations

import os
import random
from typing import Any

from . import variables
from .catalogue import ANYWHERE, CLIENT, REQUEST_KEPT, RUNNING, Call, Fetch, Needs, Stage, fetch, plain_fetch
from .samples import ANY, BIN, BOOL, CASTS, INT, IP, METH, STR, Type


@plain_fetch("always_true", BOOL, ANYWHERE, "True")
def always_true(x: Any) -> bool:
    return True


@plain_fetch("always_false", BOOL, ANYWHERE, "False")
def always_false(x: Any) -> bool:
    return False


@plain_fetch("quic_enabled", BOOL, ANYWHERE, "Whether QUIC is served: it is not")
def quic_enabled(x: Any) -> bool:
    return False


def constant(value: Any) -> Fetch:
    """The fetch of a value that never changes."""

    def run(x: Any) -> Any:
        return value

    return run


@fetch("bool", BOOL, ANYWHERE, "A boolean: true, false, 1 or 0", arguments="value:string")
def _bool(call: Call) -> Fetch:
    known = {b"true": True, b"1": True, b"false": False, b"0": False}
    value = call.values[0].lower()
    if value not in known:
        raise call.error("a boolean is true, false, 1 or 0", 0)
    return constant(known[value])


@fetch("int", INT, ANYWHERE, "An integer", arguments="value:integer")
def _int(call: Call) -> Fetch:
    return constant(call.values[0])


@fetch("ipv4", IP, ANYWHERE, "An IPv4 address", arguments="address:ipv4")
def _ipv4(call: Call) -> Fetch:
    return constant(call.values[0])


@fetch("ipv6", IP, ANYWHERE, "An IPv6 address", arguments="address:ipv6")
def _ipv6(call: Call) -> Fetch:
    return constant(call.values[0])


@fetch("str", STR, ANYWHERE, "A text", arguments="text:string")
def _str(call: Call) -> Fetch:
    return constant(call.values[0])


@fetch("meth", METH, ANYWHERE, "A method", arguments="method:string")
def _meth(call: Call) -> Fetch:
    return constant(call.values[0])


@fetch("bin", BIN, ANYWHERE, "Bytes, written in hexadecimal digits", arguments="digits:string")
def _bin(call: Call) -> Fetch:
    try:
        return constant(bytes.fromhex(call.values[0].decode("ascii")))
    except ValueError:
        raise call.error("pairs of hexadecimal digits are expected", 0) from None


@fetch("env", STR, ANYWHERE, "An environment variable, as it was when the process started", arguments="name:string")
def _env(call: Call) -> Fetch:
    value = call.site.environment.get(call.values[0].decode("utf-8", "surrogateescape"))
    return constant(None if value is None else value.encode("utf-8", "surrogateescape"))


@fetch("hostname", STR, ANYWHERE, "The name of this machine")
def _hostname(call: Call) -> Fetch:
    return constant(os.uname().nodename.encode())


@fetch("pid", INT, ANYWHERE, "The number of the process: of the group that serves the exchange")
def _pid(call: Call) -> Fetch:
    return lambda x: os.getpid()


@fetch("thread", INT, ANYWHERE, "The thread that serves the exchange, from 0, in the whole")
def _thread(call: Call) -> Fetch:
    return constant(call.site.thread)


@fetch("nbthread", INT, ANYWHERE, "The number of threads, in the whole")
def _nbthread(call: Call) -> Fetch:
    return constant(call.site.threads)


@plain_fetch("proc nbproc", INT, ANYWHERE, "1, as HAProxy says since it has one worker process")
def one(x: Any) -> int:
    return 1


@fetch("stopping", BOOL, RUNNING, "Whether the process is stopping softly")
def _stopping(call: Call) -> Fetch:
    process = call.site.process
    return lambda x: process.draining


@fetch("uptime", INT, ANYWHERE, "Seconds since the process was started: the group that serves the exchange")
def _uptime(call: Call) -> Fetch:
    clock = call.site.process.clock
    # Groups compile their rules when they start.
    start = clock()
    return lambda x: int(clock() - start)


UNITS = {b"s": 1, b"ms": 1000, b"us": 1_000_000}


def unit_of(call: Call, index: int) -> int:
    """How many of the unit that argument `index` names make a second; seconds where it is missing."""
    unit = call.values[index]
    if unit is None:
        return 1
    if unit not in UNITS:
        raise call.error("a unit is s, ms or us", index)
    return UNITS[unit]


@fetch("date", INT, ANYWHERE, "The date, since the epoch, in s, ms or us", arguments="offset:integer? unit:string?")
def _date(call: Call) -> Fetch:
    offset = call.values[0] or 0
    scale = unit_of(call, 1)
    now = call.site.process.date
    return lambda x: int(now() * scale) + offset


@fetch("date_us", INT, ANYWHERE, "The microseconds of the date")
def _date_us(call: Call) -> Fetch:
    now = call.site.process.date
    return lambda x: int(now() * 1_000_000) % 1_000_000


@fetch("accept_date", INT, CLIENT, "When the connection was accepted", arguments="unit:string?", needs=Needs.NOTHING)
def _accept_date(call: Call) -> Fetch:
    scale = unit_of(call, 0)
    return lambda x: int(x.session.accept_date * scale)


@fetch("request_date", INT, REQUEST_KEPT, "When the request's first byte was received", arguments="unit:string?")
def _request_date(call: Call) -> Fetch:
    scale = unit_of(call, 0)
    now = call.site.process.date

    def run(x: Any) -> int:
        # The exchange knows the moment only; its date is filled in when its line is written.
        return int((now() - (x.now() - x.first_byte_at) / 1000.0) * scale)

    return run


@fetch("rand", INT, ANYWHERE, "A number by chance, below the range (2^32)", arguments="range:integer?")
def _rand(call: Call) -> Fetch:
    below = call.values[0]
    if below is None:
        return lambda x: random.getrandbits(32)
    if below <= 0:
        raise call.error("the range is a positive number", 0)
    # As HAProxy: a random 32-bit number scaled down.
    return lambda x: random.getrandbits(32) * below >> 32


@fetch("uuid", STR, ANYWHERE, "A UUID by chance (version 4)", arguments="version:integer?")
def _uuid(call: Call) -> Fetch:
    if call.values[0] not in (None, 4):
        raise call.error("version 4 is the only one", 0)
    return lambda x: make_uuid()


def make_uuid() -> bytes:
    """A random UUID (RFC 9562, version 4)."""
    bits = random.getrandbits(128) & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x4000 << 64 | 0x8000 << 48
    digits = b"%032x" % bits
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@fetch("var", ANY, ANYWHERE, "A variable, or the default as a text", arguments="name:variable default:string?")
def _var(call: Call) -> Fetch:
    name, default = call.values
    read = variables.reader(name, call.site)
    if name.scope == "req" and call.stage & Stage.LOG:
        read = _of_unanswered(read)
    if default is None:
        return read
    otherwise = (STR, default)
    return lambda x: read(x) or otherwise


def _of_unanswered(read: Fetch) -> Fetch:
    """Variables of the scope `req` are gone when the response is there, or an answer of ours; a line shows those of
    requests only that ended before. (Rules over responses forget them; where there are none, nobody does.)"""

    def run(x: Any) -> Any:
        pair = read(x)
        return None if pair is None or x.status >= 0 or x.connect_at >= 0.0 else pair

    return run


def read_text(call: Call, name: variables.Name) -> Fetch:
    """scope -> a variable as a text, None where it is not set; for converters that put variables into texts."""
    read = variables.reader(name, call.site)
    cast = CASTS[Type.ANY, Type.STR]

    def run(x: Any) -> Any:
        pair = read(x)
        return None if pair is None else cast(pair)

    return run


@plain_fetch("prio_class", INT, RUNNING, "The class that set-priority-class gave")
def prio_class(x: Any) -> Any:
    return x.priority_class


@plain_fetch("prio_offset", INT, RUNNING, "The offset that set-priority-offset gave")
def prio_offset(x: Any) -> Any:
    return x.priority_offset


@plain_fetch("last_rule_file", STR, RUNNING, "The file of the last rule that gave a verdict")
def last_rule_file(x: Any) -> bytes | None:
    place = x.last_rule
    return None if place is None else place.file.encode("utf-8", "surrogateescape")


@plain_fetch("last_rule_line", INT, RUNNING, "The line of the last rule that gave a verdict")
def last_rule_line(x: Any) -> int | None:
    place = x.last_rule
    return None if place is None else place.line
