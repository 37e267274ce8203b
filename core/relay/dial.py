"""One attempt to connect to a server, with its time limit.

Owns: the coroutine that connects, the limit, and giving up. Must not know: what follows success or failure (connect).

asyncio wants a Task for a coroutine; but this one waits for a single future, nobody else looks at it, and a Task costs
4 us and its entry in a weak set. So it is stepped by hand: each future that it yields calls `_step` when it is done.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from sys import maxsize
from typing import TYPE_CHECKING, Any

from ..balance.retry import Failure
from ..balance.server import ANYWHERE
from ..net.socket_options import connected_socket
from .timers import NEVER

if TYPE_CHECKING:
    from ..balance.server import Server
    from .exchange import RelayExchange
    from .relay import Relay
    from .upstream import ServerConnection

Outcome = Callable[["RelayExchange", "ServerConnection"], None]
Failed = Callable[["RelayExchange", Failure, "OSError | None"], None]

ABSTRACT_LENGTH = 107
"""Bytes of an abstract name after its NUL."""


class Dial:
    """An attempt for `exchange`. `connected` or `failed` is called once, unless the exchange abandons it."""

    __slots__ = (
        "connected",
        "coroutine",
        "deadline",
        "exchange",
        "expired",
        "failed",
        "filed",
        "future",
        "relay",
        "server",
    )

    def __init__(self, exchange: RelayExchange, server: Server, connected: Outcome, failed: Failed) -> None:
        self.exchange: RelayExchange | None = exchange
        self.server = server
        self.relay: Relay = exchange.client.relay
        self.connected = connected
        self.failed = failed
        self.coroutine: Coroutine[Any, Any, ServerConnection] | None = None
        self.future: asyncio.Future[Any] | None = None
        """What the coroutine waits for."""
        self.expired = False
        self.deadline = NEVER
        self.filed = 0

    def start(self, now: float) -> None:
        """Begin. Neither callback is called before this returns, even if the kernel answers at once."""
        exchange = self.exchange
        assert exchange is not None
        self.server.pool.took()
        timeout = exchange.route.connect_timeout
        if timeout != NEVER:
            self.relay.timers.arm(self, now + timeout)
        self.coroutine = self._connect(exchange)
        self.relay.loop.call_soon(self._step)

    async def _connect(self, exchange: RelayExchange) -> ServerConnection:
        loop = self.relay.loop
        server = self.server
        address = server.spec.address
        connection = exchange.client.server_connection(self.relay, server)

        def made() -> ServerConnection:
            return connection

        if address.kind == "unix":
            await loop.create_unix_connection(made, address.host)
        elif address.kind == "abns":
            await loop.create_unix_connection(made, sock=_connect_abstract(address.host))
        else:
            host, port = address.host, address.port_low
            if server.floating:
                client = exchange.client
                if address.port_offset or not port:
                    port += client.frontend_port
                if host in ANYWHERE and client.frontend_host != "unix":
                    # Where the client, or a rule (`set-dst`), wants to go.
                    host = client.frontend_host
            source = exchange.route.source_of(server)
            options = exchange.server_options
            if options is None:
                await loop.create_connection(made, host, port, local_addr=source)
            else:
                # Worn out: no pool keeps it for others.
                connection.reuses = maxsize
                sock = await connected_socket(loop, options, host, port, source)
                await loop.create_connection(made, sock=sock)
        return connection

    def _step(self, _: object = None) -> None:
        coroutine = self.coroutine
        if coroutine is None:
            return
        try:
            future: asyncio.Future[Any] | None = coroutine.send(None)
        except StopIteration as stop:
            self.coroutine = None
            self._ended(stop.value)
        except OSError as error:
            self.coroutine = None
            if not self.expired:
                self._fail(Failure.REFUSED, error)
        except asyncio.CancelledError:
            self.coroutine = None
        else:
            self.future = future
            if future is None:
                self.relay.loop.call_soon(self._step)
            else:
                future._asyncio_future_blocking = False
                future.add_done_callback(self._step)

    def _ended(self, connection: ServerConnection) -> None:
        if self.expired:
            connection.transport.abort()
            return
        if connection.transport.is_closing():
            # It was made, and ended before anything could be sent.
            self._fail(Failure.LOST, None)
            return
        self.relay.timers.forget(self)
        spec = self.server.spec
        if spec.tcp_ut and spec.address.kind not in ("unix", "abns"):
            sock = connection.transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, spec.tcp_ut)
        exchange = self.exchange
        if exchange is not None:
            exchange.dial = None
            self.exchange = None
            self.connected(exchange, connection)
        elif not connection.pooled:
            # The client left meanwhile. Nobody takes TCP connections out of a pool.
            self.server.pool.released()
            connection.retire()
        elif not self.server.pool.give(connection, False):
            # The client left meanwhile, and nobody else has a use for the connection.
            connection.retire()

    def _fail(self, failure: Failure, error: OSError | None) -> None:
        self.relay.timers.forget(self)
        self.server.pool.released()
        exchange = self.exchange
        if exchange is not None:
            exchange.dial = None
            self.exchange = None
            self.failed(exchange, failure, error)

    def abandon(self) -> None:
        """The exchange has ended. The attempt goes on: its connection may serve another one."""
        exchange = self.exchange
        if exchange is not None:
            exchange.dial = None
            self.exchange = None

    def expire(self, now: float) -> None:
        """`timeout connect`."""
        if self.coroutine is not None:
            self.expired = True
            if self.future is not None:
                # The coroutine hears of it by way of `_step`, and closes what it has opened.
                self.future.cancel()
            self._fail(Failure.TIMED_OUT, None)


def _connect_abstract(name: str) -> socket.socket:
    """A socket that is connected to an abstract name, which libuv cannot do (its names end at a NUL). The name is
    padded to the whole address, as on `bind` (manual 11.1.1). On this machine connecting takes no time; a full queue is
    an error."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.connect(b"\0" + name.encode().ljust(ABSTRACT_LENGTH, b"\0"))
    except BaseException:
        sock.close()
        raise
    return sock


class TurnAround:
    """The pause before a server that refused is asked again. `again(exchange, elsewhere)`: when it is over."""

    __slots__ = ("again", "deadline", "elsewhere", "exchange", "filed", "relay")

    def __init__(
        self, exchange: RelayExchange, again: Callable[[RelayExchange, bool], None], elsewhere: bool, delay: int
    ) -> None:
        self.exchange = exchange
        self.again = again
        self.elsewhere = elsewhere
        self.relay = exchange.client.relay
        self.deadline = NEVER
        self.filed = 0
        exchange.dial = self
        self.relay.timers.arm(self, self.relay.now() + delay)

    def abandon(self) -> None:
        """The exchange has ended."""
        self.exchange.dial = None
        self.relay.timers.forget(self)

    def expire(self, now: float) -> None:
        self.exchange.dial = None
        self.again(self.exchange, self.elsewhere)
