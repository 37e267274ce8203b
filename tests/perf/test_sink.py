"""The sink counts datagrams."""

from __future__ import annotations

import socket
from pathlib import Path

from maniple.perf.processes import wait_until
from maniple.perf.sink import Sink


def test_sink_counts(tmp_path: Path) -> None:
    with Sink(tmp_path, None) as sink, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        assert sink.count() == 0
        for _ in range(50):
            sender.sendto(b"<134>line", ("127.0.0.1", sink.port))
        wait_until(lambda: sink.count() == 50, 5, "all lines are counted")
