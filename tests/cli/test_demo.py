"""The demo as a newcomer starts it, and every way in which it may end."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from maniple.cli import demo
from maniple.core.config import parser

START = [sys.executable, "-c", "from maniple.cli.main import main; main()", "demo"]


@contextmanager
def show(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A demo in a session of its own, so that its processes can be told from all others."""
    process = subprocess.Popen(
        [*START, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def wait_until_alone(session: int) -> None:
    deadline = time.monotonic() + 20
    while members(session):
        assert time.monotonic() < deadline, members(session)
        time.sleep(0.01)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    seen = ""
    while text not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    return seen


@pytest.mark.alone
def test_whole_show() -> None:
    """Alone: of the three seconds the start of five processes takes its part."""
    with show("--seconds", "3") as process:
        out, err = process.communicate(timeout=40)
        assert (process.returncode, err) == (0, "")
        url = re.search(r"listens on (http://127\.0\.0\.1:\d+/) with 2 groups", out)
        assert url is not None
        arrivals = re.findall(r"GET /hello/(\d+) +-> server ([abc]), connection \d+ +200 in", out)
        assert [number for number, _ in arrivals] == [str(n) for n in range(1, demo.SHOWN_REQUESTS + 1)]
        assert {server for _, server in arrivals} == {"a", "b", "c"}
        assert re.search(r"^ +\d+ +\d+ +\d+ +0 +\d+ +\d+ +\d+ +\d+ +\d+$", out, re.MULTILINE)
        assert out.endswith("\nEnded: maniple and the three servers are gone.\n")
        assert "\x1b" not in out and len(out.splitlines()) < 60
        wait_until_alone(process.pid)


def test_ctrl_c_ends_everything() -> None:
    with show() as process:
        seen = read_until(process, "Live figures")
        url = re.search(r"http://\S+/", seen)
        assert url is not None
        with urllib.request.urlopen(url[0] + "from-outside", timeout=10) as answer:
            assert answer.read().startswith(b"GET /from-outside answered by server ")
        # A terminal sends it to all of them.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert out.endswith("Ended: maniple and the three servers are gone.\n")
        wait_until_alone(process.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_it_alone_ends_everything(number: int) -> None:
    with show() as process:
        read_until(process, "GET /hello/1")
        process.send_signal(number)
        _out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        wait_until_alone(process.pid)


def test_it_ends_when_nobody_reads_any_more() -> None:
    with show() as process:
        read_until(process, "Live figures")
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
        wait_until_alone(process.pid)


def test_nothing_outlives_a_killed_demo() -> None:
    with show() as process:
        read_until(process, "Live figures")
        process.kill()
        wait_until_alone(process.pid)


def test_its_configuration_is_valid() -> None:
    text = demo.CONFIGURATION + "    server a 127.0.0.1:1\n"
    configuration, diagnostics = parser.load([("demo", text)], {})
    assert configuration is not None and len(diagnostics) == 0, diagnostics.render()


def test_lines_are_whole_and_kept_until_taken() -> None:
    with ExitStack() as stack:
        lines = demo.Lines(stack)
        assert list(lines.read()) == []
        os.write(lines.writer, b"one\ntwo\nthr")
        assert next(lines.read()) == "one"
        os.write(lines.writer, b"ee\n")
        assert list(lines.read()) == ["two", "three"]
        os.write(lines.writer, b"x\n")
        lines.discard()
        assert list(lines.read()) == []


def test_terminal_gets_one_line_of_figures() -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        [*START, "--seconds", "3.5"], stdout=slave, stderr=slave, start_new_session=True, env={**os.environ}
    )
    os.close(slave)
    out = b""
    deadline = time.monotonic() + 40
    try:
        while time.monotonic() < deadline and select.select([master], [], [], 30)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:  # the last process that held the terminal is gone
                break
            out += data
        assert process.wait(timeout=20) == 0
        assert out.count(b"\r    ") >= 2 and b"\x1b[1mhttp://" in out
        assert out.endswith(b"Ended: maniple and the three servers are gone.\r\n")
        wait_until_alone(process.pid)
    finally:
        process.kill()
        process.wait()
        os.close(master)
