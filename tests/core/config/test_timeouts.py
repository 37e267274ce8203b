from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.timeouts import TIMEOUTS


@pytest.mark.parametrize("name", sorted(TIMEOUTS))
def test_each_is_stored(read: Any, name: str) -> None:
    times = read(f"listen l\n timeout {name} 5s\n").proxy("l").timeouts
    assert getattr(times, name.replace("-", "_")) == 5000


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("timeout", "`timeout` expects one of check, client"),
        ("timeout foo 3", "2:10 unknown word 'foo' after `timeout`"),
        ("timeout client", "`timeout client` expects <time>"),
        ("timeout client 5x", "has the unknown unit 'x'"),
        ("timeout client -5", "must not be negative"),
        ("timeout client 1.5s", "decimal"),
        ("timeout client 25d", "too long"),
        ("timeout client 1s 2s", "extra argument '2s'"),
        ("timeout handshake 3s", "HAProxy keyword `timeout handshake` is not supported by maniple yet"),
    ],
)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    (error,) = read(f"listen l\n {line}\n").errors
    assert complaint in error


def test_overwriting_is_a_warning(read: Any) -> None:
    outcome = read("defaults\n timeout client 1s\nfrontend f\n bind :80\n timeout client 2s\n timeout client 3s\n")
    assert outcome.warnings == ["6:2 `timeout client` overwrites line 5"]
    assert outcome.proxy("f").timeouts.client == 3000


def test_wrong_side_is_ignored(read: Any) -> None:
    outcome = read("backend b\n timeout client 3s\n")
    assert outcome.warnings == ["2:2 `timeout client` has no place in a backend section: ignored"]
    assert outcome.proxy("b").timeouts.client is None
