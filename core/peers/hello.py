"""The greeting: three lines from who dials, one status line back.

    HAProxyS <major>.<minor>
    <name of who is dialled>
    <own name> <process> <relative process>

Owns: these lines. Must not know: which names are right. Version 2.1 is 2.0 with heartbeats and times in updates; other
versions are refused, also 2.2, as HAProxy 2.6 and 3.0 do; who is refused dials again with 2.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .faults import HelloFault

PROTOCOL: Final = b"HAProxyS"
MINORS: Final = {b"2.0": 0, b"2.1": 1}
LONGEST: Final = 1024
"""Bytes of a greeting."""


class Status(IntEnum):
    """Answers to a greeting."""

    ACCEPTED = 200
    AGAIN = 300
    """Try again later."""
    PROTOCOL = 501
    VERSION = 502
    HOST = 503
    """Meant for somebody of another name."""
    PEER = 504
    """From somebody who is unknown."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A greeting. `to`: the name of the dialled peer, `sender`: that of the dialling one."""

    to: str
    sender: str
    process: int = 0
    minor: int = 1

    def encode(self) -> bytes:
        """The three lines."""
        return f"{PROTOCOL.decode()} 2.{self.minor}\n{self.to}\n{self.sender} {self.process} 1\n".encode("latin-1")


def take_hello(held: bytearray) -> Hello | None:
    """Takes the greeting off the start of `held`; None while it is not whole. HelloFault as soon as it is wrong."""
    lines = bytes(held[:LONGEST]).split(b"\n", 3)
    if len(lines) > 1 or len(held) > len(PROTOCOL) + 16:
        protocol, _, version = lines[0].rstrip(b"\r").partition(b" ")
        if protocol != PROTOCOL:
            raise HelloFault(Status.PROTOCOL, "it speaks another protocol")
        if version not in MINORS:
            raise HelloFault(Status.VERSION, f"it speaks version {version[:16].decode('latin-1')}")
    if len(lines) < 4:
        if len(held) >= LONGEST:
            raise HelloFault(Status.PROTOCOL, "its greeting is too long")
        return None
    sender, _, processes = lines[2].rstrip(b"\r").partition(b" ")
    if not sender or not processes:
        raise HelloFault(Status.PROTOCOL, "its greeting lacks the numbers of its process")
    process = processes.split()[0] if processes.split() else b""
    del held[: sum(map(len, lines[:3])) + 3]
    to = lines[1].rstrip(b"\r").decode("latin-1")
    number = int(process) if process.isdigit() and len(process) < 20 else 0
    return Hello(to, sender.decode("latin-1"), number, MINORS[version])


def take_status(held: bytearray) -> int | None:
    """Takes the status line off the start of `held`: its number, also one that has no name here; None while it is not
    whole. HelloFault when it is none."""
    end = held.find(b"\n", 0, 16)
    text = bytes(held[: end if end >= 0 else 16]).rstrip(b"\r")
    if end < 0 and len(held) < 16:
        return None
    if end < 0 or not text.isdigit():
        raise HelloFault(Status.PROTOCOL, "its answer to the greeting is no status")
    del held[: end + 1]
    return int(text)
