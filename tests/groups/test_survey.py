"""What `show status` says of a running supervisor."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from maniple.tests.groups.proxies import Proxy, until


def test_it_says_who_serves_what(start_proxy: Callable[..., Proxy]) -> None:
    began = time.time()
    proxy = start_proxy(globals={"nbgroup": 2, "maxconn": 70})
    status = proxy.status()
    assert (status["pid"], status["generation"], status["state"]) == (proxy.pid, 1, "running")
    assert began - 1 <= status["started"] <= status["now"] <= time.time()
    assert (status["nbthread"], status["maxconn"]) == (2, 70)
    assert status["listeners"] == [{"frontend": "front", "address": proxy.addresses[0], "sockets": 2}]
    assert [group["number"] for group in status["groups"]] == [1, 2]
    for group in status["groups"]:
        assert group["state"] == "ready"
        assert group["pid"] in proxy.groups()
        assert group["generation"] == 1
        assert group["memory"] > 1_000_000
        assert group["deaths"] == 0
        (thread,) = group["threads"]
        assert thread["number"] == group["number"]
        assert thread["local"] == 1
        assert 0 <= thread["heartbeat_ms"] < 10_000


def test_deaths_are_counted_and_drains_are_shown(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(globals={"nbgroup": 1})
    os.kill(proxy.groups()[0], signal.SIGKILL)
    until(lambda: proxy.status()["groups"][0]["deaths"] == 1, "its death is known")
    proxy.wait_groups(1)
    held, _, pid = proxy.connect()
    assert proxy.reload() == (True, "")
    status = proxy.status()
    assert status["reloads"] == 1
    assert status["last_change"]["kind"] == "reload"
    (draining,) = status["draining"]
    assert (draining["number"], draining["deadline"]) == (1, None)
    assert status["started"] < draining["since"] <= status["now"]
    assert [(group["pid"], group["state"]) for group in draining["groups"]] == [(pid, "draining")]
    held.close()
    until(lambda: not proxy.status()["draining"], "the end of the drain")


def test_a_reload_that_failed_is_remembered(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy()
    ok, _ = proxy.reload(errors="test.cfg:3: error: no such word")
    assert not ok
    status = proxy.status()
    assert (status["reloads"], status["failed_reloads"]) == (0, 1)
    assert not status["last_change"]["ok"]
