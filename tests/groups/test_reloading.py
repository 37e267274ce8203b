"""Who asks for a reload, and what they are told."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from maniple.tests.groups.proxies import Proxy, alive, echoed, until


def test_who_asks_is_told_what_there_is_to_say(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy()
    assert proxy.reload(said="test.cfg:3: warning: rarely a good idea") == (
        True,
        "test.cfg:3: warning: rarely a good idea",
    )
    ok, text = proxy.reload(errors="test.cfg:3: error: no such word")
    assert not ok
    assert "no such word" in text
    assert "Failed to reload: generation 2 goes on." in proxy.stderr


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGHUP])
def test_signals_ask_too(start_proxy: Callable[..., Proxy], number: signal.Signals) -> None:
    proxy = start_proxy()
    proxy.signal(number)
    until(lambda: proxy.status()["generation"] == 2, "the reload")


def test_those_who_ask_during_a_reload_get_one_more_together(start_proxy: Callable[..., Proxy], tmp_path: Path) -> None:
    proxy = start_proxy()
    gate = tmp_path / "gate"
    proxy.change(fail={"at": "build", "gate": str(gate)})
    waiting = [proxy.say("reload")]
    until(lambda: proxy.status()["state"] == "reloading", "the first reload")
    waiting += [proxy.say("reload") for _ in range(3)]
    gate.touch()
    assert [proxy.answer(sock) for sock in waiting] == [(True, "")] * 4
    assert proxy.status()["reloads"] == 2


def test_a_generation_outlives_only_so_many_reloads(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "max_reloads": 1})
    first, _, oldest = proxy.connect()
    assert proxy.ask("reload") == (True, "")
    second, _, old = proxy.connect()
    assert proxy.ask("reload") == (True, "")
    until(lambda: not alive(oldest), "the end of the oldest")
    assert not echoed(first)
    assert echoed(second)
    assert alive(old)


def test_nothing_is_reloaded_at_the_end(start_proxy: Callable[..., Proxy], tmp_path: Path) -> None:
    proxy = start_proxy(globals={"nbgroup": 1})
    held, _, _ = proxy.connect()
    gate = tmp_path / "gate"
    proxy.change(fail={"at": "build", "gate": str(gate)})
    first = proxy.say("reload")
    until(lambda: proxy.status()["state"] == "reloading", "the first reload")
    second = proxy.say("reload")
    until(lambda: proxy.ask("show status json")[0], "both were heard")
    proxy.signal(signal.SIGUSR1)
    assert proxy.answer(first) == (False, "maniple is about to end.")
    assert proxy.answer(second) == (False, "maniple is about to end.")
    assert proxy.ask("reload") == (False, "maniple is about to end.")
    held.close()
    gate.touch()
    assert proxy.wait() == 0


def test_who_asks_before_the_start_is_over_gets_a_reload_behind_it(
    start_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    proxy = start_proxy(ready=False, fail={"at": "build", "gate": str(gate)})
    until(lambda: bool(psutil.Process(proxy.pid).children()), "a group that builds")
    proxy.signal(signal.SIGUSR2)
    gate.touch()
    until(lambda: "Reloaded in" in proxy.stderr, "the reload")
    assert proxy.status()["generation"] == 2
