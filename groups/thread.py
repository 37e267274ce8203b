"""One event loop, the runtime on it, and the listening sockets that it accepts on.

Owns: the loop's life, in whose OS thread the runtime is built and called, which sockets it listens on. Must not know:
processes, the supervisor.

Invariants: the runtime is touched only in the OS thread of its loop. Thread 1 of a group lives in the main OS thread,
the others in their own.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import uvloop

from ..core.config.model import Configuration
from ..core.errors import ConfigError
from ..core.relay.handing import Inboxes
from ..core.rules.pattern_changes import Change
from ..pools.columns import Column
from ..pools.pulses import Pulse
from ..pools.slots import Shares
from ..pools.table import Table
from .affinity import pin
from .tables import open_table

if TYPE_CHECKING:
    from .seat import Seat


class Runtime(Protocol):
    """What a thread asks of the proxy that it runs (core.runtime)."""

    @property
    def connection_count(self) -> int: ...

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None: ...
    def unlisten(self, sock: socket.socket) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def drain(
        self, deadline_ms: int | None, done: Callable[[], None], lingering: Collection[socket.socket] = ()
    ) -> None: ...
    def set_peers(self, frontend_name: str, bind_index: int, numbers: Sequence[int]) -> None: ...
    def take_inbox(self, sock: socket.socket) -> None: ...
    def deal(self, part: int, parts: int, shares: Shares) -> None: ...
    def set_server(
        self, backend: str, server: str, state: str | None = None, weight: str | None = None, *, quiet: bool = False
    ) -> None: ...
    def watch_patterns(self, send: Callable[[list[Change]], None]) -> None: ...
    def change_patterns(self, changes: Sequence[Change], *, own: bool | None) -> None: ...
    def ask(self, question: Sequence[Any]) -> str: ...
    def abort(self) -> None: ...
    def report(self, severity: int, message: str) -> None: ...


class Builder(Protocol):
    """Makes the runtime of one thread (core.build.build). `group` and `thread` (local to it) count from 1; `part` of
    `parts` (from 0) is its place among all threads; `pid` is the supervisor's, which logs show;
    `shares` its part of the limits of frontends and bind lines; `pulse` its row of the pulses; `inboxes` the sending
    ends to the other threads' inboxes, which may be filled later; `tables` the stick tables as this thread uses them,
    by name."""

    def __call__(
        self,
        configuration: Configuration,
        *,
        loop: asyncio.AbstractEventLoop,
        group: int,
        thread: int,
        columns: Column | None,
        part: int,
        parts: int,
        pid: int,
        shares: Shares,
        pulse: Pulse | None = None,
        inboxes: Inboxes | None = None,
        tables: Mapping[str, Table] | None = None,
    ) -> Runtime: ...


class Thread:
    """One thread of a group. `call` works from any OS thread; the rest runs in the loop's own."""

    def __init__(self, seat: Seat, number: int) -> None:
        """`number` is local to the group, from 1."""
        self.number = number
        self.failure = ""
        """Why the runtime could not be built; "" when it could."""
        self.built = threading.Event()
        self._seat = seat
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runtime: Runtime | None = None
        self._os_thread: threading.Thread | None = None
        self._sockets: dict[int, socket.socket] = {}
        """What it accepts on, by the listener's number; its own duplicates, which end with its accepting."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        assert self._loop is not None
        return self._loop

    @property
    def runtime(self) -> Runtime:
        assert self._runtime is not None
        return self._runtime

    def build(self) -> None:
        """Makes loop and runtime in the calling OS thread. Sets `failure` rather than to raise."""
        seat = self._seat
        slot = seat.slots[self.number - 1]
        shares = seat.shares[self.number]
        try:
            pin(seat.place.cpus_of(self.number))
            self._loop = uvloop.new_event_loop()
            asyncio.set_event_loop(self._loop)
            self._runtime = seat.build(
                seat.configuration,
                loop=self._loop,
                group=seat.place.number,
                thread=self.number,
                columns=seat.columns.column(slot),
                part=shares.part,
                parts=shares.parts,
                pid=seat.supervisor,
                shares=shares,
                pulse=seat.pulses.pulse(slot + 1),
                inboxes=seat.senders,
                tables=self._open_tables(),
            )
        except ConfigError as error:
            place = f"[{error.file}:{error.line}] : " if error.file else ""
            self.failure = f"config : {place}{error.message}"
        except Exception:
            self.failure = traceback.format_exc()
        finally:
            self.built.set()

    def _open_tables(self) -> dict[str, Table]:
        """The stick tables, with this thread's columns; before the group may be shut into a chroot."""
        seat = self._seat
        return {name: open_table(segment, seat.writers[self.number - 1]) for name, segment in seat.tables.items()}

    def start(self) -> None:
        """Builds and runs the loop in an OS thread of its own."""
        name = f"thread {self._seat.place.number}/{self.number}"
        self._os_thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._os_thread.start()

    def run(self) -> None:
        """Runs the loop in the calling OS thread until `finish`."""
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    def call(self, what: Callable[..., object], *arguments: object) -> None:
        """Has the loop's OS thread call it soon. A loop that is closed already needs nothing any more."""
        try:
            self.loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            if not self.loop.is_closed():
                raise

    def finish(self) -> None:
        """Ends `run` and waits for the OS thread, at most a second."""
        self.call(self.loop.stop)
        if self._os_thread is not None:
            self._os_thread.join(1.0)

    def open_inbox(self) -> None:
        """Takes what other threads hand to it."""
        inbox = self._seat.inboxes.get(self.number)
        if inbox is not None:
            self.runtime.take_inbox(inbox)

    def listen(self, listener: int, frontend: str, bind_index: int, sock: socket.socket) -> None:
        """Accepts on `sock`, which is this thread's to close, unless it does so already."""
        if listener in self._sockets:
            sock.close()
            return
        self._sockets[listener] = sock
        self.runtime.listen(frontend, bind_index, sock)

    def leave(self, listener: int) -> None:
        """The inverse of `listen`; nothing for what it does not accept on."""
        sock = self._sockets.pop(listener, None)
        if sock is not None:
            self.runtime.unlisten(sock)
            sock.close()

    def drain(self, deadline: int | None, lingering: Collection[int], done: Callable[[], None]) -> None:
        """Lets go of all sockets: of those numbered in `lingering`, at which nobody can arrive any more, when their
        queues are empty. `done` is called when no connection is left."""
        sockets, self._sockets = self._sockets, {}
        left = [sock for listener, sock in sockets.items() if listener in lingering]
        self.runtime.drain(deadline, done, left)
        for sock in sockets.values():
            if sock not in left:
                sock.close()

    def _main(self) -> None:
        self.build()
        if not self.failure:
            self.run()
