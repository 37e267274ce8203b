"""The life of `maniple-haproxy` as a process: signals, pid files, reloads, the master's command line, taking over."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from maniple.cli.origins import Origin
from maniple.tests.cli.test_compat import BACK, DEFAULTS, FRONT, OK


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    reader, writer = os.pipe()
    origin = Origin("a", writer)
    yield origin
    origin.end()
    os.close(reader)
    os.close(writer)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """The listening socket that maniple inherits."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


@pytest.fixture
def config(tmp_path: Path, origin: Origin, listener: socket.socket) -> Path:
    path = tmp_path / "x.cfg"
    text = OK.replace("bind 127.0.0.1:65111", 'bind "fd@${LISTENER}"').replace(
        "127.0.0.1:1\n", f"127.0.0.1:{origin.port}\n"
    )
    path.write_text("global\n  nbgroup 2\n  nbthread 2\n" + text)
    return path


@contextmanager
def started(config: Path, listener: socket.socket, *flags: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A running maniple-haproxy that serves."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from maniple.cli.compat import main; main()", *flags, "-f", str(config)],
        env={**os.environ, "RUNTIME_DIRECTORY": str(config.parent), "LISTENER": str(listener.fileno()), **variables},
        pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(listener: socket.socket) -> bytes:
    """One request to the inherited address; waits for the answer, so that it returns only when maniple serves."""
    with socket.create_connection(listener.getsockname(), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while data := sock.recv(65536):
            answer += data
        return answer


def wait_until_gone(pid: int) -> None:
    """Its parent is init, which may take its time to reap it: a zombie is gone."""
    deadline = time.monotonic() + 20
    while True:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("flags", "number", "code"),
    [
        ("", signal.SIGINT, 0),
        ("-db", signal.SIGTERM, 0),
        ("-db", signal.SIGUSR1, 0),
        ("-W", signal.SIGINT, 130),
        ("-W -db", signal.SIGTERM, 0),
    ],
)
def test_the_process_started_is_the_one_that_lives(
    config: Path, listener: socket.socket, flags: str, number: int, code: int
) -> None:
    with started(config, listener, *flags.split()) as process:
        answer = ask(listener)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"GET / answered by server a\n")
        assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == code
        assert out == "" and "Traceback" not in err
        assert ("[NOTICE]" in err) == ("-W" in flags)


def test_nobody_holds_the_output_of_a_killed_process(config: Path, listener: socket.socket) -> None:
    with started(config, listener) as process:
        ask(listener)
        process.kill()
        assert process.communicate(timeout=20) == ("", "")


def test_quiet_lets_go_of_the_output(config: Path, listener: socket.socket) -> None:
    with started(config, listener, "-q", "-db") as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read() == "" and process.stderr.read() == ""
        assert ask(listener).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.wait(timeout=20) == 0


@pytest.fixture
def pidfile(tmp_path: Path) -> Iterator[Path]:
    """Where a daemon writes its process id; whatever becomes of the test, no daemon is left."""
    path = tmp_path / "pid"
    yield path
    if path.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(path.read_text()), signal.SIGKILL)


def test_daemon_and_its_successor(config: Path, listener: socket.socket, pidfile: Path) -> None:
    with started(config, listener, "-D", "-p", str(pidfile)) as process:
        assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == 0
    first = int(pidfile.read_text())
    try:
        assert ask(listener).startswith(b"HTTP/1.1 200")
        with started(config, listener, "-D", "-p", str(pidfile), "-sf", str(first)) as process:
            assert process.communicate(timeout=20) == ("", "")
            assert process.returncode == 0
        wait_until_gone(first)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, signal.SIGKILL)
    second = int(pidfile.read_text())
    assert second != first
    assert ask(listener).startswith(b"HTTP/1.1 200")
    os.kill(second, signal.SIGTERM)
    wait_until_gone(second)
    assert not pidfile.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be locked in")
def test_daemon_in_a_chroot(config: Path, listener: socket.socket, tmp_path: Path, pidfile: Path) -> None:
    """There is no /dev/null in it."""
    jail = tmp_path / "jail"
    jail.mkdir(mode=0o755)
    config.write_text(config.read_text().replace("global\n", f"global\n  user nobody\n  chroot {jail}\n", 1))
    with started(config, listener, "-D", "-p", str(pidfile)) as process:
        assert process.wait(timeout=20) == 0
        assert ask(listener).startswith(b"HTTP/1.1 200")
        pid = int(pidfile.read_text())
        os.kill(pid, signal.SIGTERM)
        wait_until_gone(pid)


def test_daemon_that_cannot_start_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "x.cfg").write_text(OK.replace("65111", str(taken.getsockname()[1])))
        result = subprocess.run(
            [sys.executable, "-c", "from maniple.cli.compat import main; main()", "-D", "-f", "x.cfg"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert result.returncode == 1
    assert re.search(r"^\[ALERT\]    \(\d+\) : Binding \[x\.cfg:7\] for frontend f: cannot bind", result.stderr, re.M)


def test_systemd_is_told(config: Path, listener: socket.socket, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(20)
        notify.bind(str(tmp_path / "notify"))

        def told(first: str) -> None:
            """Sooner or later; what comes between does not matter."""
            while not notify.recv(1000).decode().startswith(first):
                pass

        with started(config, listener, "-Ws", NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            assert notify.recv(1000) == f"MAINPID={process.pid}".encode()
            told("READY=1")
            process.send_signal(signal.SIGHUP)
            told("RELOADING=1\nMONOTONIC_USEC=")
            told("READY=1")
            process.terminate()
            told("STOPPING=1")
            assert process.wait(timeout=20) == 0


def lines_of(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """Standard error up to the line that matches."""
    assert process.stderr is not None
    lines: list[str] = []
    while not lines or not re.search(pattern, lines[-1]):
        line = process.stderr.readline()
        assert line, lines
        lines.append(line)
    return lines


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def control(path: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))
        client.sendall(line.encode() + b"\n")
        told = b""
        while received := client.recv(65536):
            told += received
        return told.decode()


def test_signals_reload(config: Path, listener: socket.socket) -> None:
    """SIGUSR2 as HAProxy's master, SIGHUP as everybody else. What is wrong is told in the words of the start."""
    with started(config, listener, "-W") as process:
        # The first group may answer before all are there: until then a reload is refused.
        lines_of(process, "Loading success.")
        text = config.read_text()
        config.write_text(text + "backend c\n  option forwardfor\n")
        process.send_signal(signal.SIGUSR2)
        assert any("Loading success." in line for line in lines_of(process, "Reloaded in"))
        assert ask(listener).startswith(b"HTTP/1.1 200")
        config.write_text(text.replace("default_backend b", "default_backend nowhere"))
        process.send_signal(signal.SIGHUP)
        said = "".join(lines_of(process, "Failed to reload"))
        assert re.search(r"\[ALERT\] .* config : parsing \[.*x\.cfg:\d+\] : .*nowhere", said, re.I)
        assert "[ALERT]    (" in said and "config : Fatal errors found in configuration." in said
        assert ask(listener).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_master_command_line(config: Path, listener: socket.socket, tmp_path: Path) -> None:
    """-S: show proc, and reload answered as HAProxy 2.7 and later do."""
    path = tmp_path / "master"
    with started(config, listener, "-W", "-S", f"{path},mode,600") as process:
        wait(path.exists)
        assert path.stat().st_mode & 0o777 == 0o600
        rows = control(path, "show proc").splitlines()
        assert rows[1].split()[:4] == [str(process.pid), "master", "0", "[failed:"]
        assert [row.split()[1] for row in rows[3:5]] == ["worker", "worker"]
        assert control(path, "reload").startswith("Success=1\n--\n")
        assert control(path, "show proc").splitlines()[1].split()[2] == "1"
        config.write_text("nonsense\n")
        told = control(path, "reload")
        assert told.startswith("Success=0\n--\n") and "nonsense" in told and told.endswith("\n\n")
        assert "\n\n" not in told[:-1]
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert not path.exists()


@pytest.mark.parametrize("asks", [True, False])
def test_sockets_of_the_process_before(
    config: Path, origin: Origin, listener: socket.socket, tmp_path: Path, asks: bool
) -> None:
    """-x and -sf: the next process takes the very sockets of the one before; also with -sf alone, where that is a
    maniple."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    stats = tmp_path / "stats"
    front = FRONT.replace("65111", str(address[1]))
    config.write_text(
        f"global\n  nbgroup 1\n  stats socket {stats} mode 600 level admin expose-fd listeners\n"
        + (DEFAULTS + front + BACK).replace("127.0.0.1:1\n", f"127.0.0.1:{origin.port}\n")
    )

    def inodes() -> set[str]:
        return {
            line.split()[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()
            if line.split()[1].endswith(f":{address[1]:04X}") and line.split()[3] == "0A"
        }

    with started(config, listener) as first:
        wait(lambda: stats.exists() and inodes())
        before = inodes()
        inode = stats.stat().st_ino
        old = ("-x", str(stats)) if asks else ()
        with started(config, listener, *old, "-sf", str(first.pid)) as second:
            assert first.wait(timeout=20) == 0
            assert inodes() == before
            wait(lambda: stats.exists() and stats.stat().st_ino != inode)
            assert f"\nPid: {second.pid}\n" in control(stats, "show info")
            with socket.create_connection(address, timeout=20) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_groups_are_locked_in_and_nobody(config: Path, listener: socket.socket, tmp_path: Path) -> None:
    """The supervisor stays root, so that a reload can do what the start could; its groups are nobody in an empty
    folder, after a reload too, and die with it."""
    jail = tmp_path / "jail"
    jail.mkdir(mode=0o755)
    text = config.read_text().replace("global\n", f"global\n  user nobody\n  gid 65534\n  chroot {jail}\n", 1)
    config.write_text(text)
    master = tmp_path / "master"

    def groups() -> list[int]:
        rows = control(master, "show proc").splitlines()
        return [int(row.split()[0]) for row in rows if "worker " in row]

    with started(config, listener, "-W", "-S", str(master)) as process:
        wait(master.exists)
        for reloads in range(2):
            assert ask(listener).startswith(b"HTTP/1.1 200")
            found = groups()
            assert len(found) >= 2
            for pid in found[:2]:
                assert os.readlink(f"/proc/{pid}/root") == str(jail)
                status = Path(f"/proc/{pid}/status").read_text()
                assert (
                    re.search(r"^Uid:\s+65534\s+65534.*\nGid:\s+65534\s+65534", status, re.M)
                    and "\nGroups:\t \n" in status
                )
            if not reloads:
                assert control(master, "reload").startswith("Success=1\n")
        assert os.stat(f"/proc/{process.pid}").st_uid == 0
        found = groups()
        process.kill()
        for pid in found:
            wait_until_gone(pid)
