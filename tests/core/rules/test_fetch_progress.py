"""Fetches of how far an exchange has come, and of its timeouts."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.rules.catalogue import Stage

CASES: list[tuple[str, Any, Any]] = [
    # Of an exchange that has ended, and of one that has just begun.
    ("cur_client_timeout", 1234, 2000),
    ("cur_server_timeout", 3000, 0),
    ("cur_tunnel_timeout", 4000, 0),
    ("txn.conn_retries", 2, 0),
    ("txn.redispatched", True, False),
    ("txn.sess_term_state", b"SD", b"--"),
    ("txn.status", 404, None),
    ("txn.timer.total", 490, None),
    ("txn.timer.user", 500, None),
]


@pytest.mark.parametrize(("text", "ended", "begun"), CASES, ids=[case[0] for case in CASES])
def test_value(text: str, ended: Any, begun: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    never = float("inf")
    x = make_scope(retries=2, redispatched=True, termination=b"SD", status=404, end_at=1500.0)
    x.session.frontend = SimpleNamespace(client_timeout=2000.0)
    x.client_timeout = 1234.0
    x.route = SimpleNamespace(server_timeout=3000.0, tunnel_timeout=4000.0)
    assert value_of(text, x, stage=Stage.LOG) == ended
    y = make_scope(route=SimpleNamespace(server_timeout=never, tunnel_timeout=never))
    y.session.frontend = SimpleNamespace(client_timeout=2000.0)
    y.client_timeout = 0.0
    if "timer" not in text:
        assert value_of(text, y, stage=Stage.BACK_RESPONSE) == begun


def test_the_status_of_the_response_whose_rules_run(
    value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    x = make_scope(response=b"HTTP/1.1 299 Odd\r\n\r\n")
    assert value_of("txn.status", x, stage=Stage.BACK_RESPONSE) == 299


def test_no_client_timeout(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope()
    x.session.frontend = SimpleNamespace(client_timeout=float("inf"))
    x.client_timeout = 0.0
    assert value_of("cur_client_timeout", x) == 0


def test_the_number_of_an_exchange_is_given_when_it_is_asked_for(
    value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    x = make_scope()
    x.number, x.numbered = 7, True
    assert value_of("txn.id32", x) == 7
    x.numbered = False
    x.snapshot = lambda: setattr(x, "number", 2**32 + 8)
    assert value_of("txn.id32", x) == 8
    assert value_of("txn.id32", x, stage=Stage.LOG) == 8
