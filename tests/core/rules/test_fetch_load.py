"""Fetches of how busy frontends, backends and servers are."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.levels import ACTIVE, QUEUED, WIDTH, Levels
from maniple.pools.pulses import CONNECTIONS, Pulses


def server(name: str, **facts: Any) -> Any:
    known: dict[str, Any] = {"weight": 2, "eweight": 32, "served": 3, "sessions": 0}
    known |= {"usable": True, "backup": False, "waiting": (1,), "maxconn": 10, "maxqueue": 5}
    known |= facts
    spec = SimpleNamespace(weight=4, id=9, maxconn=known.pop("maxconn"), minconn=0, maxqueue=known.pop("maxqueue"))
    return SimpleNamespace(name=name, spec=spec, **known)


def backend(*servers: Any, **facts: Any) -> Any:
    known: dict[str, Any] = {"served": 3, "queued": 3, "active_count": 2, "candidates": servers, "sessions": 0}
    made = SimpleNamespace(name="b", servers=servers, **{**known, **facts})
    for one in servers:
        one.backend = made
    return made


@pytest.fixture
def place() -> Any:
    return backend(server("s"), server("t", served=12), server("u", backup=True))


CASES: list[tuple[str, Any, int]] = [
    # The thread's own, and how much more with another thread that has 100 of each.
    ("nbsrv", 2, 2),
    ("queue", 3, 103),
    ("queue(b)", 3, 103),
    ("avg_queue", 2, 52),
    ("be_conn", 6, 106),
    ("be_conn_free", 7, 0),
    ("connslots", 7 + 4 - 2 + 4 + 7 + 4, 7 + 4 - 2 + 4 + 7 + 4 - 600),
    ("srv_conn(s)", 3, 103),
    ("srv_conn(b/t)", 12, 112),
    ("srv_conn_free(s)", 7, 0),
    ("srv_conn_free(t)", 0, 0),
    ("srv_is_up(s)", True, True),
    ("srv_queue(s)", 1, 101),
    ("str(b/s),srv_queue", 1, 101),
    ("srv_weight(s)", 2, 2),
    ("srv_uweight(s)", 2, 2),
    ("srv_iweight(s)", 4, 4),
    ("fe_conn", 8, 108),
    ("fe_conn(web)", 8, 108),
    ("dst_conn", 8, 108),
    ("act_conn", 3, 203),
    ("fe_sess_rate", 0, 0),
    ("fe_req_rate(web)", 0, 0),
    ("be_sess_rate", 0, 0),
    ("srv_sess_rate(s)", 0, 0),
]


def site_of(make_site: Callable[..., Any], place: Any, levels: Levels) -> Any:
    web = SimpleNamespace(name="web", connections=8, sessions=0, requests=0)
    return make_site(frontends={"web": web}, backends={"b": place}, levels=levels)


def two_threads() -> tuple[Levels, Pulses]:
    names = [("frontend", "web"), ("backend", "b"), *(("server", f"b/{name}") for name in "stu")]
    rows = {row: number * WIDTH for number, row in enumerate(names)}
    words = len(rows) * WIDTH
    pulses = Pulses(memoryview(bytearray(Pulses.size(2, words))), 2, words)
    pulses.use(2)
    return Levels(rows, pulses.pulse(1)), pulses


@pytest.mark.parametrize(("text", "expected", "with_another"), CASES, ids=[case[0] for case in CASES])
def test_value(
    text: str,
    expected: Any,
    with_another: Any,
    value_of: Callable[..., Any],
    make_scope: Callable[..., Any],
    make_site: Callable[..., Any],
    place: Any,
) -> None:
    x = make_scope(route=SimpleNamespace(backend=place), server=place.servers[0])
    alone = site_of(make_site, place, Levels())
    assert value_of(text, x, site=alone, stage=Stage.BACK_RESPONSE) == expected
    levels, pulses = two_threads()
    other = pulses.pulse(2)
    for first in range(0, len(other.levels), WIDTH):
        other.levels[first + ACTIVE] = other.levels[first + QUEUED] = 100
    other.words[CONNECTIONS] = 200
    if "rate" not in text:
        both = site_of(make_site, place, levels)
        assert value_of(text, x, site=both, stage=Stage.BACK_RESPONSE) == with_another


def test_without_limits_and_without_servers(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    """A backend that is not among the site's: what stands for one while none is chosen."""
    x = make_scope(route=SimpleNamespace(backend=backend(server("s", maxconn=0))))
    assert value_of("be_conn_free", x) == value_of("connslots", x) == -1
    x = make_scope(route=SimpleNamespace(backend=backend(active_count=0)))
    assert value_of("nbsrv", x) == 0 and value_of("avg_queue", x) == 6


@pytest.mark.parametrize("text", ["be_conn", "be_conn(b)"])
def test_a_request_in_its_backends_rules_counts(
    text: str, value_of: Callable[..., Any], make_scope: Callable[..., Any], make_site: Callable[..., Any], place: Any
) -> None:
    site = site_of(make_site, place, Levels())
    x = make_scope(route=SimpleNamespace(backend=place))
    assert value_of(text, x, site=site, stage=Stage.BACK_REQUEST) == 7
    assert value_of(text, x, site=site, stage=Stage.FRONT_REQUEST) == 6
    x.server = place.servers[0]
    assert value_of(text, x, site=site, stage=Stage.BACK_REQUEST) == 6


RATES = [
    ("fe_sess_rate", "web", "sessions"),
    ("fe_sess_rate(web)", "web", "sessions"),
    ("fe_req_rate", "web", "requests"),
    ("be_sess_rate", "b", "sessions"),
    ("be_sess_rate(b)", "b", "sessions"),
    ("srv_sess_rate(t)", "t", "sessions"),
    ("srv_sess_rate(b/t)", "t", "sessions"),
]


@pytest.mark.parametrize(("text", "who", "count"), RATES)
def test_rates(
    text: str, who: str, count: str, make_scope: Callable[..., Any], make_site: Callable[..., Any], place: Any
) -> None:
    from maniple.core.rules.expression import compile_text

    now = [10_000.0]
    site = site_of(make_site, place, Levels({}, None, lambda: now[0]))
    run = compile_text(text, site, Stage.LOG).run
    x = make_scope(route=SimpleNamespace(backend=place), server=place.servers[0])
    counted = {"web": site.frontends["web"], "b": place, "t": place.servers[1]}[who]
    assert run(x) == 0
    setattr(counted, count, 12)
    assert run(x) == 12
    now[0] += 1500.0
    assert run(x) == 6
    now[0] += 2000.0
    assert run(x) == 0
    (key,) = [key for key in site.levels.counted if key[1].endswith(who)]
    assert key[0] in ("frontend", "backend", "server")
