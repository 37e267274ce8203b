"""Scripted ends of connections: clients, and servers that do exactly what a case says.

A script is a tuple of steps. Both kinds of end are a `Peer`: a blocking socket, all that it received, how it ended.
Steps that wait have a deadline; one that passes becomes the peer's `failure`, which is a fact like any other.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maniple.tests.wire.rig.messages import message_end

PATIENCE = 3.0
"""Seconds until a step that waits gives up."""


class StepFailed(Exception):
    """What a step waited for did not come."""


class Peer:
    """One end of one connection."""

    def __init__(self, sock: socket.socket, flags: dict[str, threading.Event]) -> None:
        self.sock = sock
        self.flags = flags
        self.received = bytearray()
        self.consumed = 0
        """Up to where steps have looked."""
        self.end = "open"
        """open; eof or reset by the other side; closed by this one."""
        self.failure = ""
        self.sent = 0

    def read(self, deadline: float) -> bool:
        """Receive something; False at the end, or when the deadline has passed (then `end` is still open)."""
        if self.end != "open":
            return False
        readable, _, _ = select.select([self.sock], [], [], max(deadline - time.monotonic(), 0.0))
        if not readable:
            return False
        try:
            data = self.sock.recv(262144)
        except OSError:
            self.end = "reset"
            return False
        if not data:
            self.end = "eof"
            return False
        self.received += data
        return True

    def run(self, script: Sequence[Step]) -> None:
        try:
            for step in script:
                step(self)
        except StepFailed as failure:
            self.failure = str(failure)

    def watch(self, stop: threading.Event) -> None:
        """After the script: go on receiving until the other side ends, or `stop`."""
        while self.end == "open" and not stop.is_set():
            self.read(time.monotonic() + 0.02)
        self.answer_end()

    def answer_end(self) -> None:
        """Close if the other side has closed."""
        if self.end == "eof":
            self.sock.close()

    def close(self) -> None:
        if self.end != "closed":
            self.sock.close()


Step = Callable[[Peer], None]


@dataclass(frozen=True)
class Send:
    """Send all of it. A refused write is not a failure: the end that is read later tells."""

    data: bytes
    pieces: int = 0
    """Send in pieces of so many bytes, each by itself."""

    def __call__(self, peer: Peer) -> None:
        size = self.pieces or len(self.data)
        for start in range(0, len(self.data), size or 1):
            try:
                peer.sock.sendall(self.data[start : start + size])
            except OSError:
                return
            peer.sent += min(size, len(self.data) - start)
            if self.pieces:
                time.sleep(0.002)


@dataclass(frozen=True)
class Message:
    """Receive one whole message: a request, or the response to `method`, interim ones not counted."""

    method: bytes = b""
    times: int = 1
    patience: float = PATIENCE

    def __call__(self, peer: Peer) -> None:
        deadline = time.monotonic() + self.patience
        for _ in range(self.times):
            while True:
                end = message_end(bytes(peer.received), peer.consumed, self.method)
                if end >= 0:
                    peer.consumed = end
                    break
                if not peer.read(deadline):
                    if peer.end == "eof" and end == -2:
                        peer.consumed = len(peer.received)
                        break
                    raise StepFailed(f"no whole message: {peer.end}")


def Request(times: int = 1) -> Message:
    return Message(times=times)


def Response(method: str = "GET", times: int = 1, patience: float = PATIENCE) -> Message:
    return Message(method.encode(), times, patience)


@dataclass(frozen=True)
class Until:
    """Receive until the pattern has come, after what earlier steps looked at."""

    pattern: bytes
    patience: float = PATIENCE

    def __call__(self, peer: Peer) -> None:
        deadline = time.monotonic() + self.patience
        while True:
            found = re.compile(self.pattern, re.DOTALL).search(peer.received, peer.consumed)
            if found:
                peer.consumed = found.end()
                return
            if not peer.read(deadline):
                raise StepFailed(f"no {self.pattern!r}: {peer.end}")


@dataclass(frozen=True)
class End:
    """Receive until the other side ends the connection."""

    patience: float = PATIENCE

    def __call__(self, peer: Peer) -> None:
        deadline = time.monotonic() + self.patience
        while peer.read(deadline):
            pass
        if peer.end == "open":
            raise StepFailed("not closed")


@dataclass(frozen=True)
class Quiet:
    """Receive for so many seconds, whatever comes; to see that nothing, or only so much, comes."""

    seconds: float = 0.1

    def __call__(self, peer: Peer) -> None:
        deadline = time.monotonic() + self.seconds
        while peer.read(deadline):
            pass

    def go_on(self, peer: Peer) -> None:
        """Receive what has come since: a script that ends so waits as long as the proxy is at work."""
        while not peer.failure and peer.read(0.0):
            pass
        peer.answer_end()


@dataclass(frozen=True)
class Sleep:
    """Do nothing, receive nothing."""

    seconds: float

    def __call__(self, peer: Peer) -> None:
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Raise:
    """Set a flag, for a peer that awaits it."""

    name: str

    def __call__(self, peer: Peer) -> None:
        peer.flags.setdefault(self.name, threading.Event()).set()


@dataclass(frozen=True)
class Await:
    """Wait for a flag."""

    name: str

    def __call__(self, peer: Peer) -> None:
        if not peer.flags.setdefault(self.name, threading.Event()).wait(PATIENCE):
            raise StepFailed(f"flag {self.name} was not raised")


class _Close:
    """Close in good order."""

    def __call__(self, peer: Peer) -> None:
        if peer.end == "open":
            peer.end = "closed"
        peer.sock.close()


class _Reset:
    """Close with a reset."""

    def __call__(self, peer: Peer) -> None:
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.end = "closed"
        peer.sock.close()


class _Shut:
    """Send no more, but receive."""

    def __call__(self, peer: Peer) -> None:
        try:
            peer.sock.shutdown(socket.SHUT_WR)
        except OSError:
            peer.end = "reset"


CLOSE: Step = _Close()
RESET: Step = _Reset()
SHUT: Step = _Shut()
Script = tuple[Step, ...]


class Origin:
    """A server: connection n runs script n; the last one serves all that follow."""

    def __init__(self, scripts: Sequence[Script], flags: dict[str, threading.Event], family: str = "") -> None:
        self.scripts = scripts
        self.flags = flags
        self.peers: list[Peer] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        if family:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(family)
        else:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(200)
        name = self.listener.getsockname()
        self.address = f"unix@{name}" if family else f"127.0.0.1:{name[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        self.listener.settimeout(0.02)
        while not self._stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            sock.settimeout(PATIENCE)
            peer = Peer(sock, self.flags)
            script = self.scripts[min(len(self.peers), len(self.scripts) - 1)]
            self.peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: Peer, script: Script) -> None:
        peer.run(script)
        peer.watch(self._stop)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        self.listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        for peer in self.peers:
            peer.close()


class Unreachable:
    """An address that nobody listens on (`refusing`), or one whose queue is full, so that connecting hangs."""

    def __init__(self, refusing: bool) -> None:
        self._sockets = [socket.socket()]
        listener = self._sockets[0]
        listener.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        if not refusing:
            listener.listen(0)
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
                self._sockets.append(filler)

    def stop(self) -> None:
        for sock in self._sockets:
            sock.close()
