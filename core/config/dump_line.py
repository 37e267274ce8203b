"""Lines that stand in sections of more than one kind, written back.

Owns: their text, and how words become a line. Must not know: where a line stands. Invariant: each reads back as what it
was made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...pools.table_shape import ARRAYS
from ..units import format_time
from .global_spec import GlobalSpec
from .lexer import quote_word
from .logs import FACILITIES, LEVELS, format_sample
from .model import ErrorFileSpec, LogSpec, ProxySpec, RuleSpec
from .table_spec import FILE_INTERVAL, TableSpec


def line_of(*words: object) -> str:
    """Quoted where they need it."""
    return " ".join(quote_word(str(word)) for word in words)


def rule_line(rule: RuleSpec) -> str:
    """Words as they were written, conditions too."""
    return f"{rule.kind} {line_of(*(word.text for word in rule.words))}"


def log_line(spec: LogSpec) -> str:
    """A `log` line; what is as it would be without a word is left out."""
    words: list[object] = [_log_target(spec)]
    if spec.length != 1024:
        words += ["len", spec.length]
    if spec.format:
        words += ["format", spec.format]
    if spec.sample_size:
        words += ["sample", format_sample(spec.sample, spec.sample_size)]
    words.append(FACILITIES[spec.facility])
    if (spec.level, spec.minlevel) != (7, 0):
        words.append(LEVELS[spec.level])
    if spec.minlevel:
        words.append(LEVELS[spec.minlevel])
    return line_of("log", *words)


def _log_target(spec: LogSpec) -> str:
    if spec.target in ("stdout", "stderr"):
        return spec.target
    if spec.target in ("fd", "file"):
        return f"{spec.target}@{spec.address}"
    if spec.address.startswith("\0"):
        return f"abns@{spec.address[1:]}"
    return spec.address if spec.target == "udp" else f"unix@{spec.address}"


def error_lines(replies: Mapping[int, ErrorFileSpec]) -> Iterator[str]:
    """`errorfile` and `errorloc` lines, by status."""
    for status, reply in replies.items():
        yield line_of("errorfile" if reply.kind == "file" else f"errorloc{reply.kind}", status, reply.value)


def table_file_line(spec: GlobalSpec | ProxySpec) -> str:
    """A `table-file` line; there is a file."""
    interval = spec.table_file_interval
    return line_of("table-file", spec.table_file, *(["interval", format_time(interval)] * (interval != FILE_INTERVAL)))


def table_words(spec: TableSpec) -> Iterator[str]:
    """What follows `stick-table`, or the name in `table <name>`."""
    shape = spec.shape
    yield from ("type", shape.key)
    if shape.key in ("string", "binary"):
        yield from ("len", str(shape.width))
    yield from ("size", str(shape.size))
    if shape.expire:
        yield from ("expire", format_time(shape.expire))
    if not shape.purge:
        yield "nopurge"
    for one in shape.stored:
        elements = [str(one.elements)] * (one.name in ARRAYS)
        arguments = ",".join([*elements, *[format_time(one.period)] * bool(one.period)])
        yield from ("store", f"{one.name}({arguments})" if arguments else one.name)
    for name, value, default in (
        ("peers", spec.peers, ""),
        ("srvkey", spec.server_key, "name"),
        ("write-to", spec.write_to, ""),
        ("brates-factor", str(spec.bytes_factor), "1"),
    ):
        if value != default:
            yield from (name, value)
    if spec.receive_only:
        yield "recv-only"
