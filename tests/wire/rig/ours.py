"""Maniple in this process: one uvloop in a thread, a runtime for each case, and what is left when it is over."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import uvloop
from maniple.core import build as build_module
from maniple.core.config.parser import load
from maniple.core.runtime import Runtime

T = TypeVar("T")


class LoopThread:
    """The event loop that all runtimes of a module run on, one after the other."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.complaints: list[str] = []
        """What reached the loop's exception handler."""
        self.loop.set_exception_handler(self._complain)
        # A test process lives on, is large, and builds hundreds of times: a collection takes 50 ms.
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(
            build_module, "gc", SimpleNamespace(collect=_nothing, freeze=_nothing, set_threshold=_nothing)
        )
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def _complain(self, _: Any, facts: dict[str, Any]) -> None:
        self.complaints.append(f"{facts.get('message')}: {facts.get('exception')!r}")

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Run it in the loop's thread, and return what it returns."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return future.result(10)

    def start(self, text: str, sockets: Sequence[socket.socket]) -> ManipleRun:
        return ManipleRun(self, text, sockets)

    def take_complaints(self) -> list[str]:
        """All since the last call."""
        taken = list(self.complaints)
        del self.complaints[: len(taken)]
        return taken

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()
        self._patch.undo()


def _nothing(*_: object) -> None:
    pass


class ManipleRun:
    """One configuration in service."""

    def __init__(self, thread: LoopThread, text: str, sockets: Sequence[socket.socket]) -> None:
        configuration, said = load([("case.cfg", text)], {})
        assert configuration is not None, said.render()
        self.configuration = configuration
        self.thread = thread
        self.runtime: Runtime = thread.call(self._build)
        names = [proxy.name for proxy in configuration.proxies if proxy.has_frontend]
        for name, sock in zip(names, sockets, strict=False):
            thread.call(self.runtime.listen, name, 0, sock)

    def _build(self) -> Runtime:
        return build_module.build(self.configuration, loop=self.thread.loop, pid=1)

    def remains(self) -> dict[str, int]:
        """What is not zero of all that must be when no client is connected and no idle server connection is counted."""
        return {key: value for key, value in self.thread.call(self._count).items() if value}

    def _count(self) -> dict[str, int]:
        relay = self.runtime.relay
        found = {
            "clients": len(relay.clients),
            "tunnels": len(relay.tunnels),
            "connections": relay.connections,
            "descriptors": relay.descriptors,
        }
        for frontend in self.runtime.frontends.values():
            found[f"{frontend.name} connections"] = frontend.connections
        for backend in self.runtime.backends:
            found[f"{backend.name} served"] = backend.served
            found[f"{backend.name} queued"] = backend.queued
            for server in backend.servers:
                pool = server.pool
                found[f"{server.name} served"] = server.served
                found[f"{server.name} used"] = pool.used_count
                found["descriptors"] -= pool.idle_count + pool.safe_count
        # Idle server connections may be filed with a deadline that is long past.
        found["timers"] = sum(
            1 for bucket in relay.timers._buckets.values() for timed in bucket if timed.deadline != float("inf")
        )
        return found

    def rests(self) -> bool:
        """Whether the loop has turned: once for what has come, once for what was put off meanwhile."""
        for _ in range(2):
            self.thread.call(_nothing)
        return True

    def settle(self, seconds: float = 2.0) -> dict[str, int]:
        """Wait until nothing remains; what remains after that time."""
        deadline = time.monotonic() + seconds
        while True:
            remains = self.remains()
            if not remains or time.monotonic() > deadline:
                return remains
            time.sleep(0.005)

    def stop(self) -> None:
        self.thread.call(self.runtime.abort)
        self.thread.call(asyncio.sleep, 0).close()
