"""Going to the background (`-D`, `daemon`), and the pid file.

Owns: the double fork, with a pipe over which the process that was started learns whether the start succeeded (it exits
with that), and the file with the supervisor's process id. Must not know: what is started.
"""

from __future__ import annotations

import contextlib
import os


class Launch:
    """The background process's end of the pipe. In the foreground there is none, and both calls do nothing."""

    __slots__ = ("_pipe",)

    def __init__(self, pipe: int = -1) -> None:
        self._pipe = pipe

    @property
    def in_background(self) -> bool:
        """Whether somebody still waits for the result."""
        return self._pipe >= 0

    def succeeded(self) -> None:
        """The process that was started may exit with 0; our standard streams become /dev/null, so that nobody waits for
        the end of our output."""
        if self._pipe >= 0:
            leave_streams()
            self._tell(0)

    def failed(self, code: int) -> None:
        """The process that was started may exit with `code`."""
        if self._pipe >= 0:
            self._tell(code)

    def forget(self) -> None:
        """For a child: the pipe is its parent's."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def _tell(self, code: int) -> None:
        with contextlib.suppress(OSError):
            os.write(self._pipe, bytes((code & 255,)))
        self.forget()


def leave_streams(null: int = -1) -> None:
    """The standard streams become /dev/null. `null`: it, opened where there still was one (a chroot has none); it is
    closed."""
    if null < 0:
        null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)


def go_to_background() -> Launch:
    """Returns in a grandchild that has no terminal and no parent but init. The calling process waits for the result of
    its start, and ends with it (1 when the grandchild just dies)."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        os.waitpid(pid, 0)
        answer = os.read(reader, 1)
        os._exit(answer[0] if answer else 1)
    os.close(reader)
    os.setsid()
    if os.fork():
        os._exit(0)
    return Launch(writer)


def write_pid_file(path: str) -> None:
    """Our process id and a line end. Raises OSError. A file that is there already is replaced."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, f"{os.getpid()}\n".encode())
    finally:
        os.close(fd)


def remove_pid_file(path: str) -> None:
    """Removes the file if it still names us. After a change of user that may be refused: then it stays."""
    with contextlib.suppress(OSError, ValueError):
        with open(path, encoding="ascii") as file:
            written = int(file.read())
        if written == os.getpid():
            os.unlink(path)
