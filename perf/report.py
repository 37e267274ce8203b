"""What a run of the bench says: table, JSON, Markdown and plot.

Owns words and numbers of the report. Measures nothing. Invariants: a scenario with a fault is shown as FAIL with the
fault and without a figure; a target that did not run is shown with the reason; the machine, the programs and the
settings always stand beside the figures; a goal is judged on the median only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from textwrap import shorten

import orjson

from . import targets
from .goals import GOALS, Against, Goal, Verdict, limit_of
from .harness import Results
from .measures import METRICS, Outcome, Spread, differences, ratio, spread
from .plots import Bar, BarGroup, bar_chart
from .scenarios import BY_NAME

REFERENCE = "haproxy"
SUBJECT = "maniple"
COLUMNS = (
    "scenario",
    "target",
    "CPU µs/request (low to high)",
    "x haproxy",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "RSS MiB",
    "other",
)
JSON_VERSION = 1
FAULT_WIDTH = 70
"""Characters of a fault in the table; the whole of it stands below."""
PLOT_MOST = 2.5
"""Where the plot's axis ends, in multiples of haproxy: a slow target shall not squeeze the others into nothing."""

Row = tuple[str, ...]


def rows(results: Results) -> list[Row]:
    """One row of COLUMNS for each scenario and target."""
    made: list[Row] = []
    for scenario, outcomes in results.outcomes.items():
        reference = _find(outcomes, REFERENCE)
        made += [_row(scenario, outcome, reference) for outcome in outcomes]
    return made


def verdicts(results: Results) -> list[Verdict]:
    """Every goal whose scenario was in the run, judged on maniple."""
    return [Verdict(goal, measured(results, goal)) for goal in GOALS if goal.scenario in results.outcomes]


def measured(results: Results, goal: Goal) -> float | None:
    """The median that a goal speaks of; None where maniple (or haproxy) did not run or failed."""
    outcomes = results.outcomes.get(goal.scenario, [])
    subject = _find(outcomes, SUBJECT)
    if subject is None or subject.state != "ok":
        return None
    if goal.against is Against.NOTHING:
        return _median(subject.spread(goal.metric))
    if goal.against is Against.PLAIN:
        plain = _find(results.outcomes.get(BY_NAME[goal.scenario].plain, []), SUBJECT)
        return None if plain is None else _median(spread(differences(subject, plain, goal.metric)))
    reference = _find(outcomes, REFERENCE)
    if reference is None or reference.state != "ok":
        return None
    return _median(ratio(subject, reference, goal.metric))


def goal_rows(results: Results) -> list[Row]:
    made: list[Row] = []
    for verdict in verdicts(results):
        goal = verdict.goal
        shown = "-" if verdict.measured is None else f"{verdict.measured:.2f} {goal.unit}"
        what = f"{METRICS[goal.metric].split(',')[0]} {goal.against.value}".strip()
        made.append((goal.scenario, what, f"≤ {goal.limit:g} {goal.unit}", shown, verdict.word))
    return made


GOAL_COLUMNS = ("scenario", "figure", "goal", "measured", "verdict")


def as_text(results: Results) -> str:
    """The report for a terminal."""
    parts = [aligned(COLUMNS, rows(results)), "", aligned(GOAL_COLUMNS, goal_rows(results)), "", *conditions(results)]
    faults = fault_lines(results)
    return "\n".join([*parts, *(["", "Faults:", *faults] if faults else [])])


def as_markdown(results: Results, title: str, plot: str) -> str:
    """The same as a page; `plot` is the file name of the picture."""
    parts = [f"# {title}", "", f"![CPU time per request, as multiples of HAProxy's]({plot})", ""]
    parts += [piped(COLUMNS, rows(results)), "", "## Goals", "", piped(GOAL_COLUMNS, goal_rows(results)), ""]
    parts += ["## Measured with", "", *(f"- {line}" for line in conditions(results)), ""]
    faults = fault_lines(results)
    if faults:
        parts += ["## Faults", "", *(f"- {line}" for line in faults), ""]
    parts += ["## Scenarios", "", *(f"- `{name}`: {BY_NAME[name].title}" for name in results.outcomes), ""]
    return "\n".join(parts)


def as_json(results: Results, created: datetime) -> bytes:
    """Everything, every round included; metrics as explained under `metrics`."""
    document = {
        "version": JSON_VERSION,
        "created": created.isoformat(timespec="seconds"),
        "machine": results.machine,
        "programs": results.programs,
        "settings": results.settings,
        "metrics": METRICS,
        "scenarios": {
            name: [_plain(outcome, outcomes) for outcome in outcomes] for name, outcomes in results.outcomes.items()
        },
        "goals": [
            {
                **asdict(verdict.goal),
                "against": verdict.goal.against.value,
                "measured": verdict.measured,
                "verdict": verdict.word,
            }
            for verdict in verdicts(results)
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def as_plot(results: Results) -> str:
    """CPU time per request of every scenario that has it, as multiples of haproxy's; the labels give microseconds."""
    groups = []
    for name, outcomes in results.outcomes.items():
        reference = _find(outcomes, REFERENCE)
        bars = []
        for outcome in outcomes:
            spread = outcome.spread("cpu_us")
            against = ratio(outcome, reference, "cpu_us") if reference else None
            if spread and against and outcome.state == "ok":
                label = f"{number_text(spread.median)} µs, {against.median:.{0 if against.median >= 10 else 2}f} x"
                bars.append(Bar(outcome.target, against.median, label))
        if bars:
            goal = limit_of(name, "cpu_us", Against.HAPROXY) if bars[0].series == SUBJECT else None
            groups.append(BarGroup(name, bars, goal))
    machine = results.machine
    return bar_chart(
        "CPU time per request, HAProxy = 1",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}; "
        f"median of {results.settings['rounds']:g} rounds; shorter is better",
        "multiples of HAProxy's CPU time in the same round",
        groups,
        most=PLOT_MOST,
        reference=1.0,
        series=list(targets.BY_NAME),
        goal_name=f"goal of {SUBJECT}",
    )


def conditions(results: Results) -> list[str]:
    """Machine, programs and settings, a line each."""
    settings = results.settings
    rounds, seconds, warm_up = settings["rounds"], settings["seconds"], settings["warm_up"]
    timing = f"{rounds:g} alternating rounds of {seconds:g} s after {warm_up:g} s of warm-up"
    several = settings.get("groups", 1) > 1
    each = "as many threads, workers or processes each as groups" if several else "one thread or worker each"
    others = [value.high for outcomes in results.outcomes.values() for o in outcomes if (value := o.spread("others"))]
    return [
        "machine: " + ", ".join(f"{name} {value}" for name, value in results.machine.items()),
        "programs: " + ", ".join(f"{name} ({value})" for name, value in results.programs.items()),
        f"settings: {timing}; {each}; every target started fresh for each round",
        "load and origin share the machine: CPU time is the figure, requests/s and latency show the load",
        *([f"others used up to {max(others):.0%} of the target's CPU while a round was measured"] if others else []),
    ]


def fault_lines(results: Results) -> list[str]:
    """Each fault once, with the rounds that it came in."""
    rounds: dict[str, list[int]] = {}
    for scenario, outcomes in results.outcomes.items():
        for outcome in outcomes:
            for number, sample in enumerate(outcome.samples, 1):
                for fault in sample.faults:
                    rounds.setdefault(f"{scenario}, {outcome.target}: {fault}", []).append(number)
    return [f"{fault} (round {', '.join(map(str, numbers))})" for fault, numbers in rounds.items()]


def failed(results: Results) -> bool:
    return any(outcome.state == "FAIL" for outcomes in results.outcomes.values() for outcome in outcomes)


def write(results: Results, folder: Path, set_name: str, created: datetime) -> list[Path]:
    """Write <date>-<set>.json, .md and .svg to the folder; an older run of the same day and set is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{created:%Y-%m-%d}-{set_name}"
    paths = [folder / f"{stem}{suffix}" for suffix in (".json", ".md", ".svg")]
    paths[0].write_bytes(as_json(results, created) + b"\n")
    paths[1].write_text(
        as_markdown(results, f"Bench of {created:%Y-%m-%d}: {set_name}", paths[2].name), encoding="utf-8"
    )
    paths[2].write_text(as_plot(results), encoding="utf-8")
    return paths


def _row(scenario: str, outcome: Outcome, reference: Outcome | None) -> Row:
    if outcome.state != "ok":
        why = outcome.absent or f"FAIL: {shorten(outcome.faults[0] if outcome.faults else 'no sample', FAULT_WIDTH)}"
        return (scenario, outcome.target, *("-" for _ in COLUMNS[2:-1]), why)
    cpu = outcome.spread("cpu_us")
    against = ratio(outcome, reference, "cpu_us") if reference else None
    return (
        scenario,
        outcome.target,
        f"{number_text(cpu.median)} ({number_text(cpu.low)} to {number_text(cpu.high)})" if cpu else "-",
        f"{against.median:.2f}" if against else "-",
        *(_cell(outcome, metric, form) for metric, form in CELLS),
        "; ".join(words for metric, say in OTHERS.items() if (words := _other(outcome, metric, say))),
    )


CELLS: tuple[tuple[str, str], ...] = (
    ("rate", "{:,.0f}"),
    ("p50_ms", "{:.2f}"),
    ("p99_ms", "{:.2f}"),
    ("rss_mib", "{:.0f}"),
)
OTHERS: dict[str, Callable[[Spread], str]] = {
    "alone_cpu_us": lambda value: f"{number_text(value.median)} µs without the idle ones",
    "idle_added_percent": lambda value: f"{value.median:+.1f} % ({value.low:+.1f} to {value.high:+.1f})",
    "idle_connections": lambda value: f"{value.median:,.0f} idle",
    "idle_kib": lambda value: f"{value.median:.2f} KiB each",
    "start_ms": lambda value: f"{value.median:.0f} ms ({value.low:.0f} to {value.high:.0f})",
}


def _other(outcome: Outcome, metric: str, say: Callable[[Spread], str]) -> str:
    value = outcome.spread(metric)
    return say(value) if value else ""


def _cell(outcome: Outcome, metric: str, form: str) -> str:
    value = outcome.spread(metric)
    return form.format(value.median) if value else "-"


def _plain(outcome: Outcome, outcomes: Sequence[Outcome]) -> dict[str, object]:
    reference = _find(outcomes, REFERENCE)
    spreads = {metric: asdict(value) for metric in METRICS if (value := outcome.spread(metric))}
    against = ratio(outcome, reference, "cpu_us") if reference else None
    return {
        "target": outcome.target,
        "state": outcome.state,
        "absent": outcome.absent,
        "cpu_to_haproxy": asdict(against) if against else None,
        "figures": spreads,
        "rounds": [{"figures": dict(sample.figures), "faults": list(sample.faults)} for sample in outcome.samples],
    }


def _find(outcomes: Sequence[Outcome], target: str) -> Outcome | None:
    return next((outcome for outcome in outcomes if outcome.target == target), None)


def _median(value: Spread | None) -> float | None:
    return value.median if value else None


def number_text(value: float) -> str:
    """Three digits that matter, more for larger numbers."""
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def aligned(columns: Row, body: Sequence[Row]) -> str:
    table = [columns, *body]
    widths = [max(len(row[index]) for row in table) for index in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines.insert(1, "  ".join("-" * width for width in widths[:-1]) + "  -----")
    return "\n".join(lines)


def piped(columns: Row, body: Sequence[Row]) -> str:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in (columns, *body)]
    lines = ["| " + " | ".join(row) + " |" for row in escaped]
    lines.insert(1, "|" + "---|" * len(columns))
    return "\n".join(lines)
