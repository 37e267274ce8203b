"""How evenly long-lived connections are spread over groups, and what evenness costs.

64 clients connect, ask once and stay; then it is counted in the kernel's tables which process holds how many of their
connections. The figure is the largest share over the mean: 1 is even, and a group with twice the mean is busy while
others idle. Clients come from all CPUs in turn, as with a network card that spreads its interrupts, because
`tune.listener.balance cpu` follows the CPU that a connection arrives on.

What handing over costs is seen where it is of no use: with a connection for each request.

Owns: the opening and counting, and the table. Must not know: how maniple spreads. Invariant: a repetition in which not
every client was answered and kept counts for nothing, and is told.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from statistics import median

import orjson

from .harness import Bench, Plan, Results, Say, Subject, machine, run, start
from .load import IdleClients
from .measures import ratio
from .origin import Origin
from .processes import ProcessFault, all_cpus, raise_descriptor_limit, wait_until
from .report import Row, aligned, piped
from .scenarios import BY_NAME
from .targets import BY_NAME as TARGETS
from .targets import Launch, Setting, Target, write_maniple

WAYS = ("hash", "least", "cpu")
"""Values of tune.listener.balance."""
GROUPS = (2, 4, 8)
CLIENTS = 64
REPETITIONS = 10
ROUNDS, SECONDS = 3, 1.0
DESCRIPTORS = 4096
COLUMNS = ("groups", "balance", "largest share / mean: median", "worst", "shares in the worst")
COST_COLUMNS = ("balance", "CPU µs/connection (low to high)", "x hash", "connections/s")
_ESTABLISHED = "01"


@dataclass
class Spreading:
    """What was seen with one way and number of groups: how many clients each group had, repetition by repetition."""

    groups: int
    way: str
    repetitions: list[list[int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """The largest share over the mean."""
        return [unevenness(counts) for counts in self.repetitions]

    @property
    def worst(self) -> list[int]:
        worst: list[int] = max(self.repetitions, key=unevenness, default=[])
        return sorted(worst, reverse=True)


@dataclass
class Accepts:
    """All of a run. `costs` is None when they were not asked for."""

    machine: dict[str, str]
    clients: int
    spreadings: list[Spreading]
    costs: Results | None = None

    @property
    def failed(self) -> bool:
        costs = [] if self.costs is None else list(self.costs.outcomes.values())
        return any(one.faults for one in self.spreadings) or any(
            outcome.state == "FAIL" for outcomes in costs for outcome in outcomes
        )


def unevenness(counts: Sequence[int]) -> float:
    """The largest over the mean; 0 for nothing."""
    return max(counts) * len(counts) / sum(counts) if sum(counts) else 0.0


def measure(
    say: Say,
    *,
    groups: Sequence[int] = GROUPS,
    ways: Sequence[str] = WAYS,
    clients: int = CLIENTS,
    repetitions: int = REPETITIONS,
    cost: Plan | None = None,
) -> Accepts:
    """Counts for each number of groups and way; then, with a `cost` plan (cost_plan), what they cost."""
    cpus = all_cpus()
    bench = Bench(Plan((), ()), "", cpus, cpus, raise_descriptor_limit(DESCRIPTORS))
    accepts = Accepts(machine(bench), clients, [])
    for number in groups:
        for way in ways:
            spreading = Spreading(number, way)
            accepts.spreadings.append(spreading)
            try:
                _measure(bench, spreading, clients, repetitions)
            except (ProcessFault, OSError) as fault:
                spreading.faults.append(str(fault))
            say(f"{number} groups, {way}: {_in_words(spreading)}")
    if cost is not None:
        accepts.costs = run(cost, say)
    return accepts


def cost_plan(groups: int, ways: Sequence[str] = WAYS, rounds: int = ROUNDS, seconds: float = SECONDS) -> Plan:
    """A connection for each request, over so many groups, for each way."""
    scenario = replace(BY_NAME["close-always"], groups=groups, title=f"connection per request, {groups} groups")
    return Plan([scenario], [_target(way) for way in ways], rounds=rounds, seconds=seconds)


def _target(way: str) -> Target:
    def write(program: list[str], setting: Setting) -> Launch:
        return write_maniple(program, replace(setting, scenario=replace(setting.scenario, balance=way)))

    return replace(TARGETS["maniple"], name=way, title=f"maniple with tune.listener.balance {way}", write=write)


def _measure(bench: Bench, spreading: Spreading, clients: int, repetitions: int) -> None:
    scenario = replace(BY_NAME["small"], groups=spreading.groups, balance=spreading.way)
    target = TARGETS["maniple"]
    program = target.find()
    if program is None:
        raise ProcessFault(target.missing)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maniple-bench-")))
        origin = stack.enter_context(Origin(folder, bench.other_cpus))
        child, port, _ = start(Subject(bench, scenario, target, program, origin, None, folder, 1), stack)
        members = [pid for pid in child.family() if pid != child.pid]
        if len(members) != spreading.groups:
            raise ProcessFault(f"{len(members)} processes serve instead of {spreading.groups}")
        for number in range(repetitions):
            wait_until(lambda: not any(holders(members, port)), 10, "connections of before have gone")
            with ExitStack() as connected:
                crowds = []
                cpus = sorted(bench.other_cpus)
                for index, cpu in enumerate(cpus):
                    own = folder / f"clients-{number}-{index}"
                    own.mkdir()
                    share = clients // len(cpus) + (index < clients % len(cpus))
                    crowd = IdleClients(own, port, share, scenario.path, frozenset({cpu}))
                    crowds.append(connected.enter_context(crowd))
                held = sum(crowd.wait_ready() for crowd in crowds)
                counts = holders(members, port)
                closed = sum(crowd.released() for crowd in crowds)
            if closed or held != clients or sum(counts) != clients:
                spreading.faults.append(f"of {clients} clients {held} came, {sum(counts)} were found, {closed} closed")
            else:
                spreading.repetitions.append(counts)


def holders(pids: Sequence[int], port: int) -> list[int]:
    """How many connections that arrived at the port each process has now."""
    pattern = re.compile(rf"\s*\d+: [0-9A-F]+:{port:04X} [0-9A-F:]+ {_ESTABLISHED} (?:\S+ +){{5}}(\d+) ")
    inodes = set()
    with open("/proc/net/tcp", encoding="ascii") as stream:
        for line in stream:
            found = pattern.match(line)
            if found:
                inodes.add(found[1])
    return [len(inodes & _sockets(pid)) for pid in pids]


def _sockets(pid: int) -> set[str]:
    found = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            leads_to = os.readlink(entry.path)
        except FileNotFoundError:
            continue
        if leads_to.startswith("socket:["):
            found.add(leads_to[8:-1])
    return found


# What it says.


def rows(accepts: Accepts) -> list[Row]:
    made: list[Row] = []
    for one in accepts.spreadings:
        ratios = one.ratios
        if one.faults or not ratios:
            made.append((str(one.groups), one.way, "-", "-", f"FAIL: {one.faults[0] if one.faults else 'nothing'}"))
        else:
            shares = " ".join(map(str, one.worst))
            made.append((str(one.groups), one.way, f"{median(ratios):.2f}", f"{max(ratios):.2f}", shares))
    return made


def cost_rows(results: Results) -> list[Row]:
    made: list[Row] = []
    for outcomes in results.outcomes.values():
        reference = next((one for one in outcomes if one.target == "hash"), None)
        for outcome in outcomes:
            cost, rate = outcome.spread("cpu_us"), outcome.spread("rate")
            if outcome.state != "ok" or cost is None or rate is None:
                made.append((outcome.target, "-", "-", outcome.absent or f"FAIL: {'; '.join(outcome.faults)}"))
                continue
            against = ratio(outcome, reference, "cpu_us") if reference else None
            made.append(
                (
                    outcome.target,
                    f"{cost.median:.1f} ({cost.low:.1f} to {cost.high:.1f})",
                    f"{against.median:.2f} ({against.low:.2f} to {against.high:.2f})" if against else "-",
                    f"{rate.median:,.0f}",
                )
            )
    return made


def as_text(accepts: Accepts) -> str:
    lines = [f"{accepts.clients} long-lived connections", "", aligned(COLUMNS, rows(accepts)), ""]
    if accepts.costs is not None:
        title = next(iter(accepts.costs.outcomes))
        lines += [f"What it costs: {title}", "", aligned(COST_COLUMNS, cost_rows(accepts.costs)), ""]
    lines.append("machine: " + ", ".join(f"{name} {value}" for name, value in accepts.machine.items()))
    return "\n".join(lines)


def as_json(accepts: Accepts) -> bytes:
    document: dict[str, object] = {
        "machine": accepts.machine,
        "clients": accepts.clients,
        "spreadings": [
            {
                **asdict(one),
                "median": median(one.ratios) if one.ratios else None,
                "worst": max(one.ratios, default=None),
            }
            for one in accepts.spreadings
        ],
    }
    if accepts.costs is not None:
        document["costs"] = [
            {
                "balance": outcome.target,
                "state": outcome.state,
                "rounds": [
                    {"figures": dict(sample.figures), "faults": list(sample.faults)} for sample in outcome.samples
                ],
            }
            for outcomes in accepts.costs.outcomes.values()
            for outcome in outcomes
        ]
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def as_markdown(accepts: Accepts, title: str) -> str:
    parts = [f"# {title}", "", f"{accepts.clients} long-lived connections.", "", piped(COLUMNS, rows(accepts)), ""]
    if accepts.costs is not None:
        title = next(iter(accepts.costs.outcomes))
        parts += [f"## What it costs: {title}", "", piped(COST_COLUMNS, cost_rows(accepts.costs)), ""]
    return "\n".join(
        [*parts, "machine: " + ", ".join(f"{name} {value}" for name, value in accepts.machine.items()), ""]
    )


def write(accepts: Accepts, folder: Path, created: datetime) -> list[Path]:
    """Write <date>-accepts.json and .md to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{created:%Y-%m-%d}-accepts"
    paths = [folder / f"{stem}{suffix}" for suffix in (".json", ".md")]
    paths[0].write_bytes(as_json(accepts) + b"\n")
    paths[1].write_text(as_markdown(accepts, f"Even accepts, {created:%Y-%m-%d}"), encoding="utf-8")
    return paths


def _in_words(spreading: Spreading) -> str:
    if spreading.faults:
        return f"FAIL: {spreading.faults[0]}"
    return f"largest share {median(spreading.ratios):.2f} of the mean, at worst {max(spreading.ratios):.2f}"
