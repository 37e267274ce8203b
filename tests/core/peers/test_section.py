"""Sections over loopback: dialling, collisions, reconnection, silence, what is learned from whom."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from maniple.core.peers.conversation import Pace
from maniple.core.peers.section import PeersSection, RemotePeer, Retry
from maniple.core.peers.tables import Column, make_definition
from maniple.tests.core.peers.memory import MemoryTable

T = make_definition("t", "string", 8, 60_000, [Column("gpc0"), Column("server_key")])
PATIENCE = 10.0
FAST = Retry(1, 30, 60, 1000)


def bound() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


async def until(met: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(PATIENCE):
        while not met():
            await asyncio.sleep(0.005)


class Member:
    """One section, its table and what it noticed."""

    def __init__(self, name: str, sockets: dict[str, socket.socket], pace: Pace, table: MemoryTable | None) -> None:
        self.name = name
        self.table = table or MemoryTable(T)
        self.notices: list[str] = []
        others = [
            RemotePeer(other, "127.0.0.1", each.getsockname()[1]) for other, each in sockets.items() if other != name
        ]
        self.section = PeersSection(
            name, others, [self.table], notice=self.notices.append, pace=pace, retry=FAST, tick=10
        )

    def talking(self) -> bool:
        return all(standing.talking for standing in self.section.standings.values())

    def set(self, key: bytes, count: int) -> None:
        self.table.set(key, {"gpc0": count}, self.section.now())
        self.section.push()

    def counts(self) -> dict[bytes, object]:
        return {key: values["gpc0"] for key, (_, values) in self.table.held.items()}


@asynccontextmanager
async def members(
    *names: str, pace: Pace | None = None
) -> AsyncIterator[tuple[list[Member], dict[str, socket.socket]]]:
    sockets = {name: bound() for name in names}
    found = [Member(name, sockets, pace or Pace(), None) for name in names]
    try:
        yield found, sockets
    finally:
        for member in found:
            await member.section.stop()
        for each in sockets.values():
            each.close()


def run(play: Callable[[], object]) -> None:
    coroutine = play()
    assert asyncio.iscoroutine(coroutine)
    asyncio.run(coroutine)


@pytest.mark.parametrize("order", ["ab", "ba", "both"])
def test_two(order: str) -> None:
    async def play() -> None:
        async with members("a", "b") as ((a, b), sockets):
            starts = [member.section.start([sockets[member.name]]) for member in (a, b)]
            if order == "both":
                await asyncio.gather(*starts)
            else:
                for start in starts if order == "ab" else reversed(starts):
                    await start
                    await asyncio.sleep(0)
            a.set(b"x", 1)
            await until(lambda: a.talking() and b.talking())
            b.set(b"y", 2)
            await until(lambda: a.counts() == b.counts() == {b"x": 1, b"y": 2})
            await until(lambda: len(a.section.links) == len(b.section.links) == 1)

    run(play)


def test_one_that_comes_later_learns() -> None:
    async def play() -> None:
        async with members("a", "b", "c") as ((a, b, c), sockets):
            a.section.resync.taught("", True, 0)
            for member in (a, b):
                member.section.resync.next(1 << 60, ())
                assert member.section.resync.done
                await member.section.start([sockets[member.name]])
            for number in range(3000):
                a.set(b"%d" % number, number)
            await until(lambda: len(b.counts()) == 3000)
            await c.section.start([sockets["c"]])
            await until(lambda: c.section.resync.done)
            assert len(c.counts()) == 3000
            c.set(b"7", 70)
            await until(lambda: a.counts()[b"7"] == b.counts()[b"7"] == 70)

    run(play)


def test_a_broken_connection_goes_on_where_it_was() -> None:
    async def play() -> None:
        async with members("a", "b") as ((a, b), sockets):
            for member in (a, b):
                await member.section.start([sockets[member.name]])
            await until(lambda: a.talking() and b.talking())
            a.set(b"x", 1)
            await until(lambda: a.section.standings["b"].progress.acked == {"t": 1})
            for round_ in range(3):
                link = a.section.standings["b"].link
                assert link is not None and link.transport is not None
                link.transport.abort()
                a.set(b"x", 10 + round_)
                await until(lambda: b.counts() == a.counts() and a.talking() and b.talking())
            assert a.section.standings["b"].connected >= 4

    run(play)


def test_heartbeats_keep_it_and_silence_ends_it() -> None:
    async def play() -> None:
        async with members("a", "b", pace=Pace(20, 200)) as ((a, b), sockets):
            for member in (a, b):
                await member.section.start([sockets[member.name]])
            await until(lambda: a.talking() and b.talking())
            mine, other = a.section.standings["b"], b.section.standings["a"]

            # The links are looked up each time: a machine that is busy for 200 ms is a silence, too.
            def kept() -> bool:
                return mine.link is not None and mine.link.conversation.heartbeats > 3 and other.link is not None

            await until(kept)
            link = mine.link
            assert link is not None and other.link is not None
            other.link.pause_writing()
            await until(lambda: link.conversation.over.startswith("nothing was heard"))
            await until(lambda: a.talking() and b.talking())

    run(play)


def test_strangers_are_refused() -> None:
    async def play() -> None:
        async with members("a", "b") as ((a, b), sockets):
            await a.section.start([sockets["a"]])
            reader, writer = await asyncio.open_connection(*sockets["a"].getsockname())
            writer.write(b"HAProxyS 2.1\na\nstranger 1 1\n")
            assert await reader.read() == b"504\n"
            writer.close()
            await writer.wait_closed()
            assert b.notices == []

    run(play)


def test_the_old_process_tells_and_a_second_one_waits() -> None:
    async def play() -> None:
        async with members("a") as ((a,), sockets):
            a.section.resync = type(a.section.resync)(a.section.now(), local=True)
            await a.section.start([sockets["a"]])
            reader, writer = await asyncio.open_connection(*sockets["a"].getsockname())
            writer.write(b"HAProxyS 2.1\na\na 1 1\n\x0a\x82\x07\1\1t\6\x09\4\0\x0a\x80\x07\0\0\0\5\1k\7\0\1")
            assert await reader.readexactly(12) == b"200\n\x0a\x84\5\1\0\0\0\5"
            await until(lambda: a.section.resync.done)
            assert a.counts() == {b"k": 7}
            second, other = await asyncio.open_connection(*sockets["a"].getsockname())
            other.write(b"HAProxyS 2.1\na\na 2 1\n")
            assert await second.read() == b"300\n"
            for each in (writer, other):
                each.close()
                await each.wait_closed()

    run(play)


@pytest.mark.parametrize(("answer", "greetings"), [(b"502\n", [b"2.1", b"2.0"]), (b"503\n", [b"2.1", b"2.1"])])
def test_who_refuses_is_dialled_again(answer: bytes, greetings: list[bytes]) -> None:
    async def play() -> None:
        heard: list[bytes] = []

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readuntil(b"\n"))
            writer.write(answer)
            writer.close()

        async with members("a", "b") as ((a, _), sockets):
            server = await asyncio.start_server(refuse, sock=sockets["b"])
            await a.section.start([sockets["a"]])
            await until(lambda: len(heard) >= 2)
            server.close()
        assert [line.split()[1] for line in heard[:2]] == greetings
        assert answer == b"502\n" or a.notices == ["peer 'b': it refuses with 503"]

    run(play)


def test_dialling_where_nobody_is() -> None:
    async def play() -> None:
        async with members("a", "b") as ((a, _), sockets):
            sockets["b"].close()
            await a.section.start([sockets["a"]])
            await until(lambda: a.section.standings["b"].failures >= 3)
            assert a.section.standings["b"].last

    run(play)
