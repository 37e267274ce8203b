"""Reloads that meet each other, a stop, a scaling and groups that do not answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from maniple.tests.groups.proxies import Proxy, echoed, until

Start = Callable[..., Proxy]
ONE = {"nbgroup": 1}


def reloading(proxy: Proxy) -> bool:
    return bool(proxy.status()["state"] == "reloading")


def test_all_that_wait_get_one(start_proxy: Start, tmp_path: Path) -> None:
    proxy = start_proxy(globals=ONE)
    gate = tmp_path / "gate"
    proxy.change(fail={"at": "build", "gate": str(gate)})
    first = proxy.say("reload")
    until(lambda: reloading(proxy), "the first reload")
    assert proxy.ask("scale 2") == (False, "A reload or another change of the groups is under way: try again.")
    others = [proxy.say("reload") for _ in range(3)]
    proxy.signal(signal.SIGHUP)
    # They all have the configuration that is there when their reload begins.
    proxy.change(fail=None, said="the last one")
    # Asked and answered on a connection that was opened later: theirs have been read.
    assert reloading(proxy)
    gate.touch()
    assert proxy.answer(first) == (True, "")
    assert [proxy.answer(other) for other in others] == [(True, "the last one")] * 3
    status = proxy.status()
    assert (status["generation"], status["reloads"]) == (3, 2)


def test_one_that_waits_may_fail_for_itself(start_proxy: Start, tmp_path: Path) -> None:
    proxy = start_proxy(globals=ONE)
    gate = tmp_path / "gate"
    proxy.change(fail={"at": "build", "gate": str(gate), "how": "config"})
    first = proxy.say("reload")
    until(lambda: reloading(proxy), "the first reload")
    second = proxy.say("reload")
    assert reloading(proxy)
    proxy.change(fail=None)
    gate.touch()
    assert proxy.answer(first) == (False, "config : [test.cfg:7] : no such algorithm")
    assert proxy.answer(second) == (True, "")
    assert (proxy.status()["reloads"], proxy.status()["failed_reloads"]) == (1, 0)


def test_a_stop_ends_those_that_wait(start_proxy: Start, tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGUSR1):
        proxy = start_proxy(globals=ONE)
        lasting = proxy.connect()[0]
        proxy.change(fail={"at": "build", "gate": str(tmp_path / "never")})
        first = proxy.say("reload")
        until(partial(reloading, proxy), "the first reload")
        second = proxy.say("reload")
        assert reloading(proxy)
        proxy.signal(number)
        for one in (first, second):
            assert proxy.answer(one) == (False, "maniple is about to end.")
        if number == signal.SIGUSR1:
            assert echoed(lasting)
            assert proxy.ask("reload") == (False, "maniple is about to end.")
            assert proxy.ask("scale 2") == (False, "maniple is about to end.")
        lasting.close()
        assert proxy.wait() == 0, proxy.stderr


def test_without_files_there_is_nothing_to_reload(start_proxy: Start) -> None:
    proxy = start_proxy(globals=ONE, no_files=True)
    ok, text = proxy.reload()
    assert not ok
    assert "the configuration did not come from files" in text


def test_a_group_that_does_not_say_that_it_lives_is_named(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2}, forks=[True, True, True, "stop"])
    before = proxy.groups()
    ok, text = proxy.reload()
    assert not ok
    assert text.startswith("group 2 (pid ") and text.endswith(") did not acknowledge within 1 s")
    assert proxy.status()["generation"] == 1
    # It cannot hear that it is to end, and is killed.
    until(lambda: proxy.groups() == before, "both of the new ones are gone", 5.0)
    assert proxy.reload() == (True, "")


def test_a_fault_while_reading_is_an_error_as_any(start_proxy: Start) -> None:
    proxy = start_proxy(globals=ONE)
    Path(proxy.wanted["options"]["control"][0].replace("control", "wanted")).write_text("not JSON")
    ok, text = proxy.ask("reload")
    assert not ok
    assert text.startswith("The configuration cannot be read: JSONDecodeError(")
    assert proxy.status()["failed_reloads"] == 1
    assert os.path.exists(proxy.wanted["options"]["control"][0])
