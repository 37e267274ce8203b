"""The same lines to HAProxy's own control sockets: what frames an answer must be the same, what scripts parse too."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maniple.core.addresses import Address
from maniple.core.config.global_spec import ControlSpec
from maniple.core.config.model import Place
from maniple.groups.control import Endpoint
from maniple.groups.conversation import MASTER
from maniple.tests.groups.control_rig import Rig

HAPROXY = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
HAPROXY3 = os.environ.get("HAPROXY3") or str(Path.home() / ".cache/haproxy3/haproxy")
CONFIGURATION = """
global
    stats socket {folder}/stats{number} mode 600 level admin
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend f
    bind unix@{folder}/front{number}
    default_backend b
backend b
    server s {folder}/none weight 5
"""
STATS = [
    "show version",
    "show version;show version",
    "show version;;show version",
    "show version;",
    "prompt\nshow version;show version\n\nquit",
    "prompt\nshow version\nprompt\nshow version",
    "quit;show version",
    "user;show cli level;set weight b/s 4",
    "operator;user;operator;show cli level",
    "set server b/s state drain",
    "set server b/s state foo",
    "set server b/s weight",
    "set server b/s weight 999",
    "set server b/s weight 40",
    "set server b/s weight foo",
    "set server b/s weight 5x%",
    "set server b",
    "enable server b/s",
    "disable server",
    "set weight b/s",
]
SINCE_3_0 = frozenset(
    (
        "show version;;show version",
        "show version;",
        "prompt\nshow version;show version\n\nquit",
        "prompt\nshow version\nprompt\nshow version",
        "set server b/s weight foo",
        "set server b/s weight 5x%",
    )
)
"""2.6 answers these otherwise: an empty command is unknown to it, and two complaints miss their empty line."""
PROMPTS = "prompt\nshow version\n@1\nshow version\n@master\nquit"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `master` of the system's HAProxy, and `stats` of 3.0 where there is one."""
    if HAPROXY is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is missing")
        pytest.skip("haproxy is not installed")
    folder = tmp_path_factory.mktemp("h")
    lines = [[HAPROXY, "-W", "-S", str(folder / "master")]]
    if os.access(HAPROXY3, os.X_OK):
        # Its master cannot execute itself anew out of a foreign folder: hence one of each.
        lines.append([HAPROXY3, "-db"])
    started = []
    try:
        for number, line in enumerate(lines):
            (folder / f"{number}.cfg").write_text(CONFIGURATION.format(folder=folder, number=number))
            started.append(
                subprocess.Popen(
                    [*line, "-f", str(folder / f"{number}.cfg")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        wait(lambda: "worker" in ask_early(folder / "master", "show proc;quit\n"))
        wait(lambda: ask_early(folder / f"stats{len(lines) - 1}", "show version\n"))
        (folder / "stats").symlink_to(folder / f"stats{len(lines) - 1}")
        yield folder
    finally:
        for process in started:
            process.terminate()
            process.wait(10)


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[tuple[Rig, Path]]:
    rig = Rig()
    rig.control.open(
        [
            Endpoint(ControlSpec(Place("x", 1), Address("unix", str(tmp_path / name)), level="admin"), prompt)
            for name, prompt in (("stats", ""), ("master", MASTER))
        ]
    )
    yield rig, tmp_path
    rig.close()


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(path: Path, text: str) -> str:
    told = b""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
        except OSError:
            return ""
        client.sendall(text.encode())
        while received := client.recv(65536):
            told += received
    return told.decode()


def ask_early(path: Path, text: str) -> str:
    """HAProxy's master executes itself anew while it starts, and whoever has asked it then is cut off."""
    try:
        return ask(path, text)
    except ConnectionResetError:
        return ""


def plain(text: str) -> str:
    """Without what differs by nature: versions, pids, times, and which of a server's words there are."""
    text = re.sub(r"\b\d+\.\d+\.\d+[^\s>]*", "VERSION", text)
    text = re.sub(r"^\d+> ", "PID> ", re.sub(r"(?<=> )\d+> ", "PID> ", text), flags=re.M)
    return re.sub(r"(usage: set server <backend>/<server>) .*", r"\1", text)


@pytest.mark.parametrize("said", STATS)
def test_stats_socket(theirs: Path, ours: tuple[Rig, Path], said: str) -> None:
    if said in SINCE_3_0 and not (theirs / "stats1").exists():
        pytest.skip("HAProxy 3.0 is not there (HAPROXY3 names it)")
    rig, folder = ours
    expected = ask(theirs / "stats", said + "\n")
    found = rig.ask(str(folder / "stats"), said + "\n")
    assert plain(found) == plain(expected)


def test_prompts_of_the_master(theirs: Path, ours: tuple[Rig, Path]) -> None:
    """HAProxy's says a last prompt to `quit`."""
    rig, folder = ours
    expected = ask(theirs / "master", PROMPTS + "\n").removesuffix("master> ")
    assert plain(rig.ask(str(folder / "master"), PROMPTS + "\n")) == plain(expected)


def test_show_proc(theirs: Path, ours: tuple[Rig, Path]) -> None:
    """The heading to the byte; the columns of rows stand at the same places."""
    rig, folder = ours
    expected = ask(theirs / "master", "show proc;quit\n").split("\n")
    found = rig.ask(str(folder / "master"), "show proc;quit\n").split("\n")
    assert found[0] == expected[0]

    def shape(rows: list[str]) -> list[object]:
        return [
            [match.start() for match in re.finditer(r"(?<!\S)\S(?!failed)(?!\d*\])", row)][:2] or row for row in rows
        ]

    assert shape(found[:2]) == shape(expected[:2])
    assert [row for row in expected if row.startswith("# ")] == ["# workers", "# programs"]
    assert [row for row in found if row.startswith("# ")] == ["# workers", "# old workers", "# programs"]
