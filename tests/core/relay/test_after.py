"""`http-after-response` over our own answers."""

from __future__ import annotations

from collections.abc import Callable

from maniple.tests.core.relay.rig import Rig
from maniple.tests.core.relay.ruled_rig import ruled

AFTER = "http-after-response set-header A %[status]\nhttp-after-response del-header cache-control"


def test_over_a_rules_answer(make_rig: Callable[..., Rig]) -> None:
    rig = ruled(make_rig, f"http-request return status 404 content-type text/plain string no\n{AFTER}")
    assert rig.ask().take() == (
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\ncontent-type: text/plain\r\na: 404\r\n\r\nno"
    )


def test_over_a_failure_that_closes(make_rig: Callable[..., Rig]) -> None:
    rig = ruled(make_rig, AFTER, close_mode="close")
    client = rig.ask()
    rig.lose(rig.upstream())
    got = client.take()
    assert got.startswith(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: ")
    assert b"cache-control" not in got and b"\r\na: 502\r\n" in got
    assert got.count(b"connection: close\r\n") == 1


def test_over_a_head_without_its_body(make_rig: Callable[..., Rig]) -> None:
    rig = ruled(make_rig, f"http-request deny\n{AFTER}")
    got = rig.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").take()
    assert got.startswith(b"HTTP/1.1 403 ") and got.endswith(b"a: 403\r\n\r\n")


def test_its_status_is_logged(make_rig: Callable[..., Rig]) -> None:
    rig = ruled(make_rig, "http-request deny\nhttp-after-response set-status 404")
    assert rig.ask().take().startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert rig.lines() == [(404, "PR")]
