"""`maniple run` as a person starts it: the real command, on loopback."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from maniple.cli.origins import Origin
from maniple.cli.run import greeting
from maniple.core.addresses import Address
from maniple.core.config import parser
from maniple.groups.listening import Listener

START = [sys.executable, "-c", "from maniple.cli.main import main; main()", "run"]


@pytest.fixture(scope="module")
def origins() -> Iterator[tuple[Origin, Origin]]:
    reader, writer = os.pipe()
    pair = Origin("a", writer), Origin("b", writer)
    yield pair
    for origin in pair:
        origin.end()
    os.close(reader)
    os.close(writer)


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A running `maniple run`, and the ports that it said it listens on."""
    process = subprocess.Popen(
        [*START, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("maniple "), first + process.stderr.read()
        count = int(first.partition(" listens on ")[2].split()[0])
        yield process, [int(process.stderr.readline().rpartition(":")[2]) for _ in range(count)]
    finally:
        process.kill()
        process.communicate()


def get(port: int, target: str = "/") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def end(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_flags_alone_serve(origins: tuple[Origin, Origin]) -> None:
    servers = [f"--server={origin.name}=127.0.0.1:{origin.port}" for origin in origins]
    with running("--bind=127.0.0.1:0", *servers, "--nbgroup=1", "--nbthread=1") as (process, ports):
        answers = {get(ports[0], f"/{number}") for number in range(4)}
        assert answers == {
            (200, "GET /0 answered by server a\n"),
            (200, "GET /1 answered by server b\n"),
            (200, "GET /2 answered by server a\n"),
            (200, "GET /3 answered by server b\n"),
        }
        # Ctrl-C ends everything, without a traceback, and nobody holds the streams afterwards.
        assert end(process, signal.SIGINT) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signals_end_it(origins: tuple[Origin, Origin], number: int) -> None:
    server = f"a=127.0.0.1:{origins[0].port}"
    with running("-b", "127.0.0.1:0", "-s", server) as (process, ports):
        assert get(ports[0])[0] == 200
        code, out, err = end(process, number)
        assert (code, out) == (0, "") and "Traceback" not in err
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", ports[0]), timeout=5)


def test_bind_adds_to_a_file(origins: tuple[Origin, Origin], tmp_path: Path) -> None:
    path = tmp_path / "proxy.cfg"
    path.write_text(
        "global\n  daemon\n  nbthread 1\ndefaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n"
        "  timeout connect 5s\nlisten l\n  bind 127.0.0.1:0\n"
        f"  server a 127.0.0.1:{origins[0].port}\n"
    )
    with running("-f", str(path), "--bind", "127.0.0.1:0 name added") as (process, ports):
        assert len(ports) == 2
        assert [get(port, "/x") for port in ports] == [(200, "GET /x answered by server a\n")] * 2
        assert process.poll() is None  # `daemon` in the file does not take it to the background


def test_log_goes_to_stdout(origins: tuple[Origin, Origin]) -> None:
    server = f"a=127.0.0.1:{origins[0].port}"
    with running("-b", "127.0.0.1:0", "-s", server, "--log", "stdout", "--nbthread", "1") as (process, ports):
        get(ports[0], "/logged")
        code, out, _err = end(process, signal.SIGTERM)
        assert code == 0
        assert re.search(r'127\.0\.0\.1:\d+ \[.*\] maniple maniple/a \d+/.* "GET /logged HTTP/1\.1"\n', out)


def test_operated_by_its_commands(origins: tuple[Origin, Origin], tmp_path: Path) -> None:
    """The whole way: `maniple` as another process, the control socket, the supervisor, the groups."""
    path = tmp_path / "proxy.cfg"
    text = (
        "global\n  nbgroup 1\n  nbthread 1\ndefaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n"
        "  timeout connect 5s\nlisten l\n  bind 127.0.0.1:0\n  server s 127.0.0.1:{}\n"
    )
    path.write_text(text.format(origins[0].port))

    def tell(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*START[:-1], *words],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
        )

    with running("-f", str(path), RUNTIME_DIRECTORY=str(tmp_path)) as (process, ports):
        assert get(ports[0])[1].endswith("server a\n")
        which = ("--pid", str(process.pid))
        result = tell("status", *which)
        assert (result.returncode, result.stderr) == (0, "")
        assert f"pid {process.pid}" in result.stdout and f"127.0.0.1:{ports[0]}" in result.stdout

        path.write_text(text.format(origins[1].port))
        result = tell("reload", "-f", "proxy.cfg")
        assert (result.returncode, result.stdout) == (0, "Reloaded.\n"), result
        assert get(ports[0])[1].endswith("server b\n")

        path.write_text(text.format(origins[1].port) + "  servr x 127.0.0.1:1\n")
        result = tell("reload", *which)
        assert result.returncode == 1 and "did you mean `server`?" in result.stderr
        path.write_text(text.format(origins[1].port))

        assert tell("scale", "2", *which).stdout == "2 groups.\n"
        status = json.loads(tell("status", "--json", *which).stdout)
        assert [group["state"] for group in status["groups"]] == ["ready", "ready"]
        assert status["files"] == [str(path)] and status["reloads"] == 1 and status["failed_reloads"] == 1

        result = tell("upgrade", *which)
        assert (result.returncode, result.stdout) == (0, "Upgraded.\n"), result
        assert get(ports[0])[1].endswith("server b\n")
        again = json.loads(tell("status", "--json", *which).stdout)
        assert again["pid"] == process.pid and [group["state"] for group in again["groups"]] == ["ready"]
        assert again["generation"] > status["generation"]

        assert tell("stop", *which).returncode == 0
        assert process.wait(timeout=20) == 0
        assert tell("status", *which).returncode == 3
    assert [name for name in os.listdir(tmp_path) if name.endswith(".sock")] == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*START, *arguments], capture_output=True, text=True, timeout=30)


def test_refusals() -> None:
    result = run()
    assert result.returncode == 2 and "nothing to listen on: give --bind" in result.stderr
    result = run("--bind", ":80", "--server", "a=10.0.0.1:80 weigth 2")
    assert result.returncode == 1
    assert result.stderr.startswith("<command line>:2:22: error: ") and "did you mean `weight`?" in result.stderr
    result = run("-f", "/nonexistent.cfg")
    assert result.returncode == 1 and result.stderr.startswith("/nonexistent.cfg: error: ")


def test_nothing_to_listen_on(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("backend b\n  mode http\n  timeout server 1s\n  timeout connect 1s\n  server s 127.0.0.1:1\n")
    result = run("-f", str(path))
    assert result.returncode == 1 and "no section has a `bind` line" in result.stderr


def test_all_errors_of_rules_are_told(tmp_path: Path) -> None:
    """Before there are groups, and not by the first one that fails."""
    path = tmp_path / "x.cfg"
    path.write_text("frontend f\n bind 127.0.0.1:0\n mode http\n http-request denny\n http-request set-path %[nope]\n")
    result = run("-f", str(path))
    assert result.returncode == 1 and result.stdout == ""
    assert f"{path}:4:15: error: `http-request` has no action 'denny'" in result.stderr
    assert "hint: did you mean `deny`?" in result.stderr
    assert f"{path}:5:26: error: unknown fetch 'nope'" in result.stderr


def test_address_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("-b", f"127.0.0.1:{port}", "-s", "a=127.0.0.1:1")
    assert result.returncode == 1
    assert f"cannot bind socket (Address already in use) for [127.0.0.1:{port}]" in result.stderr
    assert "Traceback" not in result.stderr


def test_greeting_names_each_address_once() -> None:
    text = "frontend f\n mode http\n bind 127.0.0.1:80\nfrontend t\n mode tcp\n bind 127.0.0.1:81\n bind abns@x\n"
    configuration, _ = parser.load([("x", text)], {})
    assert configuration is not None
    sockets = [socket.socket() for _ in range(4)]
    inet = [Address("inet", "127.0.0.1", port, port) for port in (80, 81)]
    listeners = [
        Listener(1, "f", 0, inet[0], ((1, 1),), sockets[0]),
        Listener(2, "f", 0, inet[0], ((2, 1),), sockets[1]),
        Listener(3, "t", 0, inet[1], ((1, 1),), sockets[2]),
        Listener(4, "t", 1, Address("abns", "x"), (), sockets[3]),
    ]
    first, *lines = greeting(configuration, listeners).splitlines()
    assert first.endswith(" listens on 3 addresses with 2 groups (Ctrl-C ends)")
    assert lines == ["  f: http://127.0.0.1:80", "  t: 127.0.0.1:81", "  t: abns@x"]
    for sock in sockets:
        sock.close()
