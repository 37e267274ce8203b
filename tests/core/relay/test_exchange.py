"""Phases against their table, and the facts of an exchange before, during and after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.build_rules import install
from maniple.core.config.model import BalanceSpec, Configuration
from maniple.core.relay import exchange as exchange_module
from maniple.core.relay.exchange import DONE, HEAD, MOVES, SENDING, IllegalMove, Phase, RelayExchange, advance
from maniple.core.relay.operating import set_server
from maniple.tests.core.relay.fakes import FakeDial
from maniple.tests.core.relay.rig import DATE, GET, OK, CheckedExchange, Rig, client_of, illegal_moves
from maniple.tests.core.relay.ruled_rig import rule_lines

MakeRig = Callable[..., Rig]
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"


def test_figure_is_the_table() -> None:
    figure = (exchange_module.__doc__ or "").split("```")[1]
    drawn = {}
    for line in figure.strip().splitlines():
        before, _, after = line.partition(" -> ")
        drawn[Phase[before.strip()]] = frozenset(Phase[word.strip()] for word in after.split("|"))
    assert drawn == MOVES


def test_every_phase_is_reached_and_left() -> None:
    assert set(MOVES) == set(Phase)
    assert set().union(*MOVES.values()) == set(Phase)


@pytest.mark.parametrize("before", Phase)
def test_advance(make_rig: MakeRig, before: Phase) -> None:
    rig = make_rig()
    exchange = RelayExchange(client_of(rig.client()))
    for after in Phase:
        exchange.phase = before
        if after in MOVES[before]:
            advance(exchange, after)
            assert exchange.phase is after
        else:
            with pytest.raises(IllegalMove, match=f"{before.name} -> {after.name}"):
                advance(exchange, after)
            assert exchange.phase is before


def leave(rig: Rig) -> None:
    rig.lose(rig.clients[-1])


def answered(rig: Rig) -> None:
    rig.ask()
    rig.send(rig.upstream(), OK)
    rig.send(rig.clients[-1], GET)
    rig.send(rig.upstream(), OK)


def queued(rig: Rig) -> None:
    """One is called to a connection from the pool, one to a new one, one leaves, one waits for too long."""
    for _ in range(5):
        rig.ask()
    leave(rig)
    rig.send(rig.upstream(), OK)
    rig.shut(rig.upstream())
    rig.loop.advance(5_000.0)


def moved(rig: Rig) -> None:
    """The server in whose queue one waits goes into maintenance."""
    for _ in range(2):
        rig.ask()
    set_server((rig.backend,), "px", "s1", "maint", None)
    rig.loop.run()


def refused(rig: Rig) -> None:
    rig.loop.answer = FakeDial.refuse
    rig.ask()
    rig.loop.advance(10_000.0)


def gone_while_connecting(rig: Rig) -> None:
    rig.loop.answer = None
    rig.ask()
    leave(rig)


def no_request(rig: Rig) -> None:
    rig.ask(b"nonsense\r\n\r\n")
    rig.ask(GET[:5])
    leave(rig)


def bad_body(rig: Rig) -> None:
    rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")


def bad_responses(rig: Rig) -> None:
    rig.ask()
    rig.send(rig.upstream(), b"nonsense")
    rig.ask()
    rig.send(rig.upstream(), OK[:-1])
    rig.shut(rig.upstream())
    rig.ask()
    rig.send(rig.upstream(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")


def gone_while_sending(rig: Rig) -> None:
    rig.ask(POST)
    leave(rig)


def early_answer(rig: Rig) -> None:
    rig.ask(POST)
    rig.send(rig.upstream(), OK)
    rig.send(rig.clients[-1], b"llo")


def tunnels(rig: Rig) -> None:
    for error in (None, ConnectionResetError()):
        rig.ask(UPGRADE)
        rig.send(rig.upstream(), SWITCH)
        rig.lose(rig.clients[-1], error)


def rejected_by_a_rule(rig: Rig) -> None:
    install(Configuration(proxies=(rig.spec,)), {"px": rig.frontend}, {"px": rig.backend}, rig.relay)
    rig.ask()


SCENARIOS: dict[Callable[[Rig], None], dict[str, object]] = {
    answered: {},
    queued: {"server": {"maxconn": 1}},
    moved: {"server": {"maxconn": 1, "maxqueue": 5}, "balance": BalanceSpec("leastconn")},
    refused: {},
    gone_while_connecting: {},
    no_request: {},
    bad_body: {},
    bad_responses: {},
    gone_while_sending: {},
    early_answer: {},
    tunnels: {},
    rejected_by_a_rule: {"rules": rule_lines("http-request reject")},
}


def test_the_relay_makes_exactly_the_moves_of_the_table(make_rig: MakeRig) -> None:
    for scenario, words in SCENARIOS.items():
        scenario(make_rig(**words))
        assert illegal_moves() == set(), scenario.__name__
    make_rig(mode="tcp").client()
    made = CheckedExchange.moves
    never = {(one.name, other.name) for one, others in MOVES.items() for other in others if (one, other) not in made}
    assert never == set(), "the table allows what nobody does"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_clean_afterwards(make_rig: MakeRig, scenario: Callable[[Rig], None]) -> None:
    """Whatever an exchange went through, its object is as good as new: all fields that an ordinary request does not set
    have their defaults."""
    rig = make_rig(**SCENARIOS[scenario])
    scenario(rig)
    for client in rig.clients:
        if not client.lost:
            rig.lose(client)
    set_by_everybody = {
        *("phase", "client", "session", "head", "request_number", "number", "keep", "reused", "status"),
        *(
            "first_byte_at",
            "first_byte_date",
            "head_at",
            "slot_at",
            "connect_at",
            "response_at",
            "end_at",
            "idle_since",
        ),
        *("bytes_from_client", "bytes_to_client", "server_name", "backend_name", "server_host", "server_port"),
        *("method", "target", "request_line", "process_connections", "frontend_connections", "backend_connections"),
        "server_connections",
    }
    fresh = RelayExchange(client_of(rig.client()))
    fields = {name for kind in type(fresh).__mro__ for name in getattr(kind, "__slots__", ())} - set_by_everybody
    for spare in rig.relay.spare:
        assert spare.phase is DONE
        assert {name: getattr(spare, name) for name in fields} == {name: getattr(fresh, name) for name in fields}


def test_begin_and_clean(make_rig: MakeRig) -> None:
    rig = make_rig()
    exchange = RelayExchange(client_of(rig.client()))
    assert (exchange.phase, exchange.dirty, exchange.server_name) == (DONE, False, "<NOSRV>")
    exchange.begin(5.0)
    assert (exchange.phase, exchange.dirty, exchange.first_byte_at) == (HEAD, True, 5.0)
    exchange.phase = SENDING
    exchange.termination = b"SH"
    exchange.clean()
    assert (exchange.phase, exchange.termination, exchange.first_byte_at) == (DONE, b"--", -1.0)


def test_record(make_rig: MakeRig) -> None:
    """What a log line may ask of an exchange under way."""
    rig = make_rig()
    rig.ask()
    rig.loop.advance(100.0)
    client = rig.ask(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange = client_of(client).exchange
    assert exchange is not None
    rig.loop.advance(50.0)
    exchange.record()
    assert (exchange.method, exchange.target, exchange.request_line) == (b"GET", b"/x", b"GET /x HTTP/1.1")
    assert (exchange.server_name, exchange.backend_name) == ("s1", "px")
    assert (exchange.server_host, exchange.server_port) == ("127.0.0.1", 8001)
    assert (exchange.process_connections, exchange.frontend_connections) == (2, 2)
    assert (exchange.backend_connections, exchange.server_connections) == (1, 1), "without itself"
    assert exchange.first_byte_date == pytest.approx(DATE + 1000.1)
    assert exchange.idle_since == exchange.first_byte_at


def test_idle_time_is_since_the_last_exchange(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    rig.loop.advance(700.0)
    rig.send(client, GET)
    exchange = client_of(client).exchange
    assert exchange is not None
    exchange.record()
    assert exchange.first_byte_at - exchange.idle_since == pytest.approx(700.0)


def test_says_what_it_is(make_rig: MakeRig) -> None:
    rig = make_rig()
    exchange = client_of(rig.ask()).exchange
    assert repr(exchange) == "<exchange 0 SENDING b'GET / HTTP/1.1' s1>"
