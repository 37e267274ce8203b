"""`maniple topology`: the machine's CPUs, and the plan of groups and threads that follows from them.

Owns: the flags and the two forms of the answer. Must not know: how the machine is read, how a plan is made.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from ..groups.affinity import inherited_affinity
from ..groups.placement import Placement, has_gil, place_groups, render_placement
from ..groups.topology import Topology, read_quota, read_topology, render_topology


def topology_command(
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="Take nbgroup and nbthread out of these files."),
    ] = None,
    nbgroup: Annotated[int | None, typer.Option(min=1, help="Plan for so many groups.")] = None,
    nbthread: Annotated[int | None, typer.Option(min=1, help="Plan for so many threads in all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show sockets, cache domains, cores and SMT siblings, what may be used of them, and the plan that follows."""
    if files:
        nbgroup, nbthread = _written(files, nbgroup, nbthread)
    affinity = inherited_affinity()
    topology = read_topology(fallback=affinity)
    quota = read_quota()
    try:
        plan = place_groups(topology, affinity, nbgroup=nbgroup, nbthread=nbthread, gil=has_gil(), quota=quota)
    except ValueError as error:
        typer.echo(f"maniple topology: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        sys.stdout.write(json_text(topology, sorted(affinity), quota, plan))
    else:
        sys.stdout.write(f"{render_topology(topology, affinity, quota)}\n\n{render_placement(plan, gil=has_gil())}\n")


def json_text(topology: Topology, affinity: list[int], quota: float | None, plan: Placement) -> str:
    import orjson

    found = {
        "topology": asdict(topology),
        "affinity": affinity,
        "quota": quota,
        "gil": has_gil(),
        "plan": asdict(plan),
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n"


def _written(files: list[str], nbgroup: int | None, nbthread: int | None) -> tuple[int | None, int | None]:
    """What the files say where no flag does."""
    from ..core.config import parser
    from ..core.config.environment import Environment

    configuration, diagnostics = parser.load_files(files, Environment(os.environ, files=files))
    if configuration is None:
        sys.stderr.write(diagnostics.render())
        raise typer.Exit(1)
    return nbgroup or configuration.globals.nbgroup, nbthread or configuration.globals.nbthread
