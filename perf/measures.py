"""Figures of one measurement, and what many rounds of them say together.

Owns the list of metrics, medians, spreads and ratios. Pure arithmetic: no process, no file. Invariant: a ratio is the
median of the ratios *within* a round, not the ratio of medians, because what disturbs a machine disturbs neighbours
in time alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

METRICS: dict[str, str] = {
    "cpu_us": "CPU µs per request, user and system, of all processes of the target",
    "rate": "requests per second",
    "p50_ms": "median latency in ms, as wrk sees it with all connections busy",
    "p99_ms": "99th percentile of latency in ms",
    "busy": "share of one CPU that the target used while measured",
    "others": "share of the CPU kept for the target that anything else used meanwhile: noise",
    "rss_mib": "resident memory of all processes after the load, MiB (shared pages counted in each)",
    "pss_mib": "the same with shared pages divided among their users",
    "requests": "requests counted",
    "log_share": "log lines that reached the syslog sink, per request",
    "idle_connections": "idle keep-alive client connections held",
    "idle_kib": "resident memory that one idle keep-alive client connection added, KiB",
    "alone_cpu_us": "CPU µs per request without the idle connections, mean of before and after them",
    "idle_added_percent": "by how many per cent the idle connections raised the CPU time of a busy request",
    "start_ms": "ms from the start of the process to the first answered request",
}


@dataclass(frozen=True)
class Sample:
    """One target in one round: figures by name, and faults in words. A sample with a fault counts for nothing."""

    figures: Mapping[str, float]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spread:
    """A figure over the rounds."""

    median: float
    low: float
    high: float


@dataclass
class Outcome:
    """What a target did in a scenario: a sample per round, or the reason why there is none."""

    target: str
    samples: list[Sample] = field(default_factory=list)
    absent: str = ""

    @property
    def faults(self) -> list[str]:
        """Every fault with its round, counted from 1."""
        return [f"round {number}: {fault}" for number, sample in enumerate(self.samples, 1) for fault in sample.faults]

    @property
    def state(self) -> str:
        """`absent` (did not run), `FAIL` (any fault in any round), or `ok`."""
        if self.absent:
            return "absent"
        return "FAIL" if self.faults or not self.samples else "ok"

    def spread(self, metric: str) -> Spread | None:
        """Median, lowest and highest of the faultless rounds; None where no round has the metric."""
        return spread([sample.figures[metric] for sample in self.samples if usable(sample, metric)])


def usable(sample: Sample, metric: str) -> bool:
    return not sample.faults and metric in sample.figures


def spread(values: Sequence[float]) -> Spread | None:
    return Spread(median(values), min(values), max(values)) if values else None


def differences(one: Outcome, other: Outcome, metric: str) -> list[float]:
    """`one` less `other`, round by round, where both have a faultless figure."""
    return [
        mine.figures[metric] - theirs.figures[metric]
        for mine, theirs in zip(one.samples, other.samples, strict=False)
        if usable(mine, metric) and usable(theirs, metric)
    ]


def ratios(one: Outcome, other: Outcome, metric: str) -> list[float]:
    """`one` over `other`, round by round, where both have a faultless figure."""
    return [
        mine.figures[metric] / theirs.figures[metric]
        for mine, theirs in zip(one.samples, other.samples, strict=False)
        if usable(mine, metric) and usable(theirs, metric) and theirs.figures[metric]
    ]


def ratio(one: Outcome, other: Outcome, metric: str) -> Spread | None:
    """Median and spread of the rounds' ratios; None where no round has both."""
    return spread(ratios(one, other, metric))
