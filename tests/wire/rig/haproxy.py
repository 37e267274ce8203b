"""HAProxy as the oracle: a process that inherits its listening sockets and its log pipe."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Oracle:
    """A HAProxy program."""

    program: str
    version: str

    def start(self, text: str, descriptors: Sequence[int]) -> HaproxyProcess:
        return HaproxyProcess(self.program, text, descriptors)


def find_oracle() -> Oracle | None:
    """3.0 where there is one (named by HAPROXY3, or in the user's cache), else the system's."""
    named = os.environ.get("HAPROXY3")
    candidate = Path(named) if named else Path.home() / ".cache" / "haproxy3" / "haproxy"
    program = str(candidate) if candidate.exists() else shutil.which("haproxy")
    if program is None:
        return None
    said = subprocess.run([program, "-v"], capture_output=True, timeout=20, check=True).stdout.decode()
    return Oracle(program, ".".join(said.split()[2].split(".")[:2]))


class HaproxyProcess:
    """One run."""

    def __init__(self, program: str, text: str, descriptors: Sequence[int]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".cfg", delete=False) as file:
            file.write(text)
        self._path = file.name
        self._process = self._spawn(program, descriptors)
        self._await_service({f"tfd:{number:9d}" for number in descriptors})

    def _await_service(self, targets: set[str]) -> None:
        """Until it waits for something at one of the descriptors: clients can connect long before, and what they mean
        to do within some time would be over when it begins."""
        folder = Path(f"/proc/{self._process.pid}/fdinfo")
        deadline = time.monotonic() + 10
        while self._process.poll() is None:
            for path in folder.iterdir():
                with contextlib.suppress(OSError):
                    if any(line[:13] in targets for line in path.read_text().splitlines()):
                        return
            assert time.monotonic() < deadline, "haproxy does not begin"
            time.sleep(0.002)

    def _spawn(self, program: str, descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
        for again in (True, True, False):
            try:
                return subprocess.Popen(
                    [program, "-db", "-f", self._path],
                    pass_fds=tuple(descriptors),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            except OSError as error:
                # Seen once in 2,000 starts out of a process with many threads.
                if error.errno != errno.EFAULT or not again:
                    raise
        raise AssertionError

    def rests(self) -> bool:
        """Whether it sleeps: what has come for it would have made it runnable."""
        if self._process.poll() is not None:
            return True
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"

    def stop(self) -> None:
        died = self._process.poll()
        self._process.kill()
        _, said = self._process.communicate(timeout=10)
        os.unlink(self._path)
        if died is not None:
            raise RuntimeError(f"haproxy ended with {died}: {said.decode()}")
