"""`maniple topology`: the machine's CPUs, and the plan of groups and threads that follows from them.

Owns: the flags and the three forms of the answer. Must not know: how the machine is read, how a plan is made. Flags are
read as the lines of a global section would be, so they take what those take and are refused with the same words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from ..core.config import parser
from ..core.config.environment import Environment
from ..core.config.model import GlobalSpec
from ..groups.affinity import physical_cores, usable_cpus
from ..groups.allowance import read_quota
from ..groups.picture import draw, render_placement, render_topology
from ..groups.placement import Placement, has_gil, place_groups
from ..groups.placement_words import PlacementWords
from ..groups.topology import Topology, read_topology

SYSTEM = Path("/sys")


def topology_command(
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help="Take what is said about groups and CPUs out of these files."
        ),
    ] = None,
    nbgroup: Annotated[str, typer.Option(metavar="N|auto", help="Plan for so many groups.")] = "",
    nbthread: Annotated[str, typer.Option(metavar="N", help="Plan for so many threads in all.")] = "",
    cpu_policy: Annotated[str, typer.Option(metavar="POLICY", help="For example group-by-l3.")] = "",
    cpu_set: Annotated[
        list[str] | None, typer.Option(metavar="WORDS", help='For example "drop-node 1"; may be repeated.')
    ] = None,
    cpu_map: Annotated[
        list[str] | None, typer.Option(metavar="WORDS", help='For example "auto:1/1-4 0-3"; may be repeated.')
    ] = None,
    thread_group: Annotated[
        list[str] | None, typer.Option(metavar="WORDS", help='For example "1 1-4"; may be repeated.')
    ] = None,
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Read the machine from a copy of /sys; then all its CPUs count.")
    ] = SYSTEM,
    free_threaded: Annotated[bool, typer.Option(help="Plan for an interpreter without the GIL.")] = False,
    picture: Annotated[bool, typer.Option("--picture", help="Boxes of sockets and caches, with the groups.")] = False,
    plain: Annotated[bool, typer.Option("--ascii", help="The picture without line-drawing characters.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show sockets, cache domains, cores and SMT siblings, what may be used of them, and the plan that follows."""
    flags = [
        *_lines("nbgroup", [nbgroup]),
        *_lines("nbthread", [nbthread]),
        *_lines("cpu-policy", [cpu_policy]),
        *_lines("cpu-set", cpu_set or ()),
        *_lines("cpu-map", cpu_map or ()),
        *_lines("thread-group", thread_group or ()),
    ]
    words = _written(files or [], flags)
    gil = has_gil() and not free_threaded
    elsewhere = root != SYSTEM
    affinity = frozenset() if elsewhere else usable_cpus()
    topology = read_topology(root, fallback=affinity, physical=physical_cores)
    if elsewhere:
        affinity = frozenset(cpu.number for cpu in topology.cpus)
    quota = None if elsewhere else read_quota()
    try:
        plan = place_groups(topology, affinity, words, gil=gil, quota=quota)
    except ValueError as error:
        typer.echo(f"maniple topology: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        sys.stdout.write(json_text(topology, sorted(affinity), quota, plan, gil))
    elif picture or plain:
        sys.stdout.write(draw(topology, plan, ascii_only=plain) + "\n")
    else:
        sys.stdout.write(f"{render_topology(topology, affinity, quota)}\n\n{render_placement(plan, gil=gil)}\n")


def json_text(topology: Topology, affinity: list[int], quota: float | None, plan: Placement, gil: bool) -> str:
    import orjson

    found = {
        "topology": asdict(topology),
        "affinity": affinity,
        "quota": quota,
        "gil": gil,
        "plan": asdict(plan),
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n"


def _lines(keyword: str, written: Sequence[str]) -> list[str]:
    return [f"{keyword} {text}" for text in written if text]


def _written(files: Sequence[str], flags: Sequence[str]) -> PlacementWords:
    """What the files say, and the flags over them: a keyword that a flag names is not taken from the files."""
    said = PlacementWords.of(_globals_of_files(files)) if files else PlacementWords()
    if not flags:
        return said
    given = PlacementWords.of(_globals_of_flags(flags))
    return replace(
        said,
        nbgroup=given.nbgroup if any(line.startswith("nbgroup ") for line in flags) else said.nbgroup,
        nbthread=given.nbthread or said.nbthread,
        cpu_policy=given.cpu_policy or said.cpu_policy,
        cpu_set=given.cpu_set or said.cpu_set,
        cpu_map=given.cpu_map or said.cpu_map,
        thread_groups=given.thread_groups or said.thread_groups,
    )


def _globals_of_files(files: Sequence[str]) -> GlobalSpec:
    configuration, diagnostics = parser.load_files(files, Environment(os.environ, files=files))
    if configuration is None:
        sys.stderr.write(diagnostics.render())
        raise typer.Exit(1)
    return configuration.globals


def _globals_of_flags(flags: Sequence[str]) -> GlobalSpec:
    text = "".join(f"{line}\n" for line in ("global", *flags))
    configuration, diagnostics = parser.load([("<command line>", text)], Environment(os.environ))
    if configuration is None:
        for report in diagnostics.errors:
            typer.echo(f"maniple topology: {report.message}", err=True)
        raise typer.Exit(2)
    return configuration.globals
