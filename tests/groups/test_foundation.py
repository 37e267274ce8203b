from __future__ import annotations

import itertools
import os
import socket
from typing import Any

import pytest
from maniple.core.config.model import Address, BindSpec, Configuration, GlobalSpec, Place, ProxySpec, ServerSpec
from maniple.groups.foundation import Foundation, FoundationError, exceeded_limits, lay_foundation, plan
from maniple.groups.notices import Notices
from maniple.groups.tables import Tables

PLACE = Place("test.cfg", 1)


def configuration_of(port: int = 0, **words: object) -> Configuration:
    bind = BindSpec(PLACE, "text", (Address("inet", "127.0.0.1", port, port),))
    spec = GlobalSpec(**words)  # type: ignore[arg-type]
    return Configuration(spec, (ProxySpec(PLACE, "web", "frontend", binds=(bind,)),))


def lay(configuration: Configuration, quiet: bool = False, **words: Any) -> Foundation:
    return lay_foundation(configuration, Notices(quiet=quiet), itertools.count(1), Tables(), **words)


def test_everything_stands() -> None:
    foundation = lay(configuration_of(nbgroup=2, nbthread=3, maxconn=10))
    assert len(foundation.listening.listeners) == foundation.placement.threads == 3
    assert foundation.columns.count == foundation.pulses.capacity
    assert foundation.columns.shape.rows[1] == ("frontend", "web")
    foundation.listening.close()
    foundation.close()


def test_another_one_keeps_sockets_and_undoes_only_its_own() -> None:
    first = lay(configuration_of())
    port = first.listening.listeners[0].address.port
    assert first.listening.start() == []
    kept = first.listening
    second = lay(configuration_of(), before=first)
    assert {one.number for one in second.listening.listeners} == kept.numbers
    second.listening.close_new(kept)
    second.close()
    with pytest.raises(FoundationError):
        lay(configuration_of(user="no-such-user"), quiet=True, before=first)
    with pytest.raises(FoundationError):
        lay(configuration_of(ulimit_n=1 << 40), quiet=True, before=first)
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
    kept.close()
    first.close()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"nbgroup": 3, "nbthread": 2}, "config : 3 groups cannot share 2 threads"),
        ({"nbgroup": 2, "nbthread": 300}, "config : 2 groups with 300 threads: 256 of each are the most"),
        ({"user": "no-such-user"}, "config : [maniple.main()] cannot find user id for 'no-such-user'"),
        ({"chroot": "/nowhere/at/all"}, "Cannot chroot(/nowhere/at/all) (No such file or directory)."),
        ({"ulimit_n": 1 << 40}, f"Cannot raise FD limit to {1 << 40}, limit is"),
    ],
)
def test_what_fails_is_said_and_nothing_stays_open(words: dict[str, object], text: str) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(FoundationError) as caught:
        lay(configuration_of(0, **words), quiet=True)
    assert text.replace("[maniple.main()] ", "") in str(caught.value).replace("[maniple.main()] ", "")
    assert str(caught.value) == "\n".join(caught.value.lines)
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_segment_that_cannot_be_made_leaves_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("maniple.groups.foundation.create_pulses", refuse)
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(FoundationError, match="Too many open files"):
        lay(configuration_of())
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_taken_address_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(FoundationError) as caught:
        lay(configuration_of(taken.getsockname()[1]))
    lines = caught.value.lines
    assert "cannot bind socket (Address already in use)" in lines[0]
    assert lines[1].endswith("Some protocols failed to start their listeners! Exiting.")


def test_scaling_says_another_number_of_groups() -> None:
    assert len(plan(configuration_of(nbgroup=2, nbthread=2), 3).groups) == 3


def test_the_plan_is_for_this_machine() -> None:
    placement = plan(configuration_of())
    usable = os.sched_getaffinity(0)
    assert all(usable.issuperset(place.cpus) for place in placement.groups)
    assert plan(configuration_of(nbthread=4)).threads == 4


@pytest.mark.parametrize(("maxconn", "threads", "told"), [(1, 2, True), (2, 2, False), (0, 8, False), (7, 8, True)])
def test_limits_that_cannot_be_shared_out_are_told(maxconn: int, threads: int, told: bool) -> None:
    server = ServerSpec(PLACE, "s", Address("inet", "127.0.0.1", 80, 80), maxconn=maxconn)
    configuration = Configuration(GlobalSpec(), (ProxySpec(PLACE, "app", "backend", servers=(server,)),))
    warnings = exceeded_limits(configuration, threads)
    assert bool(warnings) == told
    assert all(f"'app/s': maxconn {maxconn} is less than the {threads} threads" in text for text in warnings)
