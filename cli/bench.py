"""`maniple bench`: the same traffic through maniple, HAProxy, nginx and others, compared by CPU time per request.

Owns the command line of the bench and nothing else; perf/ does the work. Installs nothing: what is missing is named,
with the Debian package that has it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ..perf import accepts, curve, harness, report, scenarios, targets
from ..perf.processes import ProcessFault

ROUNDS, SECONDS = 5, 3.0
QUICK_ROUNDS, QUICK_SECONDS = 2, 1.0
MOST_GROUPS = 64
RESULTS = Path("perf/results")


def bench_command(
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", "-s", help="Measure only this one; may be repeated. --list names them."),
    ] = None,
    groups: Annotated[
        str,
        typer.Option(
            "--groups",
            metavar="N,N...",
            help="The curve: CPU time per request with so many groups each, beside a byte pump with as many processes.",
        ),
    ] = "",
    spread: Annotated[
        bool,
        typer.Option(
            "--accepts",
            help="How evenly 64 long-lived connections are spread over 2, 4 and 8 groups (or those of --groups) by "
            "each tune.listener.balance, and what that costs.",
        ),
    ] = False,
    rounds: Annotated[
        int | None,
        typer.Option(min=1, help="Alternating rounds; figures are medians over them. 5, or 3 with --groups."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=1.0, help="Measured seconds per target and round (wrk takes whole ones). 3, or 1 with --groups."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--targets",
            "-t",
            help="Programs to compare, separated by commas. haproxy3 is one by path. "
            f"{','.join(targets.DEFAULT_TARGETS)}, or {','.join(curve.TARGETS)} with --groups.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the table (JSON, Markdown) and plot. perf/results, or none with --groups and --accepts.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --groups or --accepts: JSON instead of a table.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="2 rounds of 1 s: for a first look, not for a claim.")] = False,
    show: Annotated[
        bool, typer.Option("--list", help="Show scenarios and targets, and what is installed; then end.")
    ] = False,
) -> None:
    """Compare CPU time per request with HAProxy and nginx. Everything runs on loopback, and ends with this command.

    Exit status: 0, 1 when a scenario failed (any error counts), 2 for a wrong option or a missing program.
    """
    if show:
        show_choices()
        return
    try:
        chosen = scenarios.select(scenario or [])
    except KeyError as error:
        raise _refuse(f"no scenario {error.args[0]!r}; there are: {', '.join(scenarios.BY_NAME)}") from None
    numbers = _numbers(groups)
    several = bool(numbers) or spread
    if several and scenario:
        raise _refuse("--groups and --accepts have scenarios of their own")
    default_targets = curve.TARGETS if several else targets.DEFAULT_TARGETS
    plan = harness.Plan(
        curve.scenarios(numbers) if several else chosen,
        _targets(target or ",".join(default_targets)),
        rounds=rounds or (QUICK_ROUNDS if quick else curve.ROUNDS if several else ROUNDS),
        seconds=seconds or (QUICK_SECONDS if quick else curve.SECONDS if several else SECONDS),
    )
    try:
        if spread:
            failed = _run_accepts(plan, numbers, output, as_json)
        elif several:
            failed = _run_curve(plan, output, as_json)
        else:
            failed = _run_scenarios(plan, output or RESULTS, set_name(scenario or [], quick))
    except harness.MissingProgram as error:
        raise _refuse(str(error)) from None
    except ProcessFault as error:
        typer.echo(f"maniple bench: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("maniple bench: interrupted; everything it started has been ended", err=True)
        raise typer.Exit(130) from None
    raise typer.Exit(1 if failed else 0)


def _run_scenarios(plan: harness.Plan, output: Path, name: str) -> bool:
    results = _run(plan)
    typer.echo(report.as_text(results))
    _wrote(report.write(results, output, name, datetime.now()))
    return report.failed(results)


def _run_curve(plan: harness.Plan, output: Path | None, as_json: bool) -> bool:
    results = _run(plan)
    typer.echo(curve.as_json(results, datetime.now()).decode() if as_json else curve.as_text(results))
    if output is not None:
        _wrote(curve.write(results, output, datetime.now()))
    return report.failed(results)


def _run_accepts(plan: harness.Plan, numbers: list[int], output: Path | None, as_json: bool) -> bool:
    cost = accepts.cost_plan(min(numbers or accepts.GROUPS), rounds=plan.rounds, seconds=plan.seconds)
    done = accepts.measure(_progress, groups=numbers or accepts.GROUPS, cost=cost)
    typer.echo(accepts.as_json(done).decode() if as_json else accepts.as_text(done))
    if output is not None:
        _wrote(accepts.write(done, output, datetime.now()))
    return done.failed


def _run(plan: harness.Plan) -> harness.Results:
    for missing in plan.targets:
        if missing.find() is None:
            typer.echo(f"{missing.name} does not take part: {missing.missing}", err=True)
    return harness.run(plan, _progress)


def _numbers(text: str) -> list[int]:
    """Of --groups."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isascii() and word.isdigit() and 1 <= int(word) <= MOST_GROUPS for word in words):
        raise _refuse(f"--groups expects numbers from 1 to {MOST_GROUPS} with commas between them")
    return [int(word) for word in words]


def _targets(text: str) -> list[targets.Target]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in targets.BY_NAME:
            raise _refuse(f"no target {name!r}; there are: {', '.join(targets.BY_NAME)}")
    return [targets.BY_NAME[name] for name in dict.fromkeys(names)]


def _progress(line: str) -> None:
    typer.echo(line, err=True)


def _wrote(paths: list[Path]) -> None:
    for path in paths:
        typer.echo(f"wrote {path}", err=True)


def set_name(names: list[str], quick: bool) -> str:
    """What the files of this run are called after the date."""
    base = "+".join(names) if names else "all"
    return f"{base}-quick" if quick else base


def show_choices() -> None:
    for scenario in scenarios.SCENARIOS:
        typer.echo(f"scenario {scenario.name:<15} {scenario.title}")
    for target in targets.TARGETS:
        typer.echo(f"target   {target.name:<15} {target.title}: {'found' if target.find() else target.missing}")


def _refuse(message: str) -> typer.Exit:
    typer.echo(f"maniple bench: {message}", err=True)
    return typer.Exit(2)
