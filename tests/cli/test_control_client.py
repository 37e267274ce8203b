from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from maniple.cli.control_client import NobodyThere, NotClear, ask, find, places_in, read_pid, status_of
from maniple.core.addresses import Address
from maniple.core.config.global_spec import ControlSpec
from maniple.core.config.model import Place
from maniple.groups.control import Endpoint
from maniple.tests.groups.control_rig import STATUS, FakeSteering, Rig


class Served:
    """A control socket that is answered by a thread."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.rig = Rig()
        self.rig.control.open([Endpoint(ControlSpec(Place("x", 1), Address("unix", self.path), level="admin"))])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def steering(self) -> FakeSteering:
        return self.rig.steering

    def _serve(self) -> None:
        while not self._over.is_set():
            self.rig.turn()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self.rig.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "s.sock")
    yield made
    made.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "other.sock")
    yield made
    made.close()


def test_answers(served: Served) -> None:
    assert (ask(served.path, "show version").done, ask(served.path, "show version").text) == (True, "1.2.3")
    assert ask(served.path, "reload").text == ""
    served.steering.complaint = "group 2 did not answer\n\nwithin 1 s"
    reply = ask(served.path, "scale 2")
    assert (reply.done, reply.text) == (False, "group 2 did not answer\n\nwithin 1 s")
    assert status_of(served.path)["pid"] == STATUS.pid


def test_no_answer_in_time(served: Served) -> None:
    served.steering.later = True
    assert ask(served.path, "reload", 0.2).text == "no answer within 0.2 s"


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(NobodyThere, match="No such file"):
        ask(str(tmp_path / "none"), "reload")


def test_the_only_one(served: Served, other: Served) -> None:
    assert find(running={5: served.path}) == served.path
    with pytest.raises(NotClear, match=r"say which with --pid; running:\n  5  /etc/maniple.cfg\n  6  /etc/maniple.cfg"):
        find(running={5: served.path, 6: other.path})
    with pytest.raises(NobodyThere, match="no maniple is running"):
        find(running={})


def test_by_socket_pid_and_pidfile(served: Served, tmp_path: Path) -> None:
    running = {5: served.path}
    assert find(path="/x", running=running) == "/x"
    assert find(pid=5, running=running) == served.path
    (tmp_path / "pid").write_text("5\n")
    assert find(pidfile=str(tmp_path / "pid"), running=running) == served.path
    with pytest.raises(NobodyThere, match="no maniple with pid 6; running:\n  5  "):
        find(pid=6, running=running)
    with pytest.raises(NotClear):
        find(path="/x", pid=5, running=running)


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "No such file"), ("x\n", "no process id"), ("", "no process")]
)
def test_pid_file_that_says_nothing(tmp_path: Path, content: str | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "pid").write_text(content)
    with pytest.raises(NobodyThere, match=complaint):
        read_pid(str(tmp_path / "pid"))


def test_by_the_file_that_it_was_started_with(
    served: Served, other: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative as it was said there, or as it is said here."""
    (tmp_path / "a.cfg").touch()
    served.steering.state = replace(STATUS, files=(str(tmp_path / "a.cfg"),))
    running = {os.getpid(): served.path, 2**22 + 1: other.path}
    assert find(file=str(tmp_path / "a.cfg"), running=running) == served.path
    monkeypatch.chdir(tmp_path)
    assert find(file="a.cfg", running=running) == served.path
    served.steering.state = replace(STATUS, files=("a.cfg",))
    assert find(file=str(tmp_path / "a.cfg"), running={os.getpid(): served.path}) == served.path


def test_by_what_the_file_says(served: Served, tmp_path: Path) -> None:
    """Errors in it do not matter."""
    file = tmp_path / "a.cfg"
    file.write_text(
        f"global\n  pidfile '{tmp_path}/pid'  # where\n  stats socket {tmp_path}/none level user\n"
        f"  stats socket unix@{served.path} mode 600 level admin\nnonsense\n  pidfile /wrong\n"
    )
    assert places_in(str(file)) == ([served.path, f"{tmp_path}/none"], f"{tmp_path}/pid")
    assert find(file=str(file), running={}) == served.path
    (tmp_path / "pid").write_text("5")
    assert find(file=str(file), running={5: "/five"}) == "/five"
    file.write_text("global\n")
    with pytest.raises(NobodyThere, match="no maniple is running with"):
        find(file=str(file), running={})
    with pytest.raises(NotClear, match="No such file"):
        find(file=str(tmp_path / "none.cfg"), running={})
