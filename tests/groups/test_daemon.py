from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from maniple.groups.daemon import Launch, remove_pid_file, write_pid_file

PROGRAM = """
import os, sys, time
from maniple.groups.daemon import go_to_background
starter = os.getpid()
launch = go_to_background()
assert os.getpid() != starter
sys.stdout.write(f"{os.getpid()} {os.getsid(0)}\\n")
sys.stdout.flush()
if sys.argv[1] == "succeed":
    launch.succeeded()
    print("nobody reads this", flush=True)
elif sys.argv[1] == "fail":
    launch.failed(3)
os._exit(9)
"""


@pytest.mark.parametrize(("word", "code"), [("succeed", 0), ("fail", 3), ("die", 1)])
def test_the_starter_ends_with_the_result(word: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, timeout=20)
    assert done.returncode == code
    pid, session = done.stdout.split()
    # Neither the leader of a session nor in the starter's: no terminal can become its own.
    assert pid != session
    assert int(session) != os.getsid(0)


def test_in_the_foreground_nothing_is_told() -> None:
    launch = Launch()
    launch.succeeded()
    launch.failed(1)
    launch.forget()


def test_pid_file(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    write_pid_file(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    write_pid_file(str(path))
    remove_pid_file(str(path))
    assert not path.exists()
    remove_pid_file(str(path))


def test_a_pid_file_of_another_stays(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    for text in ("1\n", "rubbish"):
        path.write_text(text)
        remove_pid_file(str(path))
        assert path.read_text() == text


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("kept")
    path = tmp_path / "pid"
    path.symlink_to(target)
    write_pid_file(str(path))
    assert target.read_text() == "kept"
