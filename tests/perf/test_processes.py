"""Children: started, measured, and ended whatever happens."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from maniple.perf.processes import (
    Child,
    ProcessFault,
    busy_seconds,
    cpu_ns,
    fetch_status,
    free_port,
    memory_kib,
    raise_descriptor_limit,
    share_cpus,
    wait_answer,
    wait_until,
)

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('up', flush=True)\ntime.sleep(60)",
]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def up(child: Child) -> None:
    wait_until(lambda: b"up" in child.output.read_bytes(), 10, "child is up")


@pytest.mark.parametrize("command", [SLEEPER, PARENT, STUBBORN], ids=["sleeper", "parent", "stubborn"])
def test_family_is_ended(command: list[str], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Child("one", command, tmp_path) as child:
        up(child)
        family = child.family()
        raise KeyboardInterrupt
    assert child.pid in family
    assert len(family) == (2 if command is PARENT else 1)
    assert not child.alive()
    wait_until(lambda: not any(_runs(pid) for pid in family), 5, "family is gone")
    child.end()


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_child_dies_with_the_bench(tmp_path: Path) -> None:
    """The bench is killed with SIGKILL: nothing of its own code can run then."""
    code = (
        "import sys, time; from pathlib import Path; from maniple.perf.processes import Child\n"
        "child = Child('inner', [sys.executable, '-c', 'import time; time.sleep(60)'], Path(sys.argv[1]))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    (tmp_path / "inner").mkdir()
    with Child("bench", [sys.executable, "-c", code, str(tmp_path / "inner")], tmp_path) as bench:
        wait_until(lambda: bench.output.read_bytes().endswith(b"\n"), 10, "inner child is started")
        inner = int(bench.output.read_bytes())
        os.kill(bench.pid, signal.SIGKILL)
        wait_until(lambda: not _runs(inner), 5, "inner child is gone")


@pytest.mark.alone
def test_cpu_time_and_memory(tmp_path: Path) -> None:
    with Child("idle", SLEEPER, tmp_path) as child:
        up(child)
        family = child.family()
        before = cpu_ns(family)
        assert before > 1_000_000
        resident, proportional = memory_kib(family)
        assert 1000 < proportional <= resident
        time.sleep(0.05)
        assert cpu_ns(family) - before < 20_000_000
    # What a piece of work costs, not all since the start: the kernel's two accounts drift apart over a long life.
    spent, own = cpu_ns([os.getpid()]), time.process_time_ns()
    while time.process_time_ns() - own < 200_000_000:
        continue
    spent, own = cpu_ns([os.getpid()]) - spent, time.process_time_ns() - own
    assert abs(spent - own) < 50_000_000


def test_busy_seconds() -> None:
    cpus = frozenset(os.sched_getaffinity(0))
    before = busy_seconds(cpus)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        continue
    assert busy_seconds(cpus) - before >= 0.05
    assert busy_seconds(frozenset()) == 0.0


def test_last_words(tmp_path: Path) -> None:
    code = "import sys; print('hello'); print('bad\\nworse', file=sys.stderr)"
    with Child("one", [sys.executable, "-c", code], tmp_path) as child:
        assert child.wait(10) == 0
        assert child.last_words() == "bad | worse"
    with Child("two", [sys.executable, "-c", ""], tmp_path) as child:
        child.wait(10)
        assert child.last_words() == "it said nothing"


def test_what_cannot_be_started_or_does_not_end_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ProcessFault, match="cannot be started"):
        Child("none", ["/no/such/program"], tmp_path)
    with Child("slow", SLEEPER, tmp_path) as child, pytest.raises(ProcessFault, match="did not end"):
        child.wait(0.01)


def test_wait_answer_reports_an_early_end(tmp_path: Path) -> None:
    code = "import sys; sys.exit('no such option')"
    with (
        Child("one", [sys.executable, "-c", code], tmp_path) as child,
        pytest.raises(ProcessFault, match="exit code 1: no such option"),
    ):
        wait_answer(child, free_port(), "/")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", 200), (b"garbage\r\n", 0), (b"", 0), (b"HTTP/1.1 503 No\r\n", 503)],
)
def test_fetch_status(answer: bytes, status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert fetch_status(listener.getsockname()[1], "/") == status
        thread.join(5)
    assert fetch_status(free_port(), "/") == 0


def test_wait_until_gives_up() -> None:
    with pytest.raises(ProcessFault, match="never: not within"):
        wait_until(lambda: False, 0.01, "never")


def test_shares_of_cpus() -> None:
    target, others = share_cpus()
    allowed = os.sched_getaffinity(0)
    assert target | others == allowed
    assert len(target) == 1
    assert (target == others) == (len(allowed) == 1)


def test_descriptor_limit() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_descriptor_limit(before[1]) == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
