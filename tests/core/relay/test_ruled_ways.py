"""Quiet sets of rules on the straight way: what comes of each request is what comes of it on the passes, whatever came
before it on the connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.build_rules import install
from maniple.core.build_tracking import install_tracking
from maniple.core.config.cookie_spec import CookieSpec
from maniple.core.config.model import Configuration
from maniple.core.relay.closing import shorten
from maniple.core.relay.exchange import RelayExchange
from maniple.core.relay.route import Frontend, Route
from maniple.core.relay.straight import straight_way
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.proxy_rules import ProxyRules
from maniple.pools.counters import BackendCounts, FrontendCounts, ServerCounts
from maniple.pools.table import Table
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import OK, FakeLog, Rig
from maniple.tests.core.relay.ruled_rig import rule_lines
from maniple.tests.core.relay.test_straight import bytecodes
from maniple.tests.core.rules.tables import tables_of

Make = Callable[..., Rig]
COOKIE = CookieSpec("X", "insert", indirect=True, nocache=True)
STORED = "type string len 9 size 50 expire 100s store http_req_cnt,http_req_rate(10s),http_err_cnt,gpc0,gpt0,conn_cur"
TRACK = "http-request track-sc0 req.hdr(k) table t\n"


class Case(NamedTuple):
    """Rules of the frontend, and of a backend of its own, if it has one; the way that it takes ("run": that of a set
    which begins with tracking is text)."""

    rules: str
    behind: str | None = None
    way: str = "_ruled_way"
    cookie: CookieSpec | None = None


CASES = {
    "rate": Case(TRACK + "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 2 }", way="run"),
    "rate and cookie": Case(TRACK + "http-request deny if { sc_http_req_rate(0) gt 2 }", cookie=COOKIE),
    "rate behind": Case(
        "http-request set-header A b", TRACK + "http-request deny if { sc0_http_req_rate gt 2 }", way="light_of"
    ),
    "only behind": Case("", TRACK + "http-request deny if { sc0_http_req_rate gt 2 }", way="_quiet_way"),
    "cookie behind": Case(
        TRACK + "http-request deny if { path /a }", "http-request deny if { path /b }", "run", COOKIE
    ),
    "answers": Case(
        "http-request deny deny_status 404 hdr X %[path] if { path /a }\n"
        "http-request return status 200 content-type a/b lf-string %[path]-%[req.hdr(k)] if { path /b }\n"
        "http-request redirect location /e code 301 if { path /c }\n"
        "http-request auth realm r if { path /d }"
    ),
    "ends": Case(
        "http-request reject if { path /a }\nhttp-request silent-drop if { path /b }\n"
        "http-request tarpit deny_status 500 if { path /c }\nhttp-request tarpit if { path /d }"
    ),
    "answers and cookie": Case(
        "http-request return status 204 if { path /a }\nhttp-request auth if { path /b }\n"
        "http-request reject if { path /c }\nredirect location /e if { path /d }",
        cookie=COOKIE,
    ),
    "counted before it is allowed": Case(
        TRACK + "http-request sc-inc-gpc0(0)\nhttp-request allow if { path /a /b }", way="run"
    ),
    "counted and allowed": Case(
        "http-request track-sc0 path table t if { path /a }\nhttp-request sc-inc-gpc0(0)\n"
        "http-request allow if { path /a }\nredirect location /e if { path /c }"
    ),
    "where it is": Case("http-request set-header C %[be_sess_rate]-%[nbsrv]", "http-request set-header D e"),
    "where it is, tracked": Case(TRACK + "http-request set-header C %[be_sess_rate]-%[nbsrv]", "", "run"),
    "where it is, in two sets": Case(
        "http-request set-header C %[be_sess_rate]-%[nbsrv]\nredirect location /e if { path /c }",
        "http-request deny if { path /b }",
    ),
    "when": Case(
        "http-request return status 204 hdr X %[path,when(forwarded)] if { path /a }\n"
        "http-request deny if { path,when(forwarded) /b }",
        way="_single_way",
    ),
    "allow": Case(
        "http-request allow if { path /a }\nhttp-request set-header A %[path]\nhttp-request deny if { path /b }\n"
        "redirect location /e if { path /a } || { path /c }"
    ),
    "allow and cookie": Case(TRACK + "http-request allow if { path /a }\nhttp-request del-header K", cookie=COOKIE),
    "allow behind": Case(
        "http-request set-path /c if { path /a }",
        "http-request allow if { path /c }\nhttp-request return status 201 if { path /b }\n"
        "redirect prefix /p if { path /c }",
        cookie=COOKIE,
    ),
    "edits": Case(
        "http-request set-path /e%[path] if { path /a /b }\nhttp-request replace-header K (.*) q\\1\n"
        "http-request set-method HEAD if { path /c }\nhttp-request set-uri /%[req.hdr(k)] if { path /d }\n"
        "http-request normalize-uri path-merge-slashes\nhttp-request set-path /%[req.hdr(bad)] if { path /d }"
    ),
    "two sets of counters": Case(
        "tcp-request content track-sc1 req.hdr(z) table t\n" + TRACK + "http-request sc-inc-gpc0(1)\n"
        "http-request sc-set-gpt0(0) 7 if { path /a }\nhttp-request deny if { sc1_get_gpc0 gt 2 }\n"
        "http-request sc-add-gpc(0,0) 2"
    ),
    "tracked on a condition": Case(
        "http-request track-sc0 req.hdr(k) table t if { path /a /b }\n"
        "http-request return content-type a/b lf-string %[sc_http_req_rate(0)],%[sc_conn_cur(0)] if { path /b }\n"
        "http-request deny if { sc_http_req_rate(0) ge 2 } || { sc_http_req_cnt(0) 5: }"
    ),
    "redirect only": Case("redirect location /e if { path /a }\nredirect scheme https if { path /b }"),
    "refused as it is read": Case("tcp-request content reject if { path /a }\nhttp-request deny if { path /b }"),
    # Not quiet.
    "variable": Case(
        TRACK + "http-request set-var(txn.a) path if { path /a }\nhttp-request deny if { var(txn.a) -m found }",
        way="_single_way",
    ),
    "variable on the way": Case(
        TRACK + "http-request deny if { path,set-var(txn.a) /a }\nhttp-request set-header A %[var(txn.a)]",
        way="_single_way",
    ),
    "facts": Case("http-request set-header A %rt\nhttp-request deny if { path /a }", way="_single_way"),
    "key that leaves": Case(
        "http-request track-sc0 req.hdr(k),set-var(txn.a) table t\nhttp-request deny if { path /a }", way="_single_way"
    ),
    "one that leaves": Case("http-request set-header A %[path,set-var(txn.a)]", way="_single_way"),
    "answer that leaves": Case(
        "http-request return content-type a/b lf-string %[path,set-var(txn.a)] if { path /a }", way="_single_way"
    ),
    "timeout": Case(
        "http-request set-timeout server 3s if { path /a }\nhttp-request deny if { path /b }", way="_single_way"
    ),
    "loud behind": Case("http-request deny if { path /a }", "http-request set-var(txn.a) path", way="_single_way"),
    "body": Case("http-request deny if { req.body_len gt 1 }", way="_single_way"),
    "hint": Case("http-request early-hint A b\nhttp-request deny if { path /a }", way="_single_way"),
    "responses": Case("http-request deny if { path /a }\nhttp-response deny if { status 201 }", way="_single_way"),
    "lenient": Case("http-request strict-mode off\nhttp-request set-path %[req.hdr(bad)]", way="_single_way"),
    "several": Case("http-request deny if { path /a }\nuse-server s2 if { path /b }", way="_single_way"),
}


class Notes(FakeLog):
    """What a log line may show besides."""

    def __init__(self) -> None:
        super().__init__()
        self.needs = Needs.NOTHING
        self.notes: list[Any] = []

    def write(self, exchange: RelayExchange, level: int | None = None) -> None:
        super().write(exchange, level)
        x = exchange
        self.notes.append(
            (
                (x.server_name, x.termination + x.cookie_state, x.last_rule and x.last_rule.line, x.persistence),
                (x.variables, x.request_variables, x.response_variables, x.unique_id, x.hints, x.mirrors),
                (x.answer and x.answer.status, x.slot_at, x.connect_at, x.backend_name, x.wanted is not None),
                (x.number, x.number == x.client.relay.recorded - 1, x.numbered, level, x.retries, x.steps),
                (x.request_captures, x.cookie_dates, x.target, x.bytes_to_client, x.bytes_from_client),
            )
        )


def two_proxies(rig: Rig, case: Case) -> tuple[Any, ...]:
    """The rig's proxy parted in two; their specs."""
    spec = rig.spec
    front = replace(spec, kind="frontend", servers=(), cookie=None, default_backend="be")
    back = replace(spec, name="be", kind="backend", rules=rule_lines(case.behind or ""))
    rig.frontend = Frontend(front, rig.relay, FrontendCounts(), cast(Any, rig.log))
    rig.backend = Backend(back, BackendCounts(), lambda name: ServerCounts(), full=10)
    rig.route = rig.frontend.route = Route(rig.frontend, rig.backend)
    return front, back


def made(make_rig: Make, case: Case, straight: bool) -> tuple[Rig, dict[str, Table]]:
    rules = rule_lines(case.rules) if case.rules else ()
    rig = make_rig(servers=2, rules=rules, cookie=case.cookie)
    lines = [replace(line, cookie=value) for line, value in zip(rig.spec.servers, "ab", strict=True)]
    object.__setattr__(rig.spec, "servers", tuple(lines))
    specs: tuple[Any, ...] = (rig.spec,)
    if case.behind is not None:
        specs = two_proxies(rig, case)
    rig.frontend.access_log = cast(Any, Notes())
    tables = tables_of({"t": STORED})
    compiled: dict[tuple[str, bool], ProxyRules] = {}
    backends = {rig.backend.name: rig.backend}
    site = install(
        Configuration(proxies=specs), {"px": rig.frontend}, backends, rig.relay, compiled=compiled, tables=tables
    )
    install_tracking([rig.frontend], compiled, site.trackers)
    if straight:
        shorten(rig.frontend)
        way = rig.frontend.straight = straight_way(rig.frontend)
        assert way is not None
        name = way.__qualname__.partition(".")[0]
        assert name == case.way
    return rig, tables


def get(path: str, *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", *lines])
    return head.encode() + b"\r\n\r\n" + body


K, L = "K: one", "K: two"
SAID = b"HTTP/1.1 200 OK\r\nSet-Cookie: X=q\r\nContent-Length: 2\r\n\r\nok"
REQUESTS = [get(path, K) for path in ("/", "/a", "/b", "/c", "/d")]
REQUESTS += [
    get("/", L, "Cookie: X=b"),
    get("/", K, "Z: 1"),
    get("/a", L, "Z: 1", "Cookie: y=1; X=a"),
    get("/d//x", K, "Bad: a b"),
    get("/d", K, "Bad: a b"),
    get("/", K, "Authorization: Basic YTpi"),
    get("/a", K, method="HEAD"),
    get("/b", "Content-Length: 2", K, method="POST", body=b"hi"),
    get("/a", "Content-Length: 2", K, method="POST", body=b"hi"),
    get("/", "Content-Length: 2", L, method="POST", body=b"hi"),
    get("/c", "Connection: close"),
]


def busy(rig: Rig) -> FakeTransport | None:
    for dial in rig.dials:
        transport = dial.transport
        protocol: Any = None if transport is None else transport.protocol
        if transport is not None and protocol.exchange is not None:
            return transport
    return None


def play(rig: Rig, tables: dict[str, Table]) -> list[Any]:
    """Each request behind each other one, on a connection that was used; a server that answers, or does not."""
    seen: list[Any] = []
    for number, first in enumerate(REQUESTS):
        for second in REQUESTS[number % 4 :: 4]:
            client = rig.client()
            rig.loop.advance(1700.0)
            for request in (get("/", L), first, second, get("/x", L), first):
                if client.is_closing() or client.lost:
                    break
                rig.send(client, request)
                rig.loop.advance(3.0)
                server = busy(rig)
                if server is not None:
                    seen.append(server.take())
                    if number % 5 == 4 and request is second:
                        rig.lose(server)
                    else:
                        rig.send(server, SAID if number % 3 else OK)
                elif not client.is_closing() and client.protocol.exchange is not None:  # type: ignore[attr-defined]
                    # Tarpitted.
                    if number % 2:
                        rig.lose(client)
                        break
                    rig.loop.advance(20_000.0)
                seen += [client.take(), client.is_closing(), client.lost]
            if not client.lost:
                rig.lose(client)
            seen += told(rig, tables)
    return seen


def told(rig: Rig, tables: dict[str, Table]) -> list[Any]:
    log: Any = rig.frontend.access_log
    seen: list[Any] = [*zip(log.lines, log.notes, strict=True)]
    log.lines.clear()
    log.notes.clear()
    (table,) = tables.values()
    now = int(rig.relay.now())
    cells = [table.cell(stored.name) for stored in table.shape.stored]
    for slot in table.slots():
        assert not table.arrays.holders(slot), "an entry is held"
        seen.append((table.key(slot), table.arrays.due[slot], *[cell and cell.value(slot, now) for cell in cells]))
    counts = (rig.frontend.counts, rig.backend.counts, *(server.counts for server in rig.backend.servers))
    books: list[Any] = [*counts]
    for route in rig.frontend.routes:
        books += [*route.traffic, route.own_traffic]
    seen.append([[repr(getattr(one, name)) for name in type(one).__slots__] for one in books])
    return seen


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_the_passes(make_rig: Make, name: str) -> None:
    short = play(*made(make_rig, CASES[name], True))
    long = play(*made(make_rig, CASES[name], False))
    for one, other in zip(short, long, strict=True):
        assert one == other


def cost(rig: Rig) -> int:
    """Instructions for a request that came before."""
    rig.frontend.access_log = None
    request = get("/", K)
    client = rig.ask(request)
    rig.send(rig.upstream(), OK)
    server = rig.upstream()

    def exchange() -> None:
        client.protocol.data_received(request)
        server.protocol.data_received(OK)

    for _ in range(5):
        exchange()
    return bytecodes(exchange)


@pytest.mark.parametrize(
    ("rules", "way", "most"),
    [
        (TRACK + "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000 }", "run", 350),
        (TRACK + "http-request deny deny_status 429 if { sc_http_req_rate(0) lt 1 }", "run", 470),
        ("http-request deny if { path /a } { req.hdr(k) two }", "_ruled_way", 90),
    ],
)
def test_it_costs_little(make_rig: Make, rules: str, way: str, most: int) -> None:
    """Tracking, and a limit that is far: it was 541 more than a plain request. (Here the key is a header's value.)"""
    plain = cost(make_rig())
    assert plain > 500, "the count counts"
    assert cost(made(make_rig, Case(rules, way=way), True)[0]) - plain <= most


LEFT = CASES["answers"].rules


@pytest.mark.parametrize("what", ["log", "early", "identifier"])
def test_not_where_something_else_leaves_something(make_rig: Make, what: str) -> None:
    rig, _ = made(make_rig, Case(LEFT), True)
    log: Any = rig.frontend.access_log
    if what == "log":
        log.needs = Needs.LEAVES
    elif what == "early":
        rig.frontend.early = (lambda x: None,)
    else:
        rig.frontend.unique_id = lambda x: b"1"
    way = straight_way(rig.frontend)
    assert way is not None and way.__qualname__.startswith("_single_way")


def test_nothing_is_left_by_an_answer_or_by_another_client(make_rig: Make) -> None:
    """What an error page evaluates, and what the log line of another frontend does, which has no rules to see it."""
    rig, _ = made(make_rig, Case(LEFT), True)
    left = {"txn.a": ("str", b"left")}
    log: Any = rig.frontend.access_log
    write = log.write

    def leaving(exchange: RelayExchange, level: int | None = None) -> None:
        write(exchange, level)
        exchange.variables = exchange.request_variables = exchange.response_variables = left

    log.write = leaving
    client = rig.ask(get("/a", K))
    own = client.protocol.own  # type: ignore[attr-defined]
    assert own.variables is own.request_variables is own.response_variables is own.last_rule is None
    # Now of one that is not dirty, and of a frontend that restores nothing.
    rig.frontend.ordinary = True
    for _ in range(3):
        rig.send(client, get("/", K))
        server = busy(rig)
        assert server is not None
        rig.send(server, OK)
    assert own.variables is left
    rig.lose(client)
    other = rig.ask(get("/", K))
    assert other.protocol.own is own
    assert own.variables is own.request_variables is own.response_variables is None
    server = busy(rig)
    assert server is not None
    rig.send(server, OK)
