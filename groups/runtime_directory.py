"""The folder with our own control sockets, one `<pid>.sock` for each supervisor.

Owns: where it is, that it is safe, and who is in it. Must not know: what is said over the sockets.

Invariant: a folder that others could write to is never used: they could put a socket of theirs in the place of ours and
be sent our operator's commands.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Mapping, Sequence

SYSTEM = "/run/maniple"


def folders(environment: Mapping[str, str] | None = None, uid: int | None = None) -> list[str]:
    """Where a supervisor of this user may have its socket, the best place first: RUNTIME_DIRECTORY is what systemd made
    for the service; /run/maniple is root's, and the service's of that name under another user."""
    environment = os.environ if environment is None else environment
    uid = os.geteuid() if uid is None else uid
    found = [part for part in environment.get("RUNTIME_DIRECTORY", "").split(":") if part.startswith("/")][:1]
    if uid == 0:
        found.append(SYSTEM)
    elif environment.get("XDG_RUNTIME_DIR", "").startswith("/"):
        found.append(os.path.join(environment["XDG_RUNTIME_DIR"], "maniple"))
    if uid != 0:
        found.append(f"/tmp/maniple-{uid}")
    return list(dict.fromkeys(found))


def own_path(candidates: Sequence[str] | None = None, pid: int | None = None) -> tuple[str | None, str]:
    """The path for this process's socket, its folder made and swept; or None, and why there is none."""
    reasons = []
    for folder in folders() if candidates is None else candidates:
        try:
            make_safe(folder)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
            continue
        sweep(folder)
        return os.path.join(folder, f"{os.getpid() if pid is None else pid}.sock"), ""
    return None, f"no control socket of our own: {'; '.join(reasons)}"


def make_safe(folder: str) -> None:
    """Makes it where it is not there. Raises OSError when it cannot be made or is not ours alone."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(0, "is not a directory")
    if found.st_uid not in (os.geteuid(), 0):
        raise PermissionError(0, f"belongs to user {found.st_uid}")
    if found.st_mode & 0o022:
        raise PermissionError(0, "others may write to it")
    if not os.access(folder, os.W_OK, effective_ids=True):
        raise PermissionError(0, "is not writable")


def sweep(folder: str) -> None:
    """Removes sockets and unfinished ones that nobody listens on any more."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(".sock") and not answers(path):
            with contextlib.suppress(OSError):
                os.unlink(path)


def supervisors(candidates: Sequence[str] | None = None) -> dict[int, str]:
    """Process id -> path, of those that live. With the default, also those of the system's folder that this user may
    connect to."""
    found: dict[int, str] = {}
    for folder in [*folders(), SYSTEM] if candidates is None else candidates:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            pid = name.removesuffix(".sock")
            path = os.path.join(folder, name)
            if name.endswith(".sock") and pid.isascii() and pid.isdigit() and _is_trusted(folder) and answers(path):
                found.setdefault(int(pid), path)
    return found


def _is_trusted(folder: str) -> bool:
    """Nobody but root and this user can have put something there."""
    found = os.lstat(folder)
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & 0o022


def answers(path: str) -> bool:
    """Whether somebody listens there. What may not be asked counts as an answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True
