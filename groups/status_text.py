"""The state of a running supervisor as a table for people.

Owns: the layout. Must not know: where the value comes from. Invariant: no empty line (it would end an answer of the
control socket; a space stands in for it there), and nothing wider than it must be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from .status import GroupStatus, Status

_HEADINGS = ("group", "pid", "state", "cpus", "threads", "heartbeat", "conns", "requests", "cpu", "memory", "up")
_LEFT = frozenset(("state", "cpus"))
SHORTEST_RUN = 4
"""Ports that are shown as a range."""
SLOW_HEARTBEAT = 2000
"""Milliseconds from which a thread is marked: the watchdog warns then."""


def status_text(status: Status) -> str:
    """Several lines, without a line feed at the end."""
    age = span_text(status.now - status.started)
    lines = [f"maniple {status.version}: {status.state}, pid {status.pid}, up {age}, generation {status.generation}"]
    if status.files:
        lines.append(f"  files    {' '.join(status.files)}")
    for label, text in zip(_labels("listens"), _listeners(status), strict=False):
        lines.append(f"  {label:<8} {text}")
    lines.append(f"  traffic  {_traffic(status)}")
    steward = status.steward
    if steward is not None:
        there = f"pid {steward.pid}, up {span_text(status.now - steward.started)}" if steward.pid else "none now"
        deaths = f", died {steward.deaths}x" if steward.deaths else ""
        lines.append(f"  steward  {there}{deaths}, peers {' '.join(steward.sections)}")
    reloads = f"{status.reloads} reload{'s' * (status.reloads != 1)}"
    if status.failed_reloads:
        reloads += f", {status.failed_reloads} failed since the last that succeeded"
    lines.append(f"  reloads  {reloads}")
    change = status.last_change
    if change is not None:
        ago = span_text(status.now - change.at)
        verdict = "done" if change.ok else "FAILED"
        lines.append(f"  last     {change.kind} {verdict} {ago} ago, took {change.seconds:.1f} s")
        if not change.ok:
            lines.extend(f"           {line}" for line in change.text.splitlines() if line.strip())
    lines.append("")
    rows = [_row(status, group) for group in status.groups]
    older = [[_row(status, group) for group in old.groups] for old in status.draining]
    table = _table([_HEADINGS, *rows, *(row for block in older for row in block)])
    lines.extend(table[: len(rows) + 1])
    table = table[len(rows) + 1 :]
    for old, block in zip(status.draining, older, strict=True):
        limit = "no limit" if old.deadline is None else f"cut in {span_text(old.deadline - status.now)}"
        lines.append(f"generation {old.number} has drained for {span_text(status.now - old.since)}, {limit}")
        lines.extend(table[: len(block)])
        table = table[len(block) :]
    return "\n".join(lines)


def _labels(first: str) -> Iterable[str]:
    yield first
    while True:
        yield ""


def _listeners(status: Status) -> list[str]:
    """One line a frontend."""
    found: dict[str, list[str]] = {}
    for (frontend, sockets), listeners in groupby(status.listeners, lambda one: (one.frontend, one.sockets)):
        many = f" ({sockets} sockets)" if sockets > 1 else ""
        found.setdefault(frontend, []).extend(text + many for text in merged([one.address for one in listeners]))
    return [f"{frontend}: {', '.join(addresses)}" for frontend, addresses in found.items()]


def merged(addresses: Iterable[str]) -> list[str]:
    """Where many ports follow each other, one text for all: a:80-99."""
    runs: list[list[str]] = []
    for text in addresses:
        host, _, port = text.rpartition(":")
        before, _, last = runs[-1][-1].rpartition(":") if runs else ("", "", "")
        if host and host == before and port.isdigit() and last.isdigit() and int(port) == int(last) + 1:
            runs[-1].append(text)
        else:
            runs.append([text])
    shown = []
    for run in runs:
        few = len(run) < SHORTEST_RUN
        shown.extend(run if few else [f"{run[0]}-{run[-1].rpartition(':')[2]}"])
    return shown


def _traffic(status: Status) -> str:
    limit = f" of {status.maxconn:,}" if status.maxconn else ""
    parts = [f"{status.counts.get('curr_conns', status.connections):,}{limit} connections"]
    if "cum_conns" in status.counts:
        parts.append(f"{status.counts['cum_conns']:,} in all")
    if "cum_req" in status.counts:
        parts.append(f"{status.counts['cum_req']:,} requests")
    parts.append(f"supervisor {size_text(status.memory)}")
    return ", ".join(parts)


def _row(status: Status, group: GroupStatus) -> tuple[str, ...]:
    beats = [thread.heartbeat_ms for thread in group.threads if thread.heartbeat_ms is not None]
    beat = ""
    if beats and group.pid:
        beat = f"{max(beats):,} ms" + ("!" if max(beats) >= SLOW_HEARTBEAT else "")
    state = group.state + (f" ({group.deaths} death{'s' * (group.deaths != 1)})" if group.deaths else "")
    return (
        str(group.number),
        str(group.pid) if group.pid else "-",
        state,
        numbers_text(group.cpus) or "any",
        str(len(group.threads)),
        beat or "-",
        f"{group.connections:,}",
        f"{group.requests:,}",
        f"{group.cpu_seconds:,.1f} s",
        size_text(group.memory),
        span_text(status.now - group.started) if group.pid else "-",
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        cells = (
            f"{cell:<{width}}" if heading in _LEFT else f"{cell:>{width}}"
            for cell, width, heading in zip(row, widths, _HEADINGS, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return lines


def numbers_text(numbers: Sequence[int]) -> str:
    """0-3,8: ranges of numbers that follow each other."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def span_text(seconds: float) -> str:
    """The two largest units: 3d 4h, 2m 07s, 12s; below ten seconds with a tenth."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole // 60 % 60:02}m"
    return f"{whole // 86400}d {whole // 3600 % 24}h"


def size_text(size: int) -> str:
    """In MiB, or GiB from 10 of them on."""
    return f"{size / 2**30:,.1f} GiB" if size >= 10 * 2**30 else f"{size / 2**20:,.1f} MiB"
