"""Events, word for word as HAProxy's, and against HAProxy itself where it can be made to say them."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.report import events
from maniple.core.report.events import Event
from maniple.core.report.syslog_header import ALERT, EMERG, NOTICE, WARNING
from maniple.core.session import Exchange

CASES: list[tuple[Event, int, str]] = [
    (events.proxy_started("web"), NOTICE, "Proxy web started."),
    (events.proxy_stopping("frontend", "web"), WARNING, "Stopping frontend web in 0 ms."),
    (events.proxy_stopping("listen", "web", 50), WARNING, "Stopping proxy web in 50 ms."),
    (events.proxy_stopped("web", 3, 2), WARNING, "Proxy web stopped (cumulated conns: FE: 3, BE: 2)."),
    (events.frontend_paused("web"), WARNING, "Paused frontend web."),
    (events.frontend_resumed("web"), WARNING, "Resumed frontend web."),
    (events.no_server("be"), EMERG, "backend be has no server available!"),
    (
        events.server_down("be", "s1", active=0, backup=1, reason="Layer4 timeout, check duration: 9ms"),
        ALERT,
        "Server be/s1 is DOWN, reason: Layer4 timeout, check duration: 9ms. 0 active and 1 backup servers left."
        " Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.",
    ),
    (
        events.server_down("be", "s2", active=0, backup=0, sessions=3, requeued=2, queued=1, is_backup=True),
        ALERT,
        "Backup Server be/s2 is DOWN. 0 active and 0 backup servers left."
        " 3 sessions active, 2 requeued, 1 remaining in queue.",
    ),
    (
        events.server_down("be", "s1", active=1, backup=0, maintenance=True),
        ALERT,
        "Server be/s1 is going DOWN for maintenance. 1 active and 0 backup servers left."
        " 0 sessions active, 0 requeued, 0 remaining in queue.",
    ),
    (
        events.server_up("be", "s1", active=1, backup=1, requeued=4, queued=5),
        NOTICE,
        "Server be/s1 is UP. 1 active and 1 backup servers online. 4 sessions requeued, 5 total in queue.",
    ),
    (
        events.server_left_maintenance("be", "s1", "UP/DRAIN"),
        NOTICE,
        "Server be/s1 is UP/DRAIN (leaving forced maintenance).",
    ),
    (
        events.server_enters_drain("be", "s1", active=0, backup=1, requeued=2, queued=3),
        NOTICE,
        "Server be/s1 enters drain state. 0 active and 1 backup servers online. Running on backup."
        " 2 sessions requeued, 3 total in queue.",
    ),
    (
        events.server_remains_in_drain("be", "s1", is_backup=True),
        NOTICE,
        "Backup Server be/s1 remains in forced drain mode.",
    ),
    (events.server_left_drain("be", "s1"), NOTICE, "Server be/s1 is UP (leaving forced drain)."),
    (
        events.check_result(
            "be", "s2", True, reason="Layer4 check passed", duration_ms=0, health=1, goal=1, state="UP", is_backup=True
        ),
        NOTICE,
        "Health check for backup server be/s2 succeeded, reason: Layer4 check passed, check duration: 0ms,"
        " status: 1/1 UP.",
    ),
    (
        events.check_result(
            "be", "s1", False, reason="Layer4", info="refused", duration_ms=7, health=0, goal=2, state="DOWN"
        ),
        NOTICE,
        'Health check for server be/s1 failed, reason: Layer4, info: "refused", check duration: 7ms, status: 0/2 DOWN.',
    ),
]


@pytest.mark.parametrize(("event", "severity", "text"), CASES, ids=[case[2][:40] for case in CASES])
def test_wording(event: Event, severity: int, text: str) -> None:
    assert event == (severity, text)


def test_error_line(make_exchange: Callable[..., Exchange]) -> None:
    session = make_exchange(accept_date=1233918854.041).session
    line = events.error_line(session, "Truncated header")
    expected = r"192\.0\.2\.7:40000 \[06/Feb/2009:\d\d:\d\d:14\.04[01]\] web/1: Truncated header"
    assert re.fullmatch(expected, line)


def test_same_words_as_haproxy(fresh_oracle: Any, haproxy_program: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    fresh_oracle.start(
        f"global\n log 127.0.0.1:{fresh_oracle.log_port} format short local0\n"
        "defaults\n mode http\n timeout client 2s\n timeout server 2s\n timeout connect 1s\n log global\n"
        f"listen web\n bind {fresh_oracle.listener('web')}\n option log-health-checks\n"
        f" server s1 127.0.0.1:{port} check inter 50 rise 1 fall 1\n",
        haproxy_program,
    )

    def said(event: Event) -> None:
        severity, text = event
        theirs = re.sub(rb"duration: \d+ms", b"duration: 0ms", fresh_oracle.line())
        assert theirs.decode() == f"<{severity}>{text}\n"

    def checked(passed: bool, reason: str, state: str, told: str = "") -> Event:
        return events.check_result(
            "web", "s1", passed, reason=reason, info=told, duration_ms=0, health=int(passed), goal=1, state=state
        )

    said(checked(True, "Layer4 check passed", "UP"))
    server.close()
    said(checked(False, "Layer4 connection problem", "DOWN", "Connection refused"))
    said(events.server_down("web", "s1", active=0, backup=0))
    said(events.no_server("web", "listen"))
    server = socket.create_server(("127.0.0.1", port))
    said(checked(True, "Layer4 check passed", "UP"))
    said(events.server_up("web", "s1", active=1, backup=0))
    fresh_oracle.process.send_signal(signal.SIGUSR1)
    said(events.proxy_stopped("web", 0, 0))
    server.close()
