"""Micro-benchmarks: what each part of a request's path costs by itself, a line each, in microseconds.

The one file of perf that imports the product, and it does so part by part: a part that is not there is said to be
absent, and the rest is still timed. The figures are the best of several repeats, which is what a part can do when
nothing disturbs it; they are for finding where the time of a request goes, never a test, and never a claim against
another program (that is harness.py's business).

Run as `python -m maniple.perf.micro [WORD]`: only the lines whose name contains WORD.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Any, cast

from .scenarios import BY_NAME, CLIENT, client_mark, request_head

if TYPE_CHECKING:
    from ..core.balance.backend import Backend
    from ..core.session import Exchange
    from ..pools.table import Table

REPEATS = 5
SECONDS = 0.05
"""Least time of one repeat."""

RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 00:29:36 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 128\r\nConnection: keep-alive\r\n\r\n"
)
DATE = b"00:29:36"


@dataclass(frozen=True)
class Part:
    """`make` imports the part and gives the action to time; `each` is how often one call does what the line names."""

    name: str
    make: Callable[[], Callable[[], object]]
    each: int = 1


@dataclass(frozen=True)
class Timing:
    """`us` is None where the part is absent or broken; `note` then says why."""

    name: str
    us: float | None
    note: str = ""


def small_head() -> bytes:
    return request_head(BY_NAME["small"], "127.0.0.1:8080").encode()


def browser_head(client: int) -> bytes:
    return request_head(BY_NAME["browser"], "127.0.0.1:8080").replace(CLIENT, client_mark(client)).encode()


def _find_end() -> Callable[[], object]:
    from ..core.http.head import find_head_end

    head = browser_head(0)
    return lambda: find_head_end(head, 0)


def _request(heads: list[bytes]) -> Callable[[], Callable[[], object]]:
    """Reads these heads in turn; more of them than the caches hold are all misses."""

    def make() -> Callable[[], object]:
        from ..core.http.head import HeadReader
        from ..core.http.limits import Limits

        read = HeadReader(Limits()).read_request
        turn: Iterator[bytes] = cycle(heads)
        for _ in range(min(3 * len(heads), 1000)):
            read(next(turn))
        return lambda: read(next(turn))

    return make


def _response(heads: list[bytes]) -> Callable[[], Callable[[], object]]:
    def make() -> Callable[[], object]:
        from ..core.http.head import HeadReader
        from ..core.http.limits import Limits

        read = HeadReader(Limits()).read_response
        turn: Iterator[bytes] = cycle(heads)
        for _ in range(min(3 * len(heads), 1000)):
            read(next(turn), b"GET")
        return lambda: read(next(turn), b"GET")

    return make


def _backend(balance: str) -> Backend:
    from ..core.balance.backend import Backend
    from ..core.config.parser import load
    from ..pools.counters import BackendCounts, ServerCounts

    servers = "".join(f"    server s{number} 127.0.0.1:{8000 + number}\n" for number in range(3))
    text = f"backend b\n    mode http\n    balance {balance}\n    http-reuse always\n{servers}"
    configuration, diagnostics = load([("micro", text)], {})
    if configuration is None:
        raise ValueError(diagnostics.render())
    spec = configuration.proxies[0]
    return Backend(spec, BackendCounts(), [ServerCounts() for _ in spec.servers], full=100)


def _choice(balance: str) -> Callable[[], Callable[[], object]]:
    """Choose, take the slot and give it back, as every request does."""

    def make() -> Callable[[], object]:
        backend = _backend(balance)
        exchange = ended_exchange()

        def choose() -> None:
            server = backend.choose(exchange, None)
            if server is not None:
                backend.took(server)
                backend.freed(server)

        return choose

    return make


def _rules() -> Callable[[], object]:
    raise ImportError("rules come with a later issue")


class _Connection:
    """What the pool keeps, without a socket."""

    __slots__ = ("reuses", "safe")

    def __init__(self) -> None:
        self.reuses = 0
        self.safe = False


def _pool(first: bool) -> Callable[[], Callable[[], object]]:
    def make() -> Callable[[], object]:
        from ..pools.connections import ConnectionPool

        pool: ConnectionPool[_Connection] = ConnectionPool("always")
        for _ in range(16):
            pool.took()
        for _ in range(16):
            pool.give(_Connection(), not first)

        def use() -> None:
            connection = pool.take(first)
            if connection is not None:
                pool.give(connection, not first)

        return use

    return make


def _count() -> Callable[[], object]:
    from ..pools.counters import FrontendCounts, ServerCounts

    frontend, server = FrontendCounts(), ServerCounts()

    def count() -> None:
        frontend.req_tot += 1
        frontend.bin += 90
        frontend.bout += 280
        frontend.hrsp_2xx += 1
        server.bin += 90
        server.bout += 280
        server.hrsp_2xx += 1

    return count


def _publish() -> Callable[[], object]:
    from ..pools.columns import Columns, Shape
    from ..pools.counters import ServerCounts

    shape = Shape([("server", "b/s0")])
    column = Columns(memoryview(bytearray(shape.size(1))), shape, 1).column(0)
    counts = ServerCounts()
    return lambda: column.publish(0, counts)


def _log_line() -> Callable[[], object]:
    from ..core.report.log_format import HTTPLOG, compile_format

    line = compile_format(HTTPLOG, "http")
    exchange = ended_exchange()
    return lambda: line(exchange)


def ended_exchange() -> Exchange:
    """An exchange as it is when its line is written."""
    from ..core.session import Exchange, Session

    session = Session()
    _set(session, accept_at=1000.0, accept_date=1_763_769_600.5, client_host="127.0.0.1", client_port=40000)
    _set(session, frontend_host="127.0.0.1", frontend_port=8080, frontend_name="clients", listener_name="1")
    _set(session, number=1, tls=False)
    exchange = Exchange()
    _set(exchange, session=session, number=1, request_number=3, method=b"GET", target=b"/small", version=b"HTTP/1.1")
    _set(exchange, request_line=b"GET /small HTTP/1.1", backend_name="origin", server_name="one")
    _set(exchange, source_host="127.0.0.1", source_port=50000, server_host="127.0.0.1", server_port=80)
    _set(exchange, retries=0, redispatched=False, status=200, termination=b"--", cookie_state=b"--")
    _set(exchange, bytes_to_client=300, bytes_from_client=90, request_captures=[], response_captures=[])
    _set(exchange, request_cookie="", response_cookie="")
    _set(exchange, idle_since=1000.0, first_byte_at=1001.0, first_byte_date=1_763_769_600.5, head_at=1001.1)
    _set(exchange, slot_at=1001.2, connect_at=1001.2, response_at=1002.0, end_at=1002.1)
    _set(exchange, process_connections=64, frontend_connections=64, backend_connections=10, server_connections=10)
    _set(exchange, server_queue=0, backend_queue=0)
    return exchange


def _set(owner: object, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(owner, name, value)


@cache
def _filled_table(entries: int) -> tuple[Table, list[bytes]]:
    """A table of addresses, full, as one of two threads uses it, and its keys."""
    from xxhash import xxh3_64_intdigest

    from ..pools.table import Table, create_table
    from ..pools.table_shape import Stored, TableShape

    stored = (Stored("http_req_cnt"), Stored("http_req_rate", 1, 10_000), Stored("bytes_out_rate", 1, 10_000))
    segment = create_table("t", TableShape("ip", 4, entries, 60_000, True, stored), 1, private=True)
    table = Table(segment, 2, xxh3_64_intdigest)
    keys = [number.to_bytes(4, "big") for number in range(entries)]
    for key in keys:
        table.release(table.track(key, 1000))
    return table, keys


def _table(entries: int, what: str) -> Callable[[], Callable[[], object]]:
    """A thread's use of a stick table of so many entries, in random order."""

    def make() -> Callable[[], object]:
        table, keys = _filled_table(entries)
        random = Random(1)
        # Made anew in the order of their use: a request has just made its key, wherever the table has it.
        seen = cycle([bytes(bytearray(key)) for key in random.choices(keys, k=min(entries * 4, 200_000))])
        counts = [table.cell(one.name) for one in table.shape.stored]

        def look_up() -> None:
            table.find(next(seen), 2000)

        def read() -> None:
            key = next(seen)
            slot = table.find(key, 2000)
            counts[0].value(slot, 2000)  # type: ignore[union-attr]
            table.same(slot, key)

        def track() -> None:
            slot = table.track(next(seen), 2000)
            for count in counts:
                count.add(slot, 1, 2000)  # type: ignore[union-attr]
            table.release(slot)

        def come() -> None:
            table.release(table.track(random.randbytes(5)[1:], 2000))

        return {"look up": look_up, "read": read, "track": track, "come": come}[what]

    return make


MESSAGES = 2000


class _Relay(asyncio.Protocol):
    """Writes what it reads to its peer; without a peer it answers to itself, which makes a server."""

    def __init__(self) -> None:
        self.peer: _Relay = self
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.peer.transport.write(data)


class _Asker(_Relay):
    """Sends the next message when the answer is there."""

    def __init__(self, done: asyncio.Future[None]) -> None:
        super().__init__()
        self.left = MESSAGES
        self.done = done

    def data_received(self, data: bytes) -> None:
        self.left -= 1
        if self.left:
            self.transport.write(data)
        else:
            self.done.set_result(None)


def _pump() -> Callable[[], object]:
    """asker - relay - relay - server in one loop. Asker and server cost as much as the two sides of the pump between
    them, so a message costs the pump half of the time."""
    import uvloop

    async def run() -> None:
        loop = asyncio.get_running_loop()
        asker = _Asker(loop.create_future())
        near, far, server = _Relay(), _Relay(), _Relay()
        near.peer, far.peer = far, near
        ends = (*socket.socketpair(), *socket.socketpair())
        for end, protocol in zip(ends, (asker, near, far, server), strict=True):
            await loop.create_connection(lambda protocol=protocol: protocol, sock=end)  # type: ignore[misc]
        asker.transport.write(small_head())
        await asker.done
        for protocol in (asker, near, far, server):
            protocol.transport.close()

    return lambda: uvloop.run(run())


BROWSERS = [browser_head(client) for client in range(64)]
MANY_BROWSERS = [browser_head(client) for client in range(20_000)]
SECOND_BY_SECOND = [RESPONSE.replace(DATE, b"%08d" % second) for second in range(20_000)]

PARTS: tuple[Part, ...] = (
    Part("pump: a message through two sockets, both ways", _pump, each=2 * MESSAGES),
    Part("parse: find the end of a browser's head", _find_end),
    Part("parse: small request, seen before", _request([small_head()])),
    Part("parse: browser's request, 64 clients in turn", _request(BROWSERS)),
    Part("parse: browser's request, never seen", _request(MANY_BROWSERS)),
    Part("parse: response, seen before", _response([RESPONSE])),
    Part("parse: response, never seen", _response(SECOND_BY_SECOND)),
    Part("rules: two conditions and an edit", _rules),
    Part("choice: roundrobin of 3, slot taken and freed", _choice("roundrobin")),
    Part("choice: leastconn of 3, slot taken and freed", _choice("leastconn")),
    Part("choice: random of 3, slot taken and freed", _choice("random")),
    Part("pool: take and give, client's first request", _pool(True)),
    Part("pool: take and give, later request", _pool(False)),
    Part("table: look up one of 1,000 entries", _table(1000, "look up")),
    Part("table: look up one of 1,000,000", _table(1_000_000, "look up")),
    Part("table: look up and read a count, of 1,000", _table(1000, "read")),
    Part("table: track one of 1,000 with three counters", _table(1000, "track")),
    Part("table: track one of 1,000,000 with three counters", _table(1_000_000, "track")),
    Part("table: a new key for the oldest, of 100,000", _table(100_000, "come")),
    Part("counters: 7 counts of a request", _count),
    Part("counters: publish a server's row (once a turn of the loop)", _publish),
    Part("log: one httplog line", _log_line),
)


def timed(part: Part) -> Timing:
    """Time one part; ImportError and AttributeError mean that it, or its name, is not there."""
    try:
        action = part.make()
    except (ImportError, AttributeError) as error:
        return Timing(part.name, None, f"absent ({error})")
    timer = timeit.Timer(action)
    action()
    number = 1
    while (spent := timer.timeit(number)) < SECONDS:
        number = max(number * 2, int(number * SECONDS / max(spent, 1e-9)))
    best = min(timer.repeat(REPEATS, number))
    return Timing(part.name, best / number / part.each * 1e6)


def line(timing: Timing) -> str:
    figure = f"{timing.us:8.3f} µs" if timing.us is not None else f"       -     {timing.note}"
    return f"{timing.name:<62}{figure}"


def main(words: list[str]) -> int:
    for part in PARTS:
        if not words or words[0] in part.name:
            print(line(timed(part)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
