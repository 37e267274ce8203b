"""Persistence on the short ways (straight, closing): what comes of it is what comes of the passes, and it costs
little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest
from maniple.core.balance.cookie_dates import write_date
from maniple.core.balance.persistence import Persistence
from maniple.core.balance.server import Server
from maniple.core.build_rules import install
from maniple.core.build_sticky import install_sticky
from maniple.core.config.cookie_spec import CookieSpec
from maniple.core.config.model import Configuration
from maniple.core.config.sticky import sticky_tables
from maniple.core.config.sticky_spec import StickySpec
from maniple.core.http.block import HeaderBlock
from maniple.core.relay import binding, operating
from maniple.core.relay import sticky as sessions
from maniple.core.relay.closing import shorten
from maniple.core.relay.exchange import RelayExchange
from maniple.core.relay.straight import straight_way
from maniple.core.rules import stick_rules
from maniple.core.rules.private_tables import private_tables
from maniple.pools.table import Table
from maniple.tests.core.relay.fakes import FakeDial, FakeTransport
from maniple.tests.core.relay.rig import GET, OK, Rig
from maniple.tests.core.relay.ruled_rig import rule_lines
from maniple.tests.core.relay.test_binding import States
from maniple.tests.core.relay.test_straight import bytecodes
from maniple.tests.core.rules.tables import tables_of

Make = Callable[..., Rig]
NOW = 1_700_000_000


class Case(NamedTuple):
    """What a backend says. `way`: of ordinary requests; `short`: has its route one for responses?"""

    rules: str = ""
    cookie: CookieSpec | None = None
    sticky: StickySpec | None = None
    table: str = ""
    words: tuple[tuple[str, Any], ...] = ()
    way: str = "_quiet_way"
    short: bool = True


INSERT = CookieSpec("X", "insert", indirect=True, nocache=True)
TEXTS = "type string len 9 size 50 expire 100s store server_id,server_key"
CASES = {
    "insert": Case(cookie=INSERT),
    "direct": Case(cookie=CookieSpec("X", "insert")),
    "dated": Case(cookie=CookieSpec("X", "insert", indirect=True, maxidle=60, maxlife=3600)),
    "preserve": Case(cookie=CookieSpec("X", "insert", preserve=True, postonly=True)),
    "rewrite": Case(cookie=CookieSpec("X", "rewrite", indirect=True)),
    "prefix": Case(cookie=CookieSpec("X", "prefix")),
    "read": Case(cookie=CookieSpec("X")),
    "persist": Case(cookie=INSERT, words=(("options", frozenset(("persist",))), ("redispatch", -1))),
    "forced": Case("force-persist if { path / }\nignore-persist if { path /i }", INSERT, way="_direct"),
    "edits": Case("http-request set-header A b\nhttp-request del-header Y if { hdr(y) 1 }", INSERT, way="light_of"),
    "general": Case("http-request set-header A %[path]\nhttp-request deny if { path /d }", INSERT, way="_ruled_way"),
    "answers": Case("http-response set-header B c", INSERT, way="_direct", short=False),
    "map": Case("http-request map-uri /d /e\nhttp-request set-header A %[hdr(y)]", INSERT, way="_single_way"),
    "server": Case("use-server s2 if { path / }", INSERT, way="_direct"),
    "on": Case("stick on req.cook(sid)", table=TEXTS),
    "on twice": Case("stick on req.cook(sid)\nstick on hdr(y) if { hdr(y) -m found }", table=TEXTS),
    "both": Case("stick on req.cook(sid)", INSERT, table=TEXTS),
    "response": Case("stick match req.cook(sid)\nstick store-response res.cook(sid)", table=TEXTS),
    "variable": Case(
        "stick on req.cook(sid),set-var(txn.a)\nhttp-request set-header A %[var(txn.a)]", table=TEXTS, way="_single_way"
    ),
    "learn": Case(sticky=StickySpec("learn cookie", "sid")),
    "own": Case(sticky=StickySpec("cookie", "S")),
    "strict": Case(sticky=StickySpec("header", "y"), words=(("sticky_strict", True),)),
    "cookie and session": Case(
        "http-request set-header A b", INSERT, StickySpec("learn cookie", "sid"), way="light_of"
    ),
    "once": Case(cookie=INSERT, words=(("close_mode", "server-close"), ("http_reuse", "never"))),
}
DATED = b"a|%b|%b" % (write_date(NOW - 10), write_date(NOW - 20))
LATE = b"a|%b|%b" % (write_date(NOW - 100), write_date(NOW - 4000))
LINES = [
    b"",
    b"Cookie: X=a\r\n",
    b"Y: 1\r\nCookie: y=1; X=b; sid=one\r\nZ: 2\r\n",
    b"Cookie: X=zz\r\nY: 1\r\n",
    b"Cookie: X=%b\r\n" % DATED,
    b"Cookie: X=%b\r\n" % LATE,
    b"Cookie: X=b~c\r\n",
    b"Cookie: sid=one\r\nX: 1\r\nCookie: X=b; X=a\r\n",
    b'Cookie: y="X=b", X =a;sid=two\r\n',
    b"Cookie: sid=two; X=\r\nY: 1\r\nY: 2\r\n",
]
REQUESTS = [
    *(b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n" % lines for lines in LINES),
    b"GET /i HTTP/1.1\r\nHost: h\r\nCookie: X=b\r\n\r\n",
    b"GET /d HTTP/1.1\r\nHost: h\r\nCookie: X=b\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: h\r\nCookie: X=b; sid=one\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nCookie: X=a; sid=one\r\nContent-Length: 2\r\n\r\nhi",
    b"GET / HTTP/1.0\r\nCookie: X=a\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nCookie: X=a; sid=two\r\nConnection: close\r\n\r\n",
]
AGAIN = b"GET / HTTP/1.1\r\nHost: h\r\nCookie: X=b; sid=one\r\nY: 1\r\n\r\n"
ANSWERS: list[tuple[bytes | str, ...]] = [
    (OK,),
    (b"HTTP/1.1 200 OK\r\nETag: 1\r\nSet-Cookie: X=q; path=/\r\nSet-Cookie: sid=one\r\nContent-Length: 0\r\n\r\n",),
    (b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=two; path=/e\r\nLocation: /e\r\nContent-Length: 2\r\n\r\nok",),
    (b"HTTP/1.1 200 OK\r\nETag: 1\r\nCache-Control: max-age=5\r\nContent-Length: 2\r\n\r\nok",),
    (b"HTTP/1.1 304 Not Modified\r\nETag: 1\r\n\r\n",),
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 20000\r\n\r\n" + bytes(20000),),
    (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",),
    (OK[:30], OK[30:-1], OK[-1:]),
    (OK + b"more",),
    (b"HTTP/1.0 200 OK\r\n\r\nok", "lost"),
    (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "lost"),
    (OK[:-1], "lost"),
    (OK[:-1], "left"),
    ("lost",),
    ("late",),
    ("left",),
    (b"nonsense\r\n\r\n",),
]


class Forgetful(Persistence):
    """Every cookie is read anew, every line written anew."""

    undated = property(lambda self: False, lambda self, value: None)

    def sole(self, values: Sequence[bytes]) -> Server | None:
        return None


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from here on."""
    monkeypatch.setattr(binding, "Persistence", Forgetful)
    monkeypatch.setattr(stick_rules, "_remember", lambda *words: None)
    monkeypatch.setattr(sessions, "make_memory", lambda *words, **more: (lambda *words: None, lambda *words: None))
    monkeypatch.setattr(HeaderBlock, "bound", property(lambda self: None, lambda self, value: None))


class Answers(States):
    """Notes, too, whose answer a line would show."""

    def write(self, exchange: RelayExchange, level: int | None = None) -> None:
        super().write(exchange, level)
        answer = exchange.answer
        self.states[-1] += f" {exchange.variables} {None if answer is None else (answer.status, answer.block.seen())}"


def persistent(make_rig: Make, case: Case, short: bool) -> tuple[Rig, dict[str, Table]]:
    """A rig with servers s1 and s2, whose cookies are a and b; `short`: on the short ways."""
    rules = rule_lines(case.rules or "acl unused always_true")
    rig = make_rig(servers=2, rules=rules, cookie=case.cookie, sticky=case.sticky, **dict(case.words))
    lines = [replace(line, cookie=value) for line, value in zip(rig.spec.servers, "ab", strict=True)]
    object.__setattr__(rig.spec, "servers", tuple(lines))
    rig.frontend.access_log = cast(Any, Answers())
    tables = tables_of({"px": case.table} if case.table else {})
    tables |= private_tables({one.name: one for one in sticky_tables([rig.spec])})
    backends = {"px": rig.backend}
    install(Configuration(proxies=(rig.spec,)), {"px": rig.frontend}, backends, rig.relay, tables=tables)
    install_sticky([rig.frontend], backends, tables, b"secret", rig.relay)
    rig.relay.tell = lambda *words: None
    if short:
        shorten(rig.frontend)
        rig.frontend.straight = straight_way(rig.frontend)
        way = rig.frontend.straight
        assert way is not None
        assert way.__qualname__.partition(".")[0] == case.way
        assert (rig.route.closing is not None) == case.short
    return rig, tables


def busy(rig: Rig) -> tuple[str, FakeTransport] | None:
    """The connection that has a request."""
    for dial in rig.dials:
        transport = dial.transport
        protocol: Any = None if transport is None else transport.protocol
        if transport is not None and protocol.exchange is not None:
            return protocol.server.name, transport
    return None


def serve(rig: Rig, request: bytes, answer: tuple[bytes | str, ...]) -> list[Any]:
    """A client that asks twice, if it may; what all get."""
    seen: list[Any] = []
    client = rig.ask(request)
    for following in (AGAIN, request, None):
        found = busy(rig)
        if found is not None:
            name, server = found
            seen += [name, server.take()]
            for piece in answer:
                rig.loop.advance(7.0)
                if isinstance(piece, bytes):
                    rig.send(server, piece)
                elif piece == "late":
                    rig.loop.advance(25_000.0)
                else:
                    rig.lose(server if piece == "lost" else client)
        seen += [client.take(), client.is_closing(), client.lost]
        if following is None or client.is_closing() or busy(rig) is not None:
            break
        rig.send(client, following)
    if not client.lost:
        rig.lose(client)
    return seen


def told(rig: Rig, tables: dict[str, Table]) -> list[Any]:
    """What is written down of all."""
    log: Any = rig.frontend.access_log
    seen: list[Any] = [*zip(log.lines, log.states, strict=True)]
    for table in tables.values():
        arrays = table.arrays
        rows = {
            table.key(slot): (arrays.due[slot], arrays.rows[slot * arrays.row_words :][: arrays.row_words].tolist()[2:])
            for slot in table.slots()
        }
        seen.append(rows)
        assert not any(map(arrays.holders, table.slots())), "an entry is held"
    counts = (rig.frontend.counts, rig.backend.counts, *(server.counts for server in rig.backend.servers))
    books: tuple[Any, ...] = (*counts, *rig.route.traffic, rig.route.own_traffic)
    seen += [[getattr(one, name) for name in type(one).__slots__] for one in books]
    log.lines.clear()
    log.states.clear()
    return seen


def play(rig: Rig, tables: dict[str, Table]) -> list[tuple[str, Any]]:
    """Everything that the rig is asked, with what comes of it."""
    outcomes: list[tuple[str, Any]] = []

    def note(name: str, request: bytes, answer: tuple[bytes | str, ...]) -> None:
        outcomes.append((f"{name}: {request!r} {answer!r}"[:300], (serve(rig, request, answer), told(rig, tables))))

    for request in REQUESTS:
        for answer in ANSWERS if request in REQUESTS[:16:5] else ANSWERS[:4]:
            note("served", request, answer)
    for request in REQUESTS:
        operating.set_server([rig.backend], "px", "s2", "maint", None)
        note("s2 is down", request, (OK,))
        operating.set_server([rig.backend], "px", "s1", "maint", None)
        note("all are down", request, (OK,))
        for name in ("s1", "s2"):
            operating.set_server([rig.backend], "px", name, "ready", None)
        for server in rig.backend.servers:
            for connection in server.pool.drain():
                connection.retire()
        rig.loop.answer = FakeDial.refuse
        outcomes.append(("refused", serve(rig, request, (OK,))))
        rig.loop.advance(10_000.0)
        rig.loop.answer = FakeDial.accept
        note("after that", request, (OK,))
    return outcomes


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_the_passes(make_rig: Make, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    numbers = [0]

    def urandom(size: int) -> bytes:
        numbers[0] += 1
        return numbers[0].to_bytes(size, "big")

    monkeypatch.setattr(binding, "time", lambda: NOW)
    monkeypatch.setattr(sessions, "time", lambda: NOW)
    monkeypatch.setattr(sessions, "urandom", urandom)
    short = play(*persistent(make_rig, CASES[name], True))
    numbers[0] = 0
    forget(monkeypatch)
    for one, other in zip(short, play(*persistent(make_rig, CASES[name], False)), strict=True):
        assert one == other


def test_not_where_more_is_to_be_said(make_rig: Make) -> None:
    rig, _ = persistent(make_rig, Case(cookie=INSERT), False)
    rig.frontend.early_log = rig.frontend.access_log
    shorten(rig.frontend)
    assert rig.route.closing is None and rig.route.whole < 0
    rig.frontend.early_log = None
    rig.route.after_plan = rig.route.response_plan
    shorten(rig.frontend)
    assert rig.route.closing is None and rig.route.whole < 0
    rig = make_rig()
    shorten(rig.frontend)
    assert rig.route.closing is None and rig.route.whole > 0


def cost(rig: Rig, request: bytes) -> int:
    """Instructions of ours for a request that came before, and the response that it always has."""
    rig.frontend.access_log = None
    client = rig.ask(request)
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=one\r\nContent-Length: 0\r\n\r\n")

    def exchange() -> None:
        client.protocol.data_received(request)
        server.protocol.data_received(OK)

    for _ in range(5):
        exchange()
    return bytecodes(exchange)


LIMITS = [
    ("insert", LINES[1], 220),
    ("insert", b"Cookie: y=1; X=a; z=2\r\n", 220),
    ("insert", b"", 300),
    ("prefix", b"Cookie: X=a~1\r\n", 220),
    ("edits", LINES[1], 280),
    ("on", b"Cookie: sid=one\r\n", 560),
    ("learn", b"Cookie: sid=one\r\n", 370),
]


@pytest.mark.parametrize(("name", "lines", "most"), LIMITS)
def test_clients_that_come_again_cost_little(make_rig: Make, name: str, lines: bytes, most: int) -> None:
    """It was 1,309 more than a plain request for the cookie, and 961 for `stick on src` and for a sticky session; 100
    instructions are 1 us. Here a stick rule reads a cookie, which is 130 of it."""
    request = b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n" % lines
    plain = cost(make_rig(), GET)
    assert plain > 500, "the count counts"
    assert cost(persistent(make_rig, CASES[name], True)[0], request) - plain <= most
