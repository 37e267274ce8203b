"""Fetches of what frontends, backends and servers are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.rules.catalogue import Stage


class Facts:
    servers: tuple[Facts, ...]

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)


def server(name: str, **facts: Any) -> Facts:
    known: dict[str, Any] = {"weight": 2, "eweight": 32, "maxconn": 10, "maxqueue": 5, "served": 3}
    known |= {"usable": True, "backup": False, "waiting": (1,)}
    return Facts(name=name, spec=Facts(weight=4, id=9), **{**known, **facts})


def backend(*servers: Facts, **facts: Any) -> Facts:
    timeouts = Facts(server=7000, tunnel=None)
    known: dict[str, Any] = {"served": 3, "queued": 3, "active_count": 2, "candidates": servers}
    return Facts(name="b", servers=servers, spec=Facts(id=4, timeouts=timeouts), **{**known, **facts})


TWO = backend(server("s"), server("t", served=12), server("u", backup=True))

CASES: list[tuple[str, Any]] = [
    ("fe_id", 3),
    ("be_id", 4),
    ("fe_name", b"web"),
    ("be_name", b"b"),
    ("fe_defbe", b"b"),
    ("fe_client_timeout", 5000),
    ("be_server_timeout", 7000),
    ("be_tunnel_timeout", 0),
    ("so_id", 1),
    ("so_name", None),
    ("srv_id", 9),
    ("srv_name", b"s"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_value(
    text: str,
    expected: Any,
    value_of: Callable[..., Any],
    make_scope: Callable[..., Any],
    make_site: Callable[..., Any],
) -> None:
    spec = Facts(id=3, default_backend="b", binds=(Facts(name=None, id=None),), timeouts=Facts(client=5000))
    site = make_site(frontends={"web": Facts(spec=spec, name="web", connections=8)}, backends={"b": TWO})
    x = make_scope(route=Facts(backend=TWO), server=TWO.servers[0])
    assert value_of(text, x, site=site, stage=Stage.BACK_RESPONSE) == expected
