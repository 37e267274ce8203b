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
from collections.abc import Callable, Sequence
from typing import Protocol

import uvloop

from ..core.config.model import Configuration
from ..core.errors import ConfigError
from ..pools.counters import Column
from ..pools.slots import Shares
from .listeners import Listener


class Runtime(Protocol):
    """What a thread asks of the proxy that it runs (core.runtime)."""

    @property
    def connection_count(self) -> int: ...

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None: ...
    def unlisten(self, sock: socket.socket) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def drain(self, deadline_ms: int | None, done: Callable[[], None]) -> None: ...
    def abort(self) -> None: ...
    def report(self, severity: int, message: str) -> None: ...


class Builder(Protocol):
    """Makes the runtime of one thread (core.build.build). `group` and `thread` (local to it) count from 1; `part` of
    `parts` (from 0) is its place among all threads; `pid` is the supervisor's, which logs show;
    `shares` its part of the limits of frontends and bind lines."""

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
    ) -> Runtime: ...


class Thread:
    """One thread of a group. `call` works from any OS thread; the rest runs in the loop's own."""

    def __init__(
        self,
        configuration: Configuration,
        build: Builder,
        *,
        group: int,
        number: int,
        part: int,
        parts: int,
        pid: int,
        column: Column | None,
        listeners: Sequence[Listener],
    ) -> None:
        """`number` is local to the group, from 1; `part`, `parts` and `pid` as the builder gets them; `listeners` are
        all of the configuration."""
        self.configuration = configuration
        self.group = group
        self.number = number
        self.failure = ""
        """Why the runtime could not be built; "" when it could."""
        self.built = threading.Event()
        self._build = build
        self._part = part
        self._parts = parts
        self._pid = pid
        self._column = column
        self._listeners = listeners
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runtime: Runtime | None = None
        self._os_thread: threading.Thread | None = None

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
        try:
            self._loop = uvloop.new_event_loop()
            asyncio.set_event_loop(self._loop)
            self._runtime = self._build(
                self.configuration,
                loop=self._loop,
                group=self.group,
                thread=self.number,
                columns=self._column,
                part=self._part,
                parts=self._parts,
                pid=self._pid,
                shares=self._shares(),
            )
        except ConfigError as error:
            place = f"[{error.file}:{error.line}] : " if error.file else ""
            self.failure = f"config : {place}{error.message}"
        except Exception:
            self.failure = traceback.format_exc()
        finally:
            self.built.set()

    def _shares(self) -> Shares:
        """The threads that accept for a frontend or a bind line share its limit; for a shared socket that is all."""
        shares = Shares(self._part, self._parts)
        places: dict[tuple[str, int], set[tuple[int, int]]] = {}
        for listener in self._listeners:
            for key in ((listener.frontend, listener.bind_index), (listener.frontend, -1)):
                places.setdefault(key, set()).add((listener.group, listener.thread))
        mine = (self.group, self.number)
        for key, found in places.items():
            if mine in found and (0, 0) not in found:
                shares.places[key] = (sorted(found).index(mine), len(found))
        return shares

    def start(self) -> None:
        """Builds and runs the loop in an OS thread of its own."""
        self._os_thread = threading.Thread(target=self._main, name=f"thread {self.group}/{self.number}", daemon=True)
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

    def listen(self) -> None:
        """Accepts on the sockets that are for this thread."""
        for listener in self._listeners:
            if listener.is_for(self.group, self.number):
                self.runtime.listen(listener.frontend, listener.bind_index, listener.sock)

    def adopt(self, owner: int, threads: int) -> None:
        """Accepts on its part of the sockets of the group `owner`; `threads` of our group share them."""
        for listener in self._of(owner, threads):
            self.runtime.listen(listener.frontend, listener.bind_index, listener.sock)

    def unadopt(self, owner: int, threads: int) -> None:
        """The inverse of `adopt`."""
        for listener in self._of(owner, threads):
            self.runtime.unlisten(listener.sock)

    def _of(self, owner: int, threads: int) -> list[Listener]:
        return [
            listener
            for listener in self._listeners
            if listener.group == owner and (listener.thread - 1) % threads == self.number - 1
        ]

    def _main(self) -> None:
        self.build()
        if not self.failure:
            self.run()
