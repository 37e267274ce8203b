"""The way to a server: pools, slots, queues, retries and redispatches, in virtual time."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.config.model import BalanceSpec, ForwardForSpec, Timeouts
from maniple.core.http.replies import REPLIES
from maniple.core.relay.connect import LARGE
from maniple.tests.core.relay.fakes import FakeDial, FakeTransport
from maniple.tests.core.relay.rig import GET, GET_SENT, OK, OK_SENT, TIMEOUTS, Rig, connection_of

MakeRig = Callable[..., Rig]


def addressed(number: int) -> bytes:
    return b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number


def path(sent: bytes) -> bytes:
    return sent.split(b" ")[1]


def answer(rig: Rig, server: FakeTransport) -> None:
    rig.send(server, OK)
    rig.loop.run()


def answer_all(rig: Rig) -> None:
    """Every server connection that has been asked something answers."""
    for dial in rig.dials:
        if dial.transport is not None and dial.transport.take():
            answer(rig, dial.transport)


# The pool.


@pytest.mark.parametrize(("reuse", "dials"), [("never", 2), ("safe", 2), ("aggressive", 1), ("always", 1)])
def test_reuse(make_rig: MakeRig, reuse: str, dials: int) -> None:
    """Two clients, one after the other, with two requests each. `safe` dials for a client's first request, `never`
    lets only its own client have a connection again."""
    rig = make_rig(http_reuse=reuse)
    for _ in range(2):
        client = rig.client()
        for _ in range(2):
            rig.send(client, GET)
            answer_all(rig)
        assert client.take() == OK_SENT * 2
        rig.lose(client)
    assert len(rig.dials) == dials


@pytest.mark.parametrize(("reuse", "dials"), [("never", 3), ("safe", 3), ("aggressive", 3), ("always", 1)])
def test_reuse_with_one_request_each(make_rig: MakeRig, reuse: str, dials: int) -> None:
    rig = make_rig(http_reuse=reuse)
    for _ in range(3):
        client = rig.ask()
        answer_all(rig)
        assert client.take() == OK_SENT
        rig.lose(client)
    assert len(rig.dials) == dials


def test_server_close_never_reuses(make_rig: MakeRig) -> None:
    rig = make_rig(close_mode="server-close")
    client = rig.ask()
    assert rig.upstream().take() == GET_SENT[:-2] + b"connection: close\r\n\r\n"
    answer(rig, rig.upstream())
    assert client.take() == OK_SENT
    assert rig.upstream().lost
    assert rig.idle == 0


def test_pool_limit(make_rig: MakeRig) -> None:
    rig = make_rig(server={"pool_max": 1})
    for _ in range(2):
        rig.ask()
    for number in range(2):
        answer(rig, rig.upstream(number))
    assert rig.idle == 1
    assert [rig.upstream(number).lost for number in range(2)] == [False, True]


# Slots and queues.


def test_requests_wait_in_order(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1})
    clients = [rig.ask(addressed(number)) for number in range(5)]
    assert (rig.backend.served, rig.backend.queued) == (1, 4)
    server = rig.upstream()
    for number, client in enumerate(clients):
        assert path(server.take()) == b"/%d" % number
        rig.loop.advance(100.0)
        answer(rig, server)
        assert client.take() == OK_SENT
    assert len(rig.dials) == 1
    assert [line.queues[1] for line in rig.log.lines] == [0, 1, 2, 3, 4]
    assert [line.times[1] for line in rig.log.lines] == [0, 100, 200, 300, 400]


def test_queue_timeout(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1}, timeouts=Timeouts(client=30_000, server=20_000, connect=4_000, queue=1_000))
    rig.ask()
    client = rig.ask()
    rig.loop.advance(999.0)
    assert client.take() == b""
    rig.loop.advance(52.0)
    assert client.take() == REPLIES[503]
    assert rig.lines() == [(503, "sQ")]
    assert rig.backend.queued == 0
    answer(rig, rig.upstream())
    rig.send(client, GET)
    assert rig.upstream().take() == GET_SENT + GET_SENT


def test_timeout_connect_stands_for_the_queue(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1})
    rig.ask()
    client = rig.ask()
    rig.loop.advance(4_051.0)
    assert client.take() == REPLIES[503]
    assert rig.lines() == [(503, "sQ")]


def test_client_leaves_the_queue(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1})
    rig.ask()
    gone, waiting = rig.ask(addressed(1)), rig.ask(addressed(2))
    rig.lose(gone)
    assert rig.backend.queued == 1
    assert rig.lines() == [(-1, "CQ")]
    rig.upstream().take()
    answer(rig, rig.upstream())
    assert path(rig.upstream().take()) == b"/2"
    answer(rig, rig.upstream())
    assert waiting.take() == OK_SENT


def test_abortonclose_leaves_the_queue(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1}, options=frozenset({"abortonclose"}))
    rig.ask()
    client = rig.ask()
    rig.shut(client)
    assert client.lost
    assert rig.backend.queued == 0
    assert rig.lines() == [(-1, "CQ")]
    assert rig.backend.counts.cli_abrt == 1


def test_without_it_the_place_is_kept(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1})
    rig.ask()
    client = rig.ask()
    rig.shut(client)
    answer(rig, rig.upstream())
    answer(rig, rig.upstream())
    assert client.take() == OK_SENT
    assert client.lost


def test_slot_of_a_failed_exchange_goes_on(make_rig: MakeRig) -> None:
    """Whatever ends an exchange, the next one is called."""
    rig = make_rig(server={"maxconn": 1})
    clients = [rig.ask(addressed(number)) for number in range(4)]
    rig.shut(rig.upstream())
    assert clients[0].take() == REPLIES[502]
    rig.send(rig.upstream(), b"nonsense")
    assert clients[1].take() == REPLIES[502]
    rig.lose(clients[2])
    answer(rig, rig.upstream())
    assert clients[3].take() == OK_SENT
    assert len(rig.dials) == 4
    assert [state for _, state in rig.lines()] == ["SH", "PH", "CH", "--"]


def test_dial_that_fails_frees_the_slot(make_rig: MakeRig) -> None:
    rig = make_rig(server={"maxconn": 1}, retries=0)
    rig.loop.answer = None
    first, second = rig.ask(), rig.ask()
    rig.refuse()
    assert first.take() == REPLIES[503]
    rig.accept()
    answer(rig, rig.upstream())
    assert second.take() == OK_SENT


def test_no_server(make_rig: MakeRig) -> None:
    rig = make_rig(servers=0)
    client = rig.ask()
    assert client.take() == REPLIES[503]
    assert not client.closing
    assert rig.lines() == [(503, "SC")]
    assert rig.log.lines[0].server == "<NOSRV>"


def test_queue_of_a_server_that_is_chosen_anyway(make_rig: MakeRig) -> None:
    """leastconn queues at a server; `maxqueue` 1 sends the next one to the backend's queue."""
    rig = make_rig(server={"maxconn": 1, "maxqueue": 1}, balance=BalanceSpec("leastconn"))
    clients = [rig.ask(addressed(number)) for number in range(3)]
    for number, client in enumerate(clients):
        assert path(rig.upstream().take()) == b"/%d" % number
        answer(rig, rig.upstream())
        assert client.take() == OK_SENT


# Attempts.


def test_refused_then_there(make_rig: MakeRig) -> None:
    """The same server is left alone for a second before each further attempt."""
    rig = make_rig()
    rig.loop.answer = None
    client = rig.ask()
    rig.refuse()
    assert len(rig.dials) == 1
    rig.loop.advance(999.0)
    assert len(rig.dials) == 1
    rig.loop.advance(52.0)
    assert len(rig.dials) == 2
    rig.accept()
    answer(rig, rig.upstream())
    assert client.take() == OK_SENT
    line = rig.log.lines[0]
    assert (line.retries, line.redispatched) == (1, False)
    assert line.times[2] >= 1_000
    assert rig.server.counts.wretr == rig.backend.counts.wretr == 1
    assert rig.server.counts.wredis == 0


def test_turn_around_is_not_longer_than_timeout_connect(make_rig: MakeRig) -> None:
    rig = make_rig(timeouts=Timeouts(client=30_000, server=20_000, connect=200))
    rig.loop.answer = None
    rig.ask()
    rig.refuse()
    rig.loop.advance(251.0)
    assert len(rig.dials) == 2


def test_attempts_come_to_an_end(make_rig: MakeRig) -> None:
    rig = make_rig(retries=2)
    rig.loop.answer = FakeDial.refuse
    client = rig.ask()
    rig.loop.advance(10_000.0)
    assert len(rig.dials) == 3
    assert client.take() == REPLIES[503]
    assert rig.lines() == [(503, "SC")]
    assert rig.log.lines[0].retries == 2
    assert rig.server.counts.econ == 1
    assert not client.closing


def test_elsewhere_at_once(make_rig: MakeRig) -> None:
    rig = make_rig(servers=3, redispatch=-1)
    rig.loop.answer = None
    client = rig.ask()
    rig.refuse()
    assert len(rig.dials) == 2
    rig.accept()
    answer(rig, rig.upstream())
    assert client.take() == OK_SENT
    line = rig.log.lines[0]
    assert (line.server, line.retries, line.redispatched) == ("s2", 1, True)
    assert [server.counts.wredis for server in rig.backend.servers] == [1, 0, 0]
    assert [server.served for server in rig.backend.servers] == [0, 0, 0]


def test_elsewhere_into_a_pool(make_rig: MakeRig) -> None:
    rig = make_rig(servers=2, redispatch=-1)
    first = rig.ask()
    answer(rig, rig.upstream())
    rig.loop.answer = FakeDial.refuse
    second = rig.ask()
    assert len(rig.dials) == 2
    assert rig.upstream(0).take() == GET_SENT + GET_SENT
    answer(rig, rig.upstream(0))
    assert (first.take(), second.take()) == (OK_SENT, OK_SENT)
    assert rig.log.lines[1].redispatched


def test_elsewhere_is_full(make_rig: MakeRig) -> None:
    rig = make_rig(servers=2, server={"maxconn": 1}, redispatch=-1)
    first = rig.ask()
    rig.loop.answer = None
    second = rig.ask()
    rig.refuse()
    # The only free slot is that of the server that failed.
    assert [server.served for server in rig.backend.servers] == [1, 1]
    assert len(rig.dials) == 3
    rig.accept()
    answer_all(rig)
    assert (first.take(), second.take()) == (OK_SENT, OK_SENT)
    assert (rig.log.lines[1].server, rig.log.lines[1].redispatched) == ("s2", True)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (OSError(errno.EMFILE, "no descriptors"), "RC"),
        (OSError(errno.EADDRNOTAVAIL, "no ports"), "RC"),
        (OSError(errno.EHOSTUNREACH, "no way"), "SC"),
        (TimeoutError(errno.ETIMEDOUT, "late"), "SC"),
    ],
)
def test_what_a_failure_is_called(make_rig: MakeRig, error: OSError, state: str) -> None:
    rig = make_rig(retries=0)
    rig.loop.answer = None
    client = rig.ask()
    rig.refuse(error=error)
    assert client.take() == REPLIES[503]
    assert rig.lines() == [(503, state)]


def test_timeout_connect(make_rig: MakeRig) -> None:
    rig = make_rig(retries=1)
    rig.loop.answer = None
    client = rig.ask()
    rig.loop.advance(3_999.0)
    assert len(rig.dials) == 1
    # No turn-around after a time-out.
    rig.loop.advance(52.0)
    assert len(rig.dials) == 2
    assert rig.dials[0].outcome.cancelled()
    rig.loop.advance(4_051.0)
    assert client.take() == REPLIES[503]
    assert rig.lines() == [(503, "sC")]


def test_timeout_connect_for_a_later_request(make_rig: MakeRig) -> None:
    """Reference 3.3: this client can send it again by itself."""
    rig = make_rig(retries=0, close_mode="server-close")
    client = rig.ask()
    answer(rig, rig.upstream())
    rig.loop.answer = None
    rig.send(client, GET)
    rig.loop.advance(4_051.0)
    assert client.take() == OK_SENT
    assert client.lost
    assert rig.lines() == [(200, "--"), (503, "sC")]


def test_client_leaves_while_connecting(make_rig: MakeRig) -> None:
    """The connection that nobody wants any more serves the next one."""
    rig = make_rig()
    rig.loop.answer = None
    client = rig.ask()
    rig.lose(client)
    assert rig.lines() == [(-1, "CC")]
    assert rig.backend.served == 0
    server = rig.accept()
    assert rig.idle == 1
    other = rig.ask()
    assert server.take() == GET_SENT
    answer(rig, server)
    assert other.take() == OK_SENT


def test_client_leaves_in_the_turn_around(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.answer = None
    client = rig.ask()
    rig.refuse()
    rig.lose(client)
    rig.loop.advance(5_000.0)
    assert len(rig.dials) == 1
    assert rig.lines() == [(-1, "CC")]


# What is sent.


@pytest.mark.parametrize("size", [10, LARGE - 1, LARGE, 3 * LARGE])
def test_small_bodies_are_one_write(make_rig: MakeRig, size: int) -> None:
    rig = make_rig()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    client = rig.ask(head + b"b" * size)
    server = rig.upstream()
    assert server.take() == head.replace(b"Host", b"host").replace(b"Content-Length", b"content-length") + b"b" * size
    assert server.writes == (1 if size < LARGE else 2)
    answer(rig, server)
    assert client.take() == OK_SENT


def test_body_in_pieces_while_connecting(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.answer = None
    rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab", b"cd", b"ef")
    server = rig.accept()
    assert server.take().endswith(b"\r\n\r\nabcdef")
    answer(rig, server)


UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
WIRES: dict[str, tuple[bytes, dict[str, Any], bytes]] = {
    "plain": (GET, {}, GET_SENT),
    "upgrade": (UPGRADE, {}, b"GET / HTTP/1.1\r\nhost: a\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    "forwardfor": (GET, {"forwardfor": ForwardForSpec()}, GET_SENT[:-2] + b"x-forwarded-for: 192.0.2.1\r\n\r\n"),
    "forwardfor, another name": (
        GET,
        {"forwardfor": ForwardForSpec("X-Client", True)},
        GET_SENT[:-2] + b"x-client: 192.0.2.1\r\n\r\n",
    ),
    "forwardfor, except": (GET, {"forwardfor": ForwardForSpec(except_net="192.0.2.0/24")}, GET_SENT),
    "forwardfor if-none": (
        GET[:-2] + b"X-Forwarded-For: 1.1.1.1\r\n\r\n",
        {"forwardfor": ForwardForSpec(if_none=True)},
        GET_SENT[:-2] + b"x-forwarded-for: 1.1.1.1\r\n\r\n",
    ),
    "both": (
        GET,
        {"forwardfor": ForwardForSpec(), "close_mode": "server-close"},
        GET_SENT[:-2] + b"x-forwarded-for: 192.0.2.1\r\nconnection: close\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", WIRES)
def test_lines_of_ours(make_rig: MakeRig, name: str) -> None:
    request, words, sent = WIRES[name]
    rig = make_rig(**words)
    rig.ask(request)
    assert rig.upstream().take() == sent


def test_keep_alive_probes(make_rig: MakeRig) -> None:
    rig = make_rig(options=frozenset({"srvtcpka"}))
    rig.ask()
    assert len(rig.upstream().socket.options) == 1


def test_books_while_busy(make_rig: MakeRig) -> None:
    """One slot and one used connection for each exchange under way, and none for one that waits."""
    rig = make_rig(servers=2, server={"maxconn": 2}, timeouts=TIMEOUTS)
    for _ in range(6):
        rig.ask()
    assert (rig.backend.served, rig.backend.queued) == (4, 2)
    assert [server.pool.used_count for server in rig.backend.servers] == [2, 2]
    answer(rig, rig.upstream(0))
    assert (rig.backend.served, rig.backend.queued) == (4, 1)
    assert connection_of(rig.upstream(0)).exchange is not None


@pytest.mark.parametrize(
    ("options", "names"), [((), ["s1", "s2", "s1"]), (("prefer-last-server",), ["s1", "s1", "s1"])]
)
def test_prefer_last_server(make_rig: MakeRig, options: tuple[str, ...], names: list[str]) -> None:
    rig = make_rig(servers=2, options=frozenset(options))
    client = rig.ask()
    for number, name in enumerate(names):
        if number:
            rig.send(client, GET)
        rig.send(rig.upstream(int(name[1]) - 1), OK)
    assert [line.server for line in rig.log.lines] == names
