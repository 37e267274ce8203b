"""The curve: what a request costs with 1, 2, 4 and 8 groups, beside a byte pump with as many processes.

More processes on the same CPUs cost any program something: they wake each other up less often for more, share caches,
and each has fewer connections to serve in one turn of its loop. The pump shows how much of that is the kernel's and the
event loop's; a proxy that shares nothing between its groups may not grow faster.

Owns: the scenarios of the curve, and what the figures say about growth. Measures nothing itself (harness.py).
Invariant: growth is compared by ratios within rounds, ours to the pump's, at each number of groups; so what disturbs
the machine for a while does not look like growth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from textwrap import shorten

import orjson

from .harness import Results
from .line_chart import Line, line_chart
from .measures import METRICS, Outcome, Spread, ratio
from .report import FAULT_WIDTH, JSON_VERSION, SUBJECT, Row, aligned, conditions, fault_lines, number_text, piped
from .scenarios import BY_NAME, Scenario

FLOOR = "pump"
GROUPS = (1, 2, 4, 8)
ROUNDS, SECONDS = 3, 1.0
TARGETS = (SUBJECT, FLOOR)
TOLERANCE = 1.05
"""Ours may grow by this much more than the pump before it counts: rounds differ by as much."""
COLUMNS = (
    "groups",
    "target",
    "CPU µs/request (low to high)",
    "x pump (low to high)",
    "requests/s",
    "growth",
    "verdict",
)
TITLE = "CPU time per request by number of groups"


@dataclass(frozen=True)
class Point:
    """One number of groups."""

    groups: int
    outcomes: Sequence[Outcome]

    def outcome(self, target: str) -> Outcome | None:
        return next((one for one in self.outcomes if one.target == target and one.state == "ok"), None)

    def cost(self, target: str) -> Spread | None:
        """CPU µs per request."""
        found = self.outcome(target)
        return found.spread("cpu_us") if found else None

    def to_floor(self, target: str) -> Spread | None:
        """Multiples of the pump's cost in the same round."""
        found, floor = self.outcome(target), self.outcome(FLOOR)
        return ratio(found, floor, "cpu_us") if found and floor else None


def scenarios(groups: Sequence[int], name: str = "small") -> tuple[Scenario, ...]:
    """One for each number of groups, ascending."""
    base = BY_NAME[name]
    return tuple(
        replace(
            base, name=name_of(name, number), title=f"{base.title}, {number} group{'s' * (number > 1)}", groups=number
        )
        for number in sorted(set(groups))
    )


def name_of(name: str, groups: int) -> str:
    return f"{name}-{groups}"


def points(results: Results) -> list[Point]:
    return [Point(int(name.rpartition("-")[2]), outcomes) for name, outcomes in results.outcomes.items()]


def growth(first: Point, point: Point, target: str) -> float | None:
    """How many times what it costs at `first` a request costs at `point`, by the medians."""
    before, now = first.cost(target), point.cost(target)
    return now.median / before.median if before and now else None


def beyond_floor(first: Point, point: Point, target: str = SUBJECT) -> float | None:
    """How much faster it grows than the pump: 1 is as fast. From the ratios within rounds."""
    before, now = first.to_floor(target), point.to_floor(target)
    return now.median / before.median if before and now else None


def verdict(first: Point, point: Point) -> str:
    beyond = beyond_floor(first, point)
    if point is first or beyond is None:
        return "-"
    return f"{'pass' if beyond <= TOLERANCE else 'MISS'}: {beyond:.2f} of the pump's growth"


def rows(results: Results) -> list[Row]:
    all_points = points(results)
    return [_row(all_points[0], point, outcome) for point in all_points for outcome in point.outcomes]


def as_text(results: Results) -> str:
    faults = fault_lines(results)
    return "\n".join(
        [aligned(COLUMNS, rows(results)), "", *conditions(results), *(["", "Faults:", *faults] if faults else [])]
    )


def as_markdown(results: Results, title: str, plot: str) -> str:
    parts = [f"# {title}", "", f"![{TITLE}]({plot})", "", piped(COLUMNS, rows(results)), ""]
    parts += ["## Measured with", "", *(f"- {line}" for line in conditions(results)), ""]
    faults = fault_lines(results)
    if faults:
        parts += ["## Faults", "", *(f"- {line}" for line in faults), ""]
    return "\n".join(parts)


def as_json(results: Results, created: datetime) -> bytes:
    all_points = points(results)
    document = {
        "version": JSON_VERSION,
        "created": created.isoformat(timespec="seconds"),
        "machine": results.machine,
        "programs": results.programs,
        "settings": results.settings,
        "metrics": METRICS,
        "groups": [
            {
                "groups": point.groups,
                "targets": [
                    {
                        "target": outcome.target,
                        "state": outcome.state,
                        "absent": outcome.absent,
                        "cpu_us": _plain(point.cost(outcome.target)),
                        "cpu_to_pump": _plain(point.to_floor(outcome.target)),
                        "growth": growth(all_points[0], point, outcome.target),
                        "growth_to_pump": beyond_floor(all_points[0], point, outcome.target),
                        "rounds": [
                            {"figures": dict(sample.figures), "faults": list(sample.faults)}
                            for sample in outcome.samples
                        ],
                    }
                    for outcome in point.outcomes
                ],
            }
            for point in all_points
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def as_plot(results: Results) -> str:
    all_points = points(results)
    names = dict.fromkeys(outcome.target for point in all_points for outcome in point.outcomes)
    lines = []
    for name in names:
        costs = [(str(point.groups), cost) for point in all_points if (cost := point.cost(name))]
        values = [(place, cost.median, cost.low, cost.high) for place, cost in costs]
        if values:
            lines.append(Line(name, values))
    machine = results.machine
    return line_chart(
        TITLE,
        f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}; median, lowest and highest of "
        f"{results.settings['rounds']:g} rounds; lower is better",
        "groups (processes of the pump)",
        "µs",
        [str(point.groups) for point in all_points],
        lines,
    )


def write(results: Results, folder: Path, created: datetime) -> list[Path]:
    """Write <date>-groups.json, .md and .svg to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{created:%Y-%m-%d}-groups"
    paths = [folder / f"{stem}{suffix}" for suffix in (".json", ".md", ".svg")]
    paths[0].write_bytes(as_json(results, created) + b"\n")
    paths[1].write_text(as_markdown(results, f"{TITLE}, {created:%Y-%m-%d}", paths[2].name), encoding="utf-8")
    paths[2].write_text(as_plot(results), encoding="utf-8")
    return paths


def _row(first: Point, point: Point, outcome: Outcome) -> Row:
    name = outcome.target
    cost, against, rate = point.cost(name), point.to_floor(name), outcome.spread("rate")
    grown = growth(first, point, name)
    if cost is None:
        why = outcome.absent or f"FAIL: {shorten(outcome.faults[0] if outcome.faults else 'no sample', FAULT_WIDTH)}"
        return (str(point.groups), name, "-", "-", "-", "-", why)
    return (
        str(point.groups),
        name,
        f"{number_text(cost.median)} ({number_text(cost.low)} to {number_text(cost.high)})",
        f"{against.median:.2f} ({against.low:.2f} to {against.high:.2f})" if against else "-",
        f"{rate.median:,.0f}" if rate else "-",
        f"{grown:.2f}" if grown else "-",
        verdict(first, point) if name == SUBJECT else "",
    )


def _plain(value: Spread | None) -> dict[str, float] | None:
    return asdict(value) if value else None
