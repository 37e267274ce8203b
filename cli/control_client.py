"""The other end of the control socket: one command, its answer, and which running supervisor it is for.

Owns: the connection, and how a supervisor is found. Must not know: what commands do, how answers are shown.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..groups.runtime_directory import supervisors

PATIENCE = 120.0
"""Seconds for an answer; a reload builds everything anew, and takes as long as that does."""
_PAYLOAD_END = b"%END%"
"""The line behind a payload, in which there may be empty ones."""


class NobodyThere(Exception):
    """No supervisor answers; the text says where we looked."""


class NotClear(Exception):
    """What was said fits no supervisor, or several; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`done`: it was; otherwise `text` says why not."""

    done: bool
    text: str


def written(word: str) -> str:
    """A word as a line of the control socket has it."""
    return "".join(f"\\{character}" if character in "\\ ;" else character for character in word)


def ask(path: str, command: str, patience: float = PATIENCE, payload: bytes | None = None) -> Reply:
    """Sends one command, with the lines of its payload if there is one, and waits for its answer. Raises
    NobodyThere."""
    line = f"result {command}".encode("utf-8", "surrogateescape")
    if payload is not None:
        line += b" <<%b\n%b\n%b" % (_PAYLOAD_END, payload, _PAYLOAD_END)
    received = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(path)
            connection.sendall(line + b"\n")
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            return Reply(False, f"no answer within {patience:g} s")
        except OSError as error:
            if not received:
                raise NobodyThere(f"{path}: {error.strerror}") from None
    text = received.decode("utf-8", "replace")
    verdict, _, rest = text.partition("\n--\n")
    if verdict not in ("Success=0", "Success=1"):
        return Reply(False, text.strip() or "the connection ended before there was an answer")
    # A space stands for an empty line, an empty line for the end.
    lines = ["" if line == " " else line for line in rest.removesuffix("\n\n").split("\n")]
    return Reply(verdict == "Success=1", "\n".join(lines).rstrip("\n"))


def status_of(path: str) -> dict[str, Any]:
    """Raises NobodyThere; empty where it is not told."""
    reply = ask(path, "show status json", 5)
    try:
        found = json.loads(reply.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def find(
    path: str = "",
    pid: int = 0,
    pidfile: str = "",
    file: str = "",
    running: dict[int, str] | None = None,
) -> str:
    """The path of the control socket that is meant: by itself, by a process id, by a file with one, by a configuration
    file; with nothing said the only one that runs. Raises NobodyThere, NotClear. `running`: process ids and sockets,
    for tests."""
    if sum(map(bool, (path, pid, pidfile, file))) > 1:
        raise NotClear("say one of --socket, --pid, --pidfile and -f")
    if path:
        return path
    found = supervisors() if running is None else running
    if pidfile:
        pid = read_pid(pidfile)
    if pid:
        if pid in found:
            return found[pid]
        raise NobodyThere(f"no maniple with pid {pid}{_list(found)}")
    if file:
        return _by_file(file, found)
    if not found:
        raise NobodyThere("no maniple is running (for this user)")
    if len(found) > 1:
        raise NotClear(f"several are running; say which with --pid{_list(found)}")
    return next(iter(found.values()))


def read_pid(pidfile: str) -> int:
    """Raises NobodyThere."""
    try:
        with open(pidfile, "rb") as file:
            return int(file.read().split()[0])
    except OSError as error:
        raise NobodyThere(f"{pidfile}: {error.strerror}") from None
    except (ValueError, IndexError):
        raise NobodyThere(f"{pidfile}: holds no process id") from None


def _by_file(file: str, found: dict[int, str]) -> str:
    """Of the one that was started with this file; otherwise what the file itself says. It is looked through word by
    word, not parsed: a file with errors is a usual reason to ask."""
    wanted = os.path.realpath(file)
    serving = {pid: path for pid, path in found.items() if wanted in _files_of(pid, path)}
    if len(serving) > 1:
        raise NotClear(f"several are running with {file}; say which with --pid{_list(serving)}")
    if serving:
        return next(iter(serving.values()))
    try:
        sockets, pidfile = places_in(file)
    except OSError as error:
        raise NotClear(f"{file}: {error.strerror}") from None
    if pidfile and os.path.exists(pidfile) and read_pid(pidfile) in found:
        return found[read_pid(pidfile)]
    for path in sockets:
        if os.path.exists(path):
            return path
    raise NobodyThere(f"no maniple is running with {file}{_list(found)}")


def places_in(file: str) -> tuple[list[str], str]:
    """The unix paths of `stats socket` lines, those with level admin first, and the pid file, of global sections.
    Raises OSError."""
    sockets: list[tuple[bool, str]] = []
    pidfile = ""
    section = ""
    with open(file, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            words = [os.path.expandvars(word.strip("\"'")) for word in line.partition("#")[0].split()]
            if not words:
                continue
            if not line[0].isspace():
                section = words[0]
            elif section == "global" and words[0] == "pidfile" and len(words) > 1:
                pidfile = words[1]
            elif section == "global" and words[:2] == ["stats", "socket"] and len(words) > 2:
                path = words[2].removeprefix("unix@")
                if path.startswith("/"):
                    sockets.append(("admin" not in words, path))
    return [path for _, path in sorted(sockets, key=lambda one: one[0])], pidfile


def _files_of(pid: int, path: str) -> list[str]:
    """The real paths of the files that it was started with."""
    try:
        files: Sequence[str] = status_of(path).get("files", ())
        return [os.path.realpath(os.path.join(_folder_of(pid), file)) for file in files]
    except (NobodyThere, OSError):
        return []


def _folder_of(pid: int) -> str:
    """Where its relative paths begin."""
    return os.readlink(f"/proc/{pid}/cwd")


def _list(found: dict[int, str]) -> str:
    """What there is to choose from, for the end of a sentence."""
    lines = []
    for pid, path in sorted(found.items()):
        try:
            files = " ".join(status_of(path).get("files", ()))
        except NobodyThere:
            continue
        lines.append(f"\n  {pid}  {files or path}")
    return f"; running:{''.join(lines)}" if lines else ""
