"""Statistics as text: the CSV of `show stat`, and a table of live figures for a terminal.

Owns: how rows are written. A row is a mapping from column names (fields.FIELDS) to values; what is missing is empty.
Must not know: where rows come from, what the figures mean beyond their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .fields import NAMES

Row = Mapping[str, object]


def csv_header() -> str:
    """The first line: `# ` and the names; the columns end with `-`, as HAProxy's do before those of its extensions."""
    return "# " + ",".join(NAMES) + ",-,\n"


def csv_text(rows: Iterable[Row]) -> str:
    """Header, one line a row, an empty line."""
    lines = [csv_header()]
    lines += [",".join([_cell(row.get(name)) for name in NAMES]) + ",-,\n" for row in rows]
    return "".join(lines) + "\n"


def _cell(value: object) -> str:
    """RFC 4180: quoted where it must be."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value)
    if any(character in text for character in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


LIVE_COLUMNS = ("proxy", "server", "state", "req/s", "conns", "queue", "errors", "reuse")


def live_table(rows: Sequence[Row], before: Mapping[tuple[str, str], Row], seconds: float) -> str:
    """A table of all rows: requests per second since `before` (the earlier rows by pxname and svname) was taken
    `seconds` ago, connections and waiting requests now, errors in all, the share of requests on reused connections."""
    table: list[tuple[str, ...]] = [LIVE_COLUMNS]
    for row in rows:
        old = before.get((str(row.get("pxname")), str(row.get("svname"))), {})
        table.append(_live(row, old, seconds))
    widths = [max(len(line[column]) for line in table) for column in range(len(LIVE_COLUMNS))]
    return "".join(
        "  ".join(
            [text.ljust(width) if column < 3 else text.rjust(width) for column, (text, width) in enumerate(zipped)]
        ).rstrip()
        + "\n"
        for zipped in (list(zip(line, widths, strict=True)) for line in table)
    )


def _live(row: Row, old: Row, seconds: float) -> tuple[str, ...]:
    requests = _number(row, "req_tot") - _number(old, "req_tot")
    rate = requests / seconds if seconds > 0 else 0.0
    errors = sum(_number(row, name) for name in ("ereq", "econ", "eresp"))
    connects, reuses = _number(row, "connect"), _number(row, "reuse")
    reuse = f"{100 * reuses // (connects + reuses)} %" if connects + reuses else "-"
    return (
        str(row.get("pxname", "")),
        str(row.get("svname", "")),
        str(row.get("status", "") or ""),
        f"{rate:.0f}" if rate >= 10 or not rate else f"{rate:.1f}",
        str(_number(row, "scur")),
        str(_number(row, "qcur")),
        str(errors),
        reuse,
    )


def _number(row: Row, name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else 0
