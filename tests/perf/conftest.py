"""Shared by the tests of the bench: programs they need, and results as a run would give them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest
from maniple.perf.harness import Results
from maniple.perf.measures import Outcome, Sample

SBIN = "/usr/sbin:/usr/local/sbin:/sbin"


@pytest.fixture
def need() -> Callable[..., None]:
    """`need("wrk")` skips the test where the program is missing, with a reason; in CI that is a failure."""

    def check(*names: str) -> None:
        for name in names:
            if not (shutil.which(name) or shutil.which(name, path=SBIN)):
                message = f"{name} is not installed"
                if os.environ.get("CI"):
                    pytest.fail(message)
                pytest.skip(message)

    return check


def samples(*cpu_us: float) -> list[Sample]:
    return [
        Sample({"cpu_us": value, "rate": 1e6 / value, "p50_ms": 1.0, "p99_ms": 2.0, "rss_mib": 15.0})
        for value in cpu_us
    ]


@pytest.fixture
def results() -> Results:
    """Three rounds of two scenarios: maniple passes one goal and misses another, nginx failed once, one is absent."""
    return Results(
        machine={"cpu": "A <fast> CPU & more", "cores": "2", "kernel": "Linux 6"},
        programs={"haproxy": "HAProxy 2.6", "wrk": "4.1"},
        settings={"rounds": 3, "seconds": 1, "warm_up": 1},
        outcomes={
            "small": [
                Outcome("maniple", samples(11, 22, 12)),
                Outcome("haproxy", samples(10, 20, 10)),
                Outcome("nginx", [*samples(9, 9), Sample({}, ("3 connections not made",))]),
                Outcome("mitmproxy", absent="not installed: pip install mitmproxy"),
            ],
            "idle": [
                Outcome("maniple", [Sample({"cpu_us": 11.0, "idle_kib": 3.5, "idle_added_percent": 2.0})]),
                Outcome("haproxy", [Sample({"cpu_us": 10.0, "idle_kib": 0.8, "idle_added_percent": 1.0})]),
            ],
        },
    )
