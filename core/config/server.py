"""Server lines (manual 5.2): server, default-server and server-template, and the words behind the address.

Owns: the table of server words. Must not know: pools, checks, balancing. Invariants: a default-server line changes only
the servers written after it; what a line wrote stays apart from what it took over (`ServerDraft.written`).
"""

from __future__ import annotations

import re

from ..addresses import Address, parse_address, parse_server_address
from .drafts import ProxyDraft, Reading, ServerDraft
from .keywords import BACK, PROXY_KEYWORDS, Keyword, State, fixed, setter
from .keywords import SERVER_KEYWORDS as TABLE
from .model import ServerSpec, SourceSpec
from .names import checked_name
from .phrases import read_phrases
from .statement import Refusal, Statement
from .values import Choice, Duration, Integer, Text, Value

SERVER = frozenset({"server"})
SERVED = BACK - {"defaults"}
_COUNTED = "4 for the servers 1 to 4, or 10-19, for instance"
_ADDRESSED = "an address is written as 192.0.2.1:8000, [2001:db8::1]:8000, app.example.org:8000 or /run/app.sock"
MAX_TEMPLATE = 100_000
"""Servers that one template may make: a typing error must not eat the machine."""

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?", re.ASCII)


def _word(name: str, field: str, kind: Value, summary: str, reader: str, state: State = State.IN_FORCE) -> None:
    TABLE.add(Keyword(name, SERVER, kind.shape, summary, reader, setter(field, kind), state=state))


def _flag(name: str, field: str, value: bool, summary: str, reader: str, state: State = State.IN_FORCE) -> None:
    TABLE.add(Keyword(name, SERVER, "", summary, reader, fixed(field, value), 0, 0, state))


_LATER = State.ACCEPTED
_word("weight", "weight", Integer(0, 256), "Share of the load; 0: no new load.", "balance")
_flag("backup", "backup", True, "Used only when no other server is usable.", "balance")
_flag("no-backup", "backup", False, "Undo `backup` of a default-server line.", "balance")
_flag("disabled", "disabled", True, "Starts in maintenance.", "balance")
_flag("enabled", "disabled", False, "Undo `disabled` of a default-server line.", "balance")
_word("maxconn", "maxconn", Integer(), "Most concurrent requests; more wait in the queue; 0: no limit.", "balance")
_word("minconn", "minconn", Integer(), "Lower end of a maxconn that follows the backend's load.", "balance")
_word("maxqueue", "maxqueue", Integer(), "Most requests that wait for this server; 0: no limit.", "balance")
_word("cookie", "cookie", Text("value"), "Value that the persistence cookie has for this server.", "persistence")
_flag("non-stick", "sticks", False, "`stick` rules never keep this server in a table.", "rules")
_flag("stick", "sticks", True, "Undo `non-stick` of a default-server line.", "rules")
_flag("check", "check", True, "Check the server's health.", "checks", _LATER)
_flag("no-check", "check", False, "Undo `check` of a default-server line.", "checks")
_word("inter", "inter", Duration(1), "Time between two health checks.", "checks", _LATER)
_word("fastinter", "fastinter", Duration(1), "The same while the state is about to change.", "checks", _LATER)
_word("downinter", "downinter", Duration(1), "The same while the server is down.", "checks", _LATER)
_word("rise", "rise", Integer(1), "Good checks that bring a server up.", "checks", _LATER)
_word("fall", "fall", Integer(1), "Bad checks that bring a server down.", "checks", _LATER)
_word("port", "check_port", Integer(0, 65535), "Port of the health checks.", "checks", _LATER)
_word("pool-max-conn", "pool_max", Integer(-1), "Most idle connections kept per group; -1: no limit, 0: none.", "pools")
_word("pool-low-conn", "pool_low", Integer(), "Idle connections below which none is taken by another thread.", "pools")
_word("pool-purge-delay", "pool_purge_delay", Duration(), "How often half of the spare connections go.", "pools")
_word("pool-min-conn", "pool_min", Integer(), "Ours: idle connections that eviction leaves alone.", "pools")
_word("pool-half-life", "pool_half_life", Duration(1), "Ours: time in which half of the spare connections go.", "pools")
_word("pool-purge-batches", "pool_purge_batches", Integer(1), "Ours: batches that a half-life is cut into.", "pools")
_word("max-reuse", "max_reuse", Integer(-1), "Requests after the first that a connection may carry; -1: any.", "pools")
_word("tcp-ut", "tcp_ut", Duration(), "TCP user timeout towards the server.", "sockets")
_word("slowstart", "slowstart", Duration(), "Time in which a recovered server's weight grows.", "balance", _LATER)
_word(
    "on-error",
    "on_error",
    Choice(("fastinter", "fail-check", "sudden-death", "mark-down")),
    "What observed errors do.",
    "checks",
    _LATER,
)
_word("error-limit", "error_limit", Integer(1), "Observed errors in a row before `on-error` acts.", "checks", _LATER)
_word("observe", "observe", Choice(("none", "layer4", "layer7")), "Watch the traffic's errors.", "checks", _LATER)


@TABLE.keyword(
    "id",
    SERVER,
    "<1..>",
    "Number of the server, unique in its backend; the order of `balance first`.",
    reader="balance",
)
def _id(statement: Statement, draft: ServerDraft) -> None:
    if draft.template:
        raise Refusal("`id` cannot stand on a default-server line", statement.word, "each server has an id of its own")
    draft.set("id", statement.value(0, Integer(1)))


@TABLE.keyword("addr", SERVER, "<address>", "Address of the health checks.", reader="checks", state=State.ACCEPTED)
def _addr(statement: Statement, draft: ServerDraft) -> None:
    word = statement.arguments[0]
    try:
        address = parse_address(word.text, default_port=0)
    except ValueError as error:
        raise Refusal(f"`addr {word.text}`: {error}", word) from None
    if address.kind == "name":
        raise Refusal(f"`addr {word.text}`: a numeric address is expected", word)
    draft.set("check_addr", word.text)


@TABLE.keyword(
    "track", SERVER, "[<backend>/]<server>", "Follow another server's health.", reader="checks", state=State.ACCEPTED
)
def _track(statement: Statement, draft: ServerDraft) -> None:
    draft.set("track", statement.value(0, Text("server")))


@TABLE.keyword("source", SERVER, "<address>[:<port>[-<port>]]", "Address and ports to connect from.", reader="sockets")
def _source(statement: Statement, draft: ServerDraft) -> None:
    draft.set("source", parse_source(statement, ranges=True))


def parse_source(statement: Statement, ranges: bool) -> SourceSpec:
    """The address to connect from; Refusal when it is no numeric address."""
    if not statement.text(0):
        raise Refusal(f"`{statement.name}` expects <address>[:<port>{'[-<port>]' if ranges else ''}]")
    word = statement.arguments[0]
    try:
        address = parse_address(word.text, default_port=0, ranges=ranges, zero_port=True)
    except ValueError as error:
        raise Refusal(f"`{statement.name} {word.text}`: {error}", word) from None
    if address.kind not in ("inet", "inet6"):
        raise Refusal(f"`{statement.name} {word.text}`: a numeric IPv4 or IPv6 address is expected", word)
    host = address.host or ("0.0.0.0" if address.kind == "inet" else "::")
    return SourceSpec(host, address.port_low, address.port_high)


def _server_address(statement: Statement, index: int, reading: Reading) -> Address:
    word = statement.arguments[index]
    try:
        return reading.resolve(parse_server_address(reading.environment.expand(word.text)))
    except ValueError as error:
        raise Refusal(f"`{statement.name}`: {error}", word) from None


@PROXY_KEYWORDS.keyword(
    "server",
    SERVED,
    "<name> <address>[:<port>] [<word>...]",
    "One server that requests are sent to.",
    reader="build",
    arity=(0, -1),
    strict=True,
)
def _server(statement: Statement, draft: ProxyDraft) -> None:
    if len(statement) < 2:
        raise Refusal("`server` expects <name> and <address>[:<port>]")
    name = checked_name(statement.arguments[0], "server")
    server = draft.server_base.copy(statement.place_of(statement.arguments[0]), name)
    try:
        server.spec = _with_address(server, _server_address(statement, 1, draft.reading))
    except Refusal as refusal:
        statement.refuse(refusal, _ADDRESSED)
    read_phrases(statement, 2, TABLE, server, "server")
    draft.servers.append(server)


def _with_address(server: ServerDraft, address: Address) -> ServerSpec:
    server.set("address", address)
    return server.spec


@PROXY_KEYWORDS.keyword(
    "default-server",
    BACK,
    "<word>...",
    "Words for all server lines that follow.",
    reader="parser",
    arity=(0, -1),
    strict=True,
)
def _default_server(statement: Statement, draft: ProxyDraft) -> None:
    read_phrases(statement, 0, TABLE, draft.server_base, "server")


@PROXY_KEYWORDS.keyword(
    "server-template",
    SERVED,
    "<prefix> <number|low-high> <address>[:<port>] [<word>...]",
    "Several servers of the same address, named by prefix and number.",
    reader="build",
    arity=(0, -1),
    strict=True,
)
def _server_template(statement: Statement, draft: ProxyDraft) -> None:
    if len(statement) < 3:
        raise Refusal("`server-template` expects <prefix>, <number|low-high> and <address>[:<port>]")
    prefix = checked_name(statement.arguments[0], "server")
    numbers = _template_numbers(statement)
    model = draft.server_base.copy(statement.place_of(statement.arguments[0]), prefix)
    try:
        model.spec = _with_address(model, _server_address(statement, 2, draft.reading))
    except Refusal as refusal:
        statement.refuse(refusal, _ADDRESSED)
    read_phrases(statement, 3, TABLE, model, "server")
    for number in numbers:
        server = model.copy(model.spec.place, f"{prefix}{number}")
        if number != numbers[0] and "id" in server.written:
            server.set("id", 0)
            server.written.discard("id")
        draft.servers.append(server)


def _template_numbers(statement: Statement) -> range:
    word = statement.arguments[1]
    match = _RANGE.fullmatch(word.text)
    low, high = (1, 0) if match is None else (1, int(match[1])) if match[2] is None else (int(match[1]), int(match[2]))
    if high < low or high - low >= MAX_TEMPLATE:
        raise Refusal(f"`server-template`: '{word.text}' is not a number or a range of numbers", word, _COUNTED)
    return range(low, high + 1)
