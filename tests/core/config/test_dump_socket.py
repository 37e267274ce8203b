"""`bind` and `server` lines; that they read back is held by test_dump."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.dump_socket import bind_line, server_line, source_text
from maniple.core.config.model import Address, BindSpec, Place, ServerSpec, SourceSpec
from maniple.core.config.threads import parse_threads

NOWHERE = Place("", 0)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "bind :80"),
        ({"name": "n", "id": 3, "nice": -3}, "bind :80 name n id 3 nice -3"),
        ({"v6only": True, "defer_accept": True}, "bind :80 defer-accept v6only"),
        ({"mode": 0o660, "uid": 0}, "bind :80 uid 0 mode 660"),
        ({"tcp_ut": 5000, "shards": "4"}, "bind :80 tcp-ut 5s shards 4"),
        ({"threads": parse_threads("1/odd")}, "bind :80 thread 1/odd"),
    ],
)
def test_bind(fields: dict[str, Any], text: str) -> None:
    assert bind_line(BindSpec(NOWHERE, ":80", (), **fields)) == text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, ""),
        ({"weight": 0, "backup": True}, " weight 0 backup"),
        ({"check": True, "inter": 3000, "check_port": 81}, " port 81 inter 3s check"),
        ({"check_addr": "10.0.0.2", "on_error": "mark-down"}, " addr 10.0.0.2 on-error mark-down"),
        ({"source": SourceSpec("::1", 5, 9), "sticks": False}, " source [::1]:5-9 non-stick"),
    ],
)
def test_server(fields: dict[str, Any], text: str) -> None:
    address = Address("inet", "10.0.0.1", 80)
    assert server_line(ServerSpec(NOWHERE, "a", address, 7, **fields)) == f"server a {address} id 7{text}"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (SourceSpec("10.0.0.1"), "10.0.0.1"),
        (SourceSpec("::1"), "[::1]"),
        (SourceSpec("10.0.0.1", 80, 80), "10.0.0.1:80"),
        (SourceSpec("10.0.0.1", 80, 89), "10.0.0.1:80-89"),
    ],
)
def test_source(source: SourceSpec, text: str) -> None:
    assert source_text(source) == text
