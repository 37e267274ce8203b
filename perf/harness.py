"""Runs the scenarios: alternating rounds of all targets, each started fresh, measured by the operating system.

Owns the order of things and the bounds of time. What a scenario is, how a program is configured, how load is made and
what the figures mean live in the files it imports. Invariants: rounds alternate (a, b, c, a, b, c, ...); the target
has a CPU of its own where there are two, load and origin share the rest (in a run with several groups all share all
CPUs); whatever was started is ended when a
measurement is left in whatever way; a fault makes a sample count for nothing, never the other way round.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from . import wrk
from .load import IdleClients
from .measures import Outcome, Sample
from .origin import Origin
from .processes import (
    Child,
    ProcessFault,
    all_cpus,
    busy_seconds,
    cpu_ns,
    free_port,
    memory_kib,
    raise_descriptor_limit,
    share_cpus,
    wait_answer,
)
from .scenarios import Kind, Scenario
from .sink import Sink
from .targets import Launch, Setting, Target, maxconn_for

DESCRIPTORS = 32_768
"""Open files wished for: 10,000 idle connections, counted twice by haproxy, and room."""
LOG_SHARE = 0.9
"""A scenario with a log fails when fewer lines than this part of the requests reached the sink."""
DISTURBED = 0.05
"""Share of the target's CPU that others may use before the line of progress says so."""
PORT_TRIES = 3

Say = Callable[[str], None]


class MissingProgram(Exception):
    """Nothing can be measured without this one; the text says what to install."""


@dataclass(frozen=True)
class Plan:
    """What to run. `seconds` is the measured time of one target in one round, `warm_up` the time before it."""

    scenarios: Sequence[Scenario]
    targets: Sequence[Target]
    rounds: int = 5
    seconds: float = 3.0
    warm_up: float = 1.0


@dataclass
class Results:
    """Everything measured, and where: scenario name -> outcome per target, in the plan's order."""

    machine: dict[str, str]
    programs: dict[str, str]
    settings: dict[str, float]
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """What all measurements of one run share."""

    plan: Plan
    wrk: str
    target_cpus: frozenset[int]
    other_cpus: frozenset[int]
    descriptors: int


@dataclass(frozen=True)
class Subject:
    """A target that is about to be measured in a scenario."""

    bench: Bench
    scenario: Scenario
    target: Target
    program: list[str]
    origin: Origin
    sink: Sink | None
    folder: Path
    number: int


def run(plan: Plan, say: Say) -> Results:
    """Run the plan; `say` gets a line of progress per measurement. Raises MissingProgram when there is no wrk."""
    program = shutil.which("wrk")
    if program is None:
        raise MissingProgram("wrk is not installed: apt install wrk")
    several = any(scenario.groups > 1 for scenario in plan.scenarios)
    target_cpus, other_cpus = (all_cpus(), all_cpus()) if several else share_cpus()
    bench = Bench(plan, program, target_cpus, other_cpus, raise_descriptor_limit(DESCRIPTORS))
    found = {target.name: target.find() for target in plan.targets}
    results = Results(
        machine=machine(bench),
        programs={target.name: target.version(words) for target in plan.targets if (words := found[target.name])},
        settings={"rounds": plan.rounds, "seconds": plan.seconds, "warm_up": plan.warm_up},
    )
    if several:
        results.settings["groups"] = max(scenario.groups for scenario in plan.scenarios)
    results.programs["wrk"] = _wrk_version(program)
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        for scenario in plan.scenarios:
            absences = [_absence(target, scenario, found) for target in plan.targets]
            results.outcomes[scenario.name] = [
                Outcome(target.name, absent=absence) for target, absence in zip(plan.targets, absences, strict=True)
            ]
        for family in families(plan.scenarios):
            for scenario in family:
                say(f"{scenario.name}: {scenario.title}")
            _run_family(bench, family, found, results, say)
    finally:
        signal.signal(signal.SIGTERM, previous)
    return results


def families(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Scenarios that are measured in the same rounds, for what one adds to another is less than what the machine does
    meanwhile: each with those that have it as the plain one beside them."""
    names = {scenario.name for scenario in scenarios}
    found: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        head = scenario.plain if scenario.plain in names else scenario.name
        found.setdefault(head, []).append(scenario)
    return list(found.values())


def _run_family(
    bench: Bench, family: Sequence[Scenario], found: dict[str, list[str] | None], results: Results, say: Say
) -> None:
    with ExitStack() as stack:
        # The folder stays until all that writes into it has ended, so it is entered first.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maniple-bench-")))
        origin = stack.enter_context(Origin(folder, bench.other_cpus))
        results.programs["origin"] = origin.kind
        logged = any(scenario.httplog for scenario in family)
        sink = stack.enter_context(Sink(folder, bench.other_cpus)) if logged else None
        width = max(len(scenario.name) for scenario in family) if len(family) > 1 else 0
        for number in range(1, bench.plan.rounds + 1):
            for position, target in enumerate(bench.plan.targets):
                for scenario in family:
                    outcome, program = results.outcomes[scenario.name][position], found[target.name]
                    if outcome.absent or program is None:
                        continue
                    own = folder / f"{number}-{target.name}-{scenario.name}"
                    own.mkdir()
                    heard = sink if scenario.httplog else None
                    sample = measure(Subject(bench, scenario, target, program, origin, heard, own, number))
                    outcome.samples.append(sample)
                    what = f"{scenario.name:<{width}} " if width else ""
                    say(f"  {number}/{bench.plan.rounds} {what}{target.name:<13} {_in_words(sample)}")
                    if not origin.alive():
                        raise ProcessFault("the origin has ended")


def measure(subject: Subject) -> Sample:
    """One target in one round. Faults of processes become faults of the sample."""
    try:
        return MEASURES[subject.scenario.kind](subject)
    except (ProcessFault, ValueError, OSError) as fault:
        return Sample({}, (str(fault),))


def start(subject: Subject, stack: ExitStack) -> tuple[Child, int, float]:
    """Start the target: its child, port, seconds until its first answer. Tries again when somebody took the port."""
    maxconn = maxconn_for(subject.scenario, subject.bench.descriptors)
    for attempt in range(1, PORT_TRIES + 1):
        port = free_port()
        log_port = subject.sink.port if subject.sink else 0
        setting = Setting(subject.scenario, subject.folder, port, subject.origin.port, maxconn, log_port)
        launch: Launch = subject.target.write(subject.program, setting)
        began = time.monotonic()
        child = stack.enter_context(
            Child(
                subject.target.name,
                launch.command,
                subject.folder,
                cpus=subject.bench.target_cpus,
                environment=launch.environment,
            )
        )
        try:
            wait_answer(child, port, subject.scenario.path)
            return child, port, time.monotonic() - began
        except ProcessFault:
            taken = "in use" in child.last_words().lower() or "cannot bind" in child.last_words().lower()
            child.end()
            if not taken or attempt == PORT_TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")


def load(subject: Subject, port: int, seconds: float) -> wrk.Load:
    """One run of wrk against the port."""
    path = subject.folder / "load.lua"
    path.write_text(wrk.script(subject.scenario, port, seed=subject.number * 1000), encoding="latin-1")
    words = wrk.command(subject.bench.wrk, str(path), port, subject.scenario.connections, seconds)
    with Child("wrk", words, subject.folder, cpus=subject.bench.other_cpus) as child:
        code = child.wait(seconds + wrk.SECONDS_TO_END)
        if code:
            raise ProcessFault(f"wrk ended with {code}: {child.last_words()}")
        return wrk.parse(child.output.read_text())


def busy(subject: Subject, child: Child, port: int) -> Sample:
    """Load for the measured time; CPU time before and after it of all processes that the target has."""
    family = child.family()
    log_lines = subject.sink.count() if subject.sink else 0
    cpus = subject.bench.target_cpus
    before, busy_before, began = cpu_ns(family), busy_seconds(cpus), time.monotonic()
    done = load(subject, port, subject.bench.plan.seconds)
    spent, busy_after, passed = cpu_ns(family) - before, busy_seconds(cpus), time.monotonic() - began
    faults = done.faults(subject.scenario.download)
    if child.family() != family or not child.alive():
        faults.append(f"its processes changed while measured: {child.last_words()}")
        return Sample({}, tuple(faults))
    resident, proportional = memory_kib(family)
    requests = max(1, done.requests)
    figures = {
        "cpu_us": spent / 1000 / requests,
        "rate": done.rate,
        "p50_ms": done.p50_us / 1000,
        "p99_ms": done.p99_us / 1000,
        "busy": spent / 1e9 / passed,
        "rss_mib": resident / 1024,
        "pss_mib": proportional / 1024,
        "requests": float(done.requests),
    }
    if cpus != subject.bench.other_cpus:
        figures["others"] = max(0.0, (busy_after - busy_before - spent / 1e9) / passed)
    if subject.sink:
        figures["log_share"] = (_settled(subject.sink) - log_lines) / requests
        if figures["log_share"] < LOG_SHARE:
            faults.append(f"only {figures['log_share']:.0%} of the log lines arrived")
    return Sample(figures, tuple(faults))


def warm_up(subject: Subject, port: int) -> None:
    """The load before what is measured, if the plan has one."""
    if subject.bench.plan.warm_up:
        load(subject, port, subject.bench.plan.warm_up)


def measure_requests(subject: Subject) -> Sample:
    with ExitStack() as stack:
        child, port, _seconds = start(subject, stack)
        warm_up(subject, port)
        return busy(subject, child, port)


def measure_idle(subject: Subject) -> Sample:
    """The busy load alone, beside the idle connections, and alone again: same process, so that only they differ, and
    the mean of both times alone, so that a drift of the machine does not look like their cost."""
    scenario = subject.scenario
    with ExitStack() as stack:
        child, port, _seconds = start(subject, stack)
        warm_up(subject, port)
        alone = busy(subject, child, port)
        if alone.faults:
            return alone
        count = min(scenario.idle, maxconn_for(scenario, subject.bench.descriptors) - scenario.connections - 20)
        before, _ = memory_kib(child.family())
        idle = stack.enter_context(
            IdleClients(subject.folder, port, count, scenario.path, subject.bench.other_cpus),
        )
        held = idle.wait_ready()
        after, _ = memory_kib(child.family())
        beside = busy(subject, child, port)
        if beside.faults:
            return beside
        closed = idle.released()
        # Not measured: it also gives the target time to close ten thousand connections.
        warm_up(subject, port)
        again = busy(subject, child, port)
        if again.faults:
            return again
        alone_us = (alone.figures["cpu_us"] + again.figures["cpu_us"]) / 2
        figures = {
            **beside.figures,
            "alone_cpu_us": alone_us,
            "idle_added_percent": 100 * (beside.figures["cpu_us"] / alone_us - 1),
            "idle_connections": float(held),
            "idle_kib": (after - before) / held,
        }
        faults = (f"{closed} of {held} idle connections were closed",) if closed else ()
        return Sample(figures, faults)


def measure_start(subject: Subject) -> Sample:
    with ExitStack() as stack:
        child, _port, seconds = start(subject, stack)
        resident, proportional = memory_kib(child.family())
        return Sample({"start_ms": seconds * 1000, "rss_mib": resident / 1024, "pss_mib": proportional / 1024})


MEASURES: dict[Kind, Callable[[Subject], Sample]] = {
    Kind.REQUESTS: measure_requests,
    Kind.IDLE: measure_idle,
    Kind.START: measure_start,
}


def machine(bench: Bench) -> dict[str, str]:
    """What the figures were measured on, in words."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cpus = len(bench.target_cpus)
    shared = "one CPU for everything" if cpus == 1 else f"target, load and origin share {cpus} CPUs"
    alone = bench.target_cpus != bench.other_cpus
    return {
        "cpu": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load average before": f"{os.getloadavg()[0]:.2f}",
        "placement": "target on a CPU of its own, load and origin on the others" if alone else shared,
        "open files": str(bench.descriptors),
    }


def _absence(target: Target, scenario: Scenario, found: dict[str, list[str] | None]) -> str:
    return target.skips(scenario) if found[target.name] else target.missing


def _settled(sink: Sink) -> int:
    """Lines once no more come: the sink may lag behind, and a target may hold a line for a few milliseconds."""
    seen = sink.count()
    while True:
        time.sleep(0.05)
        now = sink.count()
        if now == seen:
            return now
        seen = now


def _in_words(sample: Sample) -> str:
    if sample.faults:
        return f"FAIL: {'; '.join(sample.faults)}"
    figures = sample.figures
    words = []
    if "cpu_us" in figures:
        words.append(f"{figures['cpu_us']:.2f} µs/request, {figures['rate']:.0f}/s")
    if figures.get("others", 0.0) > DISTURBED:
        words.append(f"others used {figures['others']:.0%} of its CPU")
    if "idle_kib" in figures:
        words.append(f"idle {figures['idle_added_percent']:+.1f} %, {figures['idle_kib']:.2f} KiB each")
    if "start_ms" in figures:
        words.append(f"answered after {figures['start_ms']:.0f} ms")
    return ", ".join(words)


def _wrk_version(program: str) -> str:
    with tempfile.TemporaryDirectory() as folder, Child("wrk", [program, "-v"], Path(folder)) as child:
        child.wait(10)
        return child.output.read_text().split("[")[0].strip()


def _end(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds like Ctrl-C, so that every `with` ends what it started."""
    raise SystemExit(128 + number)
