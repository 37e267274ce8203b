"""`maniple check --memory`: what a configuration will take, before it takes it.

Owns: the arithmetic over tables, and its text. Must not know: how tables are laid out (pools/table_shape).
"""

from __future__ import annotations

from ..core.config.model import Configuration
from ..pools.table_shape import Layout


def memory_rows(configuration: Configuration, threads: int) -> list[dict[str, object]]:
    """For each stick table: name, entries, bytes of an entry when so many threads count, and bytes of a full table."""
    rows: list[dict[str, object]] = []
    for name, spec in configuration.tables.items():
        each = Layout(spec.shape).bytes_per_entry(threads)
        rows.append({"table": name, "entries": spec.shape.size, "entry": each, "full": each * spec.shape.size})
    return rows


def memory_text(configuration: Configuration, threads: int) -> str:
    """The same for people."""
    rows = memory_rows(configuration, threads)
    if not rows:
        return "No stick tables.\n"
    width = max(len("stick table"), *(len(str(row["table"])) for row in rows))
    lines = [
        f"Stick tables, shared by {threads} thread{'' if threads == 1 else 's'}. Memory is taken as entries come.",
        f"{'stick table':<{width}}  {'entries':>12}  {'bytes each':>10}  {'full':>10}",
    ]
    total = 0
    for row in rows:
        total += int(str(row["full"]))
        lines.append(f"{row['table']:<{width}}  {row['entries']:>12,}  {row['entry']:>10,}  {_size(row['full']):>10}")
    lines.append(f"{'all':<{width}}  {'':>12}  {'':>10}  {_size(total):>10}")
    return "\n".join(lines) + "\n"


def _size(count: object) -> str:
    value = float(str(count))
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
