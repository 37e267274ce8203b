from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from maniple.core.config.model import Address, BindSpec, Configuration, GlobalSpec, Place, ProxySpec, ServerSpec
from maniple.groups.foundation import exceeded_limits, lay_foundation, plan
from maniple.groups.listeners import close_listeners
from maniple.groups.notices import Notices
from maniple.groups.privileges import PrivilegeError

PLACE = Place("test.cfg", 1)


def configuration_of(port: int = 0, **words: object) -> Configuration:
    bind = BindSpec(PLACE, "text", (Address("inet", "127.0.0.1", port, port),))
    spec = GlobalSpec(**words)  # type: ignore[arg-type]
    return Configuration(spec, (ProxySpec(PLACE, "web", "frontend", binds=(bind,)),))


def test_everything_stands(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    foundation = lay_foundation(configuration_of(nbgroup=2, nbthread=3, maxconn=10), str(path), Notices())
    assert foundation is not None
    assert len(foundation.listeners) == foundation.placement.threads == foundation.columns.count == 3
    assert path.read_text() == f"{os.getpid()}\n"
    close_listeners(list(foundation.listeners))
    foundation.columns.close()
    foundation.segment.close()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"nbgroup": 3, "nbthread": 2}, "nbthread 2 is less than nbgroup 3"),
        ({"user": "no-such-user"}, "cannot find user id for 'no-such-user'"),
        ({"ulimit_n": 1 << 40}, f"Cannot raise FD limit to {1 << 40}, limit is"),
        ({"pidfile": "/nowhere/at/all"}, "Cannot create pidfile /nowhere/at/all (No such file or directory)."),
    ],
)
def test_what_fails_is_said_and_nothing_stays_open(
    words: dict[str, object], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.listdir("/proc/self/fd")
    configuration = configuration_of(0, **words)
    assert lay_foundation(configuration, configuration.globals.pidfile, Notices(quiet=True)) is None
    assert text in capsys.readouterr().err
    assert os.listdir("/proc/self/fd") == before


def test_a_user_that_is_refused_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(uid: int | None, gid: int | None) -> None:
        raise PrivilegeError(f"Cannot set gid {gid}.")

    monkeypatch.setattr("maniple.groups.foundation.drop_privileges", refuse)
    before = os.listdir("/proc/self/fd")
    assert lay_foundation(configuration_of(gid=7), str(tmp_path / "pid"), Notices()) is None
    assert "Cannot set gid 7." in capsys.readouterr().err
    assert os.listdir("/proc/self/fd") == before
    assert not list(tmp_path.iterdir())


def test_a_taken_address_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert lay_foundation(configuration_of(taken.getsockname()[1]), None, Notices()) is None
    lines = capsys.readouterr().err.splitlines()
    assert "cannot bind socket (Address already in use)" in lines[0]
    assert lines[1].endswith("Some protocols failed to start their listeners! Exiting.")


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
