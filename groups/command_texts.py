"""Answers in HAProxy's own form: `show info` and `show proc` (management 9.3 and 9.4.1).

Owns: the two formats, which scripts read. Must not know: who asks. What HAProxy shows and we have not is left out,
never shown as 0.
"""

from __future__ import annotations

from .status import GroupStatus, Status

_ROW = "{:<15} {:<15} {:<15} {:<15} {:<15}"


def duration_text(seconds: float) -> str:
    """As `show proc` has it: 0d00h02m07s."""
    whole = max(0, int(seconds))
    return f"{whole // 86400}d{whole // 3600 % 24:02}h{whole // 60 % 60:02}m{whole % 60:02}s"


def processes_text(status: Status) -> str:
    """The supervisor as the master, groups as workers; reloads of an old worker are those that it has survived."""
    lines = [_ROW.format("#<PID>", "<type>", "<reloads>", "<uptime>", "<version>")]
    reloads = f"{status.reloads} [failed: {status.failed_reloads}]"
    uptime = duration_text(status.now - status.started)
    lines.append(_ROW.format(status.pid, "master", reloads, uptime, status.version).rstrip())
    lines.append("# workers")
    lines.extend(_worker(status, group) for group in status.groups if group.pid)
    if status.draining:
        lines.append("# old workers")
        lines.extend(_worker(status, group) for old in status.draining for group in old.groups if group.pid)
    lines.append("# programs")
    return "\n".join(lines)


def _worker(status: Status, group: GroupStatus) -> str:
    uptime = duration_text(status.now - group.started)
    return _ROW.format(group.pid, "worker", status.generation - group.generation, uptime, status.version).rstrip()


def information_text(status: Status) -> str:
    """`show info`: name, colon, value."""
    uptime = max(0, int(status.now - status.started))
    clock = f"{uptime // 86400}d {uptime // 3600 % 24}h{uptime // 60 % 60:02}m{uptime % 60:02}s"
    counts = status.counts
    rows: list[tuple[str, object]] = [
        ("Name", "maniple"),
        ("Version", status.version),
        ("Nbgroup", len(status.groups)),
        ("Nbthread", status.nbthread),
        ("Nbproc", 1),
        ("Process_num", 1),
        ("Pid", status.pid),
        ("Uptime", clock),
        ("Uptime_sec", uptime),
        ("Maxconn", status.maxconn),
        ("CurrConns", counts.get("curr_conns", status.connections)),
        ("CumConns", counts.get("cum_conns", 0)),
        ("CumReq", counts.get("cum_req", 0)),
        ("Stopping", int(status.state == "stopping")),
        ("Listeners", sum(listener.sockets for listener in status.listeners)),
        ("DroppedLogs", counts.get("dropped_logs", 0)),
        ("TotalBytesOut", counts.get("total_bytes_out", 0)),
        ("Start_time_sec", int(status.started)),
        ("Generation", status.generation),
        ("Draining", len(status.draining)),
    ]
    return "\n".join(f"{name}: {value}" for name, value in rows)
