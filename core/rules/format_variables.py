"""The variables of log formats: for each name, which Python expression of an exchange shows it.

Owns: the table of the manual's chapter 8.2.6. The expressions are put together by format_source into one function; they
read the locals that STEPS defines, so that several variables share one look-up or one subtraction. They stand inside an
f-string in double quotes, so they have single quotes only. Must not know: the syntax of formats, senders.

Timers (chapter 8.4) are differences of whole milliseconds, each moment rounded down by itself, so that the sums of the
manual hold to the millisecond (Ta = TR + Tw + Tc + Tr + Td); -1 stands for a phase that was not reached.

Locals of the generated function: `x` the exchange, `s` its session; the moments a accept (or the end of the previous
exchange), i the end of the handshakes, f first byte, h head, q left the queues, k connected, r response head, e end.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """How one variable is shown: `expression` for the proxy's mode http, `tcp` (if set) for the other.

    `kind` says what the expression is and which flags it obeys:
    number   an integer, mostly small; no flags
    amount   an integer that grows large; no flags
    plus     an integer that grows large and that logasap marks with `+`
    total    a time that logasap marks with `+`
    retries  an integer with `+` before it after a redispatch
    counter  an integer; X: at least four hexadecimal digits
    millis   0..999 in three digits; X: two hexadecimal ones
    port     an integer or None; X as counter, Q where it is missing
    date     the inside of an f-string; no flags
    state    letters as bytes; no flags
    name     our own text, never empty; Q, E
    address  an address, may be empty; X, Q, E
    text     some other text, may be empty; Q, E
    line     a client's bytes, may be empty; Q, E
    raw      bytes that were made safe before, may be empty; Q, E
    bare     the same, but shown as nothing where it is empty
    braces   captures between braces, absent where there are none; Q, E
    fields   captures as fields of their own; Q, E each

    What is empty or None shows as `-`, or `""` when quoted."""

    kind: str
    expression: str
    tcp: str = ""


def _timer(later: str, earlier: str) -> str:
    return f"({later} - {earlier} if {later} >= 0 else -1)"


_ACCEPT = "int(x.idle_since if x.request_number else s.accept_at)"
# The accept date of a later request is the end of the one before (8.2.2).
_ACCEPT_DATE = (
    "int((s.accept_date + (x.idle_since - s.accept_at) / 1000 if x.request_number else s.accept_date) * 1000)"
)

VARIABLES: dict[str, Entry] = {
    # Who and where.
    "ci": Entry("address", "s.client_host"),
    "cp": Entry("port", "s.client_port"),
    "fi": Entry("address", "s.frontend_host"),
    "fp": Entry("port", "s.frontend_port"),
    "bi": Entry("address", "(x.source_host if k >= 0 else '')"),
    "bp": Entry("port", "(x.source_port if k >= 0 and x.source_host else None)"),
    "si": Entry("address", "(x.server_host if q >= 0 else '')"),
    "sp": Entry("port", "(x.server_port if q >= 0 and x.server_host else None)"),
    "f": Entry("name", "s.frontend_name"),
    "ft": Entry("name", "(s.frontend_name + '~' if s.tls else s.frontend_name)"),
    "b": Entry("name", "x.backend_name"),
    "s": Entry("name", "x.server_name"),
    "H": Entry("name", "hostname"),
    "pid": Entry("counter", "pid"),
    "ID": Entry("raw", "unique_id(x)"),
    "OG": Entry("name", "origin"),
    # There are no TLS sessions yet: the fields are empty, as HAProxy's are without them.
    "sslc": Entry("text", "''"),
    "sslv": Entry("text", "''"),
    # Counts.
    "B": Entry("plus", "x.bytes_to_client"),
    "U": Entry("amount", "x.bytes_from_client"),
    "ST": Entry("number", "x.status"),
    "ac": Entry("number", "x.process_connections"),
    "fc": Entry("number", "x.frontend_connections"),
    "bc": Entry("number", "x.backend_connections"),
    "sc": Entry("number", "x.server_connections"),
    "rc": Entry("retries", "x.retries"),
    "sq": Entry("number", "x.server_queue"),
    "bq": Entry("number", "x.backend_queue"),
    "lc": Entry("counter", "next(lines)"),
    "rt": Entry("counter", "x.number"),
    # Timers.
    "Th": Entry("number", "(i - a)"),
    "Ti": Entry("number", _timer("f", "i"), tcp="-1"),
    "TR": Entry("number", _timer("h", "f")),
    "Tq": Entry("number", _timer("h", "a")),
    "Tw": Entry("number", _timer("q", "h"), tcp=_timer("q", "i")),
    "Tc": Entry("number", _timer("k", "q")),
    "Tr": Entry("number", _timer("r", "k")),
    "Td": Entry("number", _timer("e", "r").replace("if e", "if r"), tcp=_timer("e", "k").replace("if e", "if k")),
    "Ta": Entry("total", f"(e - f if f >= 0 else e - {_ACCEPT})", tcp="(e - a)"),
    "Tt": Entry("total", "(e - a)"),
    "Tu": Entry("total", "(e - a - (f - i if f >= 0 else 0))", tcp="(e - a)"),
    # Dates: the accept date (of a later request: the end of the one before), and that of the first byte.
    "t": Entry("date", "{LOCAL[da // 1000]}.{MS[da % 1000]}"),
    "T": Entry("date", "{GMT[da // 1000]}"),
    "Tl": Entry("date", "{ZONE[da // 1000]}"),
    "Ts": Entry("counter", "(da // 1000)"),
    "ms": Entry("millis", "(da % 1000)"),
    "tr": Entry("date", "{LOCAL[df // 1000]}.{MS[df % 1000]}"),
    "trg": Entry("date", "{GMT[df // 1000]}"),
    "trl": Entry("date", "{ZONE[df // 1000]}"),
    # The request and how it ended.
    "r": Entry("line", "line"),
    "HM": Entry("line", "words[0]"),
    "HU": Entry("line", "target"),
    "HP": Entry("line", "target.partition(b'?')[0]"),
    "HPO": Entry("bare", "path_only(target)"),
    "HQ": Entry("bare", "query(target)"),
    "HV": Entry("line", "words[-1]"),
    "CC": Entry("text", "x.request_cookie"),
    "CS": Entry("text", "x.response_cookie"),
    "ts": Entry("state", "x.termination"),
    "tsc": Entry("state", "x.termination x.cookie_state"),
    "hr": Entry("braces", "x.request_captures"),
    "hs": Entry("braces", "x.response_captures"),
    "hrl": Entry("fields", "x.request_captures"),
    "hsl": Entry("fields", "x.response_captures"),
}
"""By name, without the percent sign."""

STEPS: dict[str, str] = {
    "s": "x.session",
    "i": "int(x.idle_since)",
    "a": _ACCEPT,
    "f": "int(x.first_byte_at)",
    "h": "int(x.head_at)",
    "q": "int(x.slot_at)",
    "k": "int(x.connect_at)",
    "r": "int(x.response_at)",
    "e": "int(x.end_at)",
    "da": _ACCEPT_DATE,
    "df": f"int(x.first_byte_date * 1000) if f >= 0 else {_ACCEPT_DATE}",
    "line": "x.request_line or b'<BADREQ>'",
    "words": "line.split(b' ', 2)",
    "target": "words[1] if len(words) > 1 else line",
}
"""The locals of a generated function in the order of their dependencies: each may use those above it."""


def path_only(target: bytes) -> bytes:
    """`%HPO`: the path of a target without scheme, authority and query."""
    path = target.partition(b"?")[0]
    if path == b"*":
        return b""
    if not path.startswith(b"/"):
        scheme, separator, rest = path.partition(b"://")
        if separator and b"/" not in scheme:
            slash = rest.find(b"/")
            return rest[slash:] if slash >= 0 else b""
    return path


def query(target: bytes) -> bytes:
    """`%HQ`: the query with its question mark, b"" where there is none."""
    if target == b"<BADREQ>":
        return target
    mark = target.find(b"?")
    return target[mark:] if mark >= 0 else b""
