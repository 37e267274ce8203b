from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.config.model import Configuration
from maniple.core.rehearsal.candidates import describe, settle
from maniple.core.rehearsal.stage import Stage
from maniple.core.session import Exchange


@pytest.mark.parametrize(
    ("balance", "server", "why", "share"),
    [
        ("roundrobin", "b", "the first turn", 66.7),
        ("static-rr", "b", "the first turn", 66.7),
        ("leastconn", "a", "the least loaded", None),
        ("first", "a", "the lowest id", None),
        ("random", "", "cannot be told", 66.7),
    ],
)
def test_first_choice(
    configured: Callable[[str], Configuration], balance: str, server: str, why: str, share: float | None
) -> None:
    stage = Stage(
        configured(
            f"backend b\n    balance {balance}\n    server a 127.0.0.1:1\n    server b 127.0.0.1:2 weight 2\n"
            "    server c 127.0.0.1:3 weight 0\n    server d 127.0.0.1:4 backup\n"
        )
    )
    try:
        backend = stage.backends["b"]
        choice = describe(backend, "because")
        exchange = Exchange()
        exchange.head_at = 0.0
        settle(choice, backend, backend.algorithm.choose(exchange, None), None)
    finally:
        stage.close()
    assert (choice.backend, choice.reason) == ("b", "because")
    assert choice.algorithm.startswith(balance)
    assert choice.server == server and why in choice.why
    assert [one.state for one in choice.servers] == ["up", "up", "weight 0", "up"]
    assert [one.balanced for one in choice.servers] == [True, True, False, False]
    assert choice.servers[1].share == share


def test_backups_where_nobody_else_is_up(configured: Callable[[str], Configuration]) -> None:
    stage = Stage(
        configured(
            "backend b\n    server a 127.0.0.1:1 disabled\n    server c 127.0.0.1:3 backup\n"
            "    server d 127.0.0.1:4 backup\n"
        )
    )
    try:
        backend = stage.backends["b"]
        choice = describe(backend, "")
        settle(choice, backend, backend.algorithm.choose(Exchange(), None), None)
        assert choice.server == "c" and "only one" in choice.why
        settle(choice, backend, None, None)
        assert "no server" in choice.why
        settle(choice, backend, backend.servers[2], backend.servers[2])
        assert (choice.server, choice.why) == ("d", "use-server")
    finally:
        stage.close()
