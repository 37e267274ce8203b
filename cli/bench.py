"""`maniple bench`: the same traffic through maniple, HAProxy, nginx and others, compared by CPU time per request.

Owns the command line of the bench and nothing else; perf/ does the work. Installs nothing: what is missing is named,
with the Debian package that has it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ..perf import harness, report, scenarios, targets
from ..perf.processes import ProcessFault

QUICK_ROUNDS, QUICK_SECONDS = 2, 1.0


def bench_command(
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", "-s", help="Measure only this one; may be repeated. --list names them."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Alternating rounds; figures are medians over them.")] = 5,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="Measured seconds per target and round (wrk takes whole ones).")
    ] = 3.0,
    target: Annotated[
        str, typer.Option("--targets", "-t", help="Programs to compare, separated by commas. haproxy3 is one by path.")
    ] = ",".join(targets.DEFAULT_TARGETS),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the table (JSON, Markdown) and plot.")
    ] = Path("perf/results"),
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
    names = [name.strip() for name in target.split(",") if name.strip()]
    for name in names:
        if name not in targets.BY_NAME:
            raise _refuse(f"no target {name!r}; there are: {', '.join(targets.BY_NAME)}")
    plan = harness.Plan(
        chosen,
        [targets.BY_NAME[name] for name in dict.fromkeys(names)],
        rounds=QUICK_ROUNDS if quick else rounds,
        seconds=QUICK_SECONDS if quick else seconds,
    )
    for missing in plan.targets:
        if missing.find() is None:
            typer.echo(f"{missing.name} does not take part: {missing.missing}", err=True)
    try:
        results = harness.run(plan, lambda line: typer.echo(line, err=True))
    except harness.MissingProgram as error:
        raise _refuse(str(error)) from None
    except ProcessFault as error:
        typer.echo(f"maniple bench: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("maniple bench: interrupted; everything it started has been ended", err=True)
        raise typer.Exit(130) from None
    typer.echo(report.as_text(results))
    for path in report.write(results, output, set_name(scenario or [], quick), datetime.now()):
        typer.echo(f"wrote {path}", err=True)
    raise typer.Exit(1 if report.failed(results) else 0)


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
