"""Sections `peers NAME`: who shares stick tables with whom (manual 3.5), and `localpeer`.

Owns: their syntax, which of the peers this proxy is. Must not know: the protocol, what tables hold.

Facts (measured: HAProxy 2.6, 3.0): a section without a peer of the own name is removed with a warning, whatever its
tables; `peer` and `bind` lines exclude each other, and so do two listeners, or a range of ports; a peer without an
address is ignored with a warning (3.0) unless it is the local one and `bind` says it; `localpeer` after the first
section, or beside -L, is ignored with a warning; two sections, peers or tables of one name are errors.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from ..addresses import parse_addresses, parse_server_address
from .bind import parse_bind
from .diagnostics import Diagnostics
from .drafts import NO_ADDRESS, BindDraft, GlobalDraft, Reading, ServerDraft
from .environment import Environment
from .keywords import BIND_KEYWORDS, GLOBAL, GLOBAL_KEYWORDS, SERVER_KEYWORDS, Keyword, State, Table, nearest
from .lexer import Word
from .model import BindSpec, Configuration, Place, ServerSpec
from .names import TWICE, checked_name
from .peers_spec import PeerSpec, PeersSpec
from .phrases import read_phrases
from .statement import Refusal, Statement
from .suggest import section
from .table_spec import TableSpec
from .tables import parse_table
from .values import Choice, Text

SECTION = "peers"
_HERE = frozenset({SECTION})
_NOWHERE = Place("", 0)
_BLANK = BindSpec(_NOWHERE, "", ())
_MEANINGFUL = frozenset(("address", "source", "tcp_ut", "disabled"))
"""Fields of a server line that mean something for a peer; HAProxy takes the others and ignores them as well."""


def _blank_server() -> ServerDraft:
    return ServerDraft(ServerSpec(_NOWHERE, "", NO_ADDRESS), set(), True)


@dataclass(slots=True)
class PeerDraft:
    """A `peer` or `server` line. `text`: its address as written, "" for none."""

    place: Place
    name: str
    text: str
    server: ServerDraft


@dataclass(slots=True)
class PeersDraft:
    """A section so far."""

    reading: Reading
    name: str
    place: Place
    kind: str = SECTION
    written: dict[str, Place] = field(default_factory=dict)
    peers: list[PeerDraft] = field(default_factory=list)
    tables: list[TableSpec] = field(default_factory=list)
    bind: BindSpec | None = None
    bind_base: BindSpec = _BLANK
    server_base: ServerDraft = field(default_factory=_blank_server)
    disabled: bool = False
    sums: bool = False

    def __post_init__(self) -> None:
        self.reading.environment.peers_seen = True

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={}, peers=[], tables=[])

    def refuse_mixture(self, keyword: str) -> None:
        """`peer` beside `bind`, in either order."""
        other = self.written.get("bind" if keyword == "peer" else "peer")
        if other is not None:
            message = f"`peer` and `bind` cannot stand in one peers section (line {other.line})"
            raise Refusal(message, None, "beside `bind`, peers are written `server <name> [<address>]`")


KEYWORDS: Table[PeersDraft] = Table("peers")


def _peer(statement: Statement, draft: PeersDraft) -> None:
    if statement.name == "peer":
        draft.refuse_mixture("peer")
    word = statement.arguments[0]
    checked_name(word, "peer")
    other = next((each for each in draft.peers if each.name == word.text), None)
    if other is not None:
        raise Refusal(f"peers '{draft.name}' already has a peer '{word.text}' (line {other.place.line})", word)
    server = draft.server_base.copy(statement.place_of(word), word.text)
    text, words = "", 1
    # The local peer may have words without an address.
    if len(statement) > 1 and statement.text(1) not in SERVER_KEYWORDS:
        text, words = statement.text(1), 2
        _read_address(statement, statement.arguments[1], server, draft.reading)
    read_phrases(statement, words, SERVER_KEYWORDS, server, "server")
    _warn_meaningless(statement, server, draft.server_base)
    draft.peers.append(PeerDraft(statement.place_of(word), word.text, text, server))


def _read_address(statement: Statement, word: Word, server: ServerDraft, reading: Reading) -> None:
    try:
        address = reading.resolve(parse_server_address(reading.environment.expand(word.text)))
    except ValueError as error:
        raise Refusal(f"`{statement.name}`: {error}", word) from None
    if address.kind in ("inet", "inet6") and (address.port_offset or not address.port_low):
        raise Refusal(f"`{statement.name} {word.text}`: a port is missing", word, f"write {word.text}:10000, say")
    server.set("address", address)


def _warn_meaningless(statement: Statement, server: ServerDraft, base: ServerDraft) -> None:
    for word in statement.arguments[1:]:
        name = word.text.removeprefix("no-").replace("-", "_")
        if word.text in SERVER_KEYWORDS and name in server.written - _MEANINGFUL - base.written:
            statement.warn(f"`{word.text}` means nothing for a peer: ignored", word)


for _word, _summary in (
    ("peer", "One peer; that of the own name is listened for."),
    ("server", "The same; the own one has no address where a `bind` line says it."),
):
    KEYWORDS.add(Keyword(_word, _HERE, "<name> [<address>:<port>] [<word>...]", _summary, "peers", _peer, 1, -1))


@KEYWORDS.keyword(
    "default-server", _HERE, "<word>...", "Words for all peers that follow.", reader="parser", arity=(0, -1)
)
def _default_server(statement: Statement, draft: PeersDraft) -> None:
    read_phrases(statement, 0, SERVER_KEYWORDS, draft.server_base, "server")


@KEYWORDS.keyword(
    "bind", _HERE, "<address>:<port> [<word>...]", "Where other peers dial this one.", reader="supervisor",
    arity=(1, -1),
)  # fmt: skip
def _bind(statement: Statement, draft: PeersDraft) -> None:
    draft.refuse_mixture("bind")
    if draft.bind is not None:
        line = draft.bind.place.line
        raise Refusal(f"peers '{draft.name}' already has a `bind` (line {line}): there is one listener")
    spec = parse_bind(statement, draft.reading)
    if len(spec.addresses) != 1 or spec.addresses[0].port_low != spec.addresses[0].port_high:
        raise Refusal("a peers section listens on one address and one port", statement.arguments[0])
    draft.bind = spec


@KEYWORDS.keyword(
    "default-bind", _HERE, "<word>...", "Words for the listener, whatever line its address has.", reader="parser",
    arity=(0, -1),
)  # fmt: skip
def _default_bind(statement: Statement, draft: PeersDraft) -> None:
    base = BindDraft(draft.bind_base)
    read_phrases(statement, 0, BIND_KEYWORDS, base, "bind")
    draft.bind_base = base.spec


@KEYWORDS.keyword(
    "table", _HERE, "<name> type <type> size <size> [<option>...]", "A stick table of this section: `section/name`.",
    reader="rules", arity=(1, -1),
)  # fmt: skip
def _table(statement: Statement, draft: PeersDraft) -> None:
    word = statement.arguments[0]
    name = f"{draft.name}/{word.text}"
    for other in draft.tables:
        if other.name == name:
            raise Refusal(f"peers '{draft.name}' already has a table '{word.text}' (line {other.place.line})", word)
    for each in statement.arguments[1:]:
        if each.text == "peers":
            raise Refusal("`table ... peers`: a table of a peers section is shared in that section", each)
    draft.tables.append(replace(parse_table(statement, name, statement.arguments[1:]), peers=draft.name))


@KEYWORDS.keyword(
    "mode", _HERE, "{overwrite|sum}", "What peers count replaces each other's figures, or is added up (ours).",
    reader="peers",
)  # fmt: skip
def _mode(statement: Statement, draft: PeersDraft) -> None:
    draft.sums = statement.value(0, Choice(("overwrite", "sum"))) == "sum"


@KEYWORDS.keyword("disabled", _HERE, "", "Neither listen nor dial; the tables stay.", reader="peers")
def _disabled(statement: Statement, draft: PeersDraft) -> None:
    draft.disabled = True


@KEYWORDS.keyword("enabled", _HERE, "", "Undo `disabled`.", reader="peers")
def _enabled(statement: Statement, draft: PeersDraft) -> None:
    draft.disabled = False


@KEYWORDS.keyword(
    "log", _HERE, "<target> [<word>...]", "Log the listener's connections.", reader="-", arity=(1, -1),
    state=State.ACCEPTED,
)  # fmt: skip
def _log(statement: Statement, draft: PeersDraft) -> None:
    """Nothing is logged of peers' connections but what the process tells anyway."""


@KEYWORDS.keyword(
    "shards", _HERE, "<number>", "Peers that hold a part of the entries each.", reader="-", state=State.KNOWN
)
def _shards(statement: Statement, draft: PeersDraft) -> None:
    raise Refusal("HAProxy keyword `shards` is not supported by maniple yet", None, "each peer has all entries")


@GLOBAL_KEYWORDS.keyword(
    "localpeer", GLOBAL, "<name>", "The name of this proxy among peers; this machine's by default.", reader="peers"
)
def _localpeer(statement: Statement, draft: GlobalDraft) -> None:
    name = statement.value(0, Text("name"))
    environment = draft.reading.environment
    if environment.local_peer_forced:
        statement.warn("`localpeer` is ignored: the command line says it (-L)", statement.arguments[0])
    elif environment.peers_seen:
        statement.warn("`localpeer` is ignored: it stands behind a peers section", statement.arguments[0])
    else:
        environment.set("HAPROXY_LOCALPEER", name)
        draft.set("local_peer", name)


# The whole.


def local_name(configuration: Configuration, environment: Environment) -> str:
    """The name of this proxy: `-L`, `localpeer`, or this machine's."""
    return configuration.globals.local_peer or environment.get("HAPROXY_LOCALPEER", "") or os.uname().nodename


def sections(
    drafts: Sequence[PeersDraft], configuration: Configuration, environment: Environment, diagnostics: Diagnostics
) -> Mapping[str, PeersSpec]:
    """The sections by name. One without a peer of the own name is not in use, which is a warning; a table that names a
    section that nobody wrote is an error."""
    local = local_name(configuration, environment)
    found: dict[str, PeersSpec] = {}
    for draft in drafts:
        other = found.get(draft.name)
        if other is not None:
            message = f"peers '{draft.name}' has the same name as the section in line {other.place.line}"
            diagnostics.error(draft.place, message, draft.name, TWICE)
        else:
            found[draft.name] = _section(draft, local, diagnostics)
    for proxy in configuration.proxies:
        if proxy.table is not None and proxy.table.peers and proxy.table.peers not in found:
            name = proxy.table.peers
            message = f"`stick-table ... peers`: there is no peers section '{name}'"
            place = proxy.table.peers_place or proxy.table.place
            diagnostics.error(place, message, name, section("peers", name, found))
    return found


def _section(draft: PeersDraft, local: str, diagnostics: Diagnostics) -> PeersSpec:
    me = next((each for each in draft.peers if each.name == local), None)
    bind = draft.bind
    if me is not None and bind is None and me.text:
        bind = BindSpec(me.place, me.text, tuple(parse_addresses(_address_text(me))))
    if me is None or bind is None:
        names = [each.name for each in draft.peers]
        reason = f"none of its peers is named '{local}'" if me is None else f"'{local}' has no address"
        hint = nearest(local, names) or ("the own name is said by -L or `localpeer`" if me is None else "add `bind`")
        diagnostics.warning(draft.place, f"peers '{draft.name}' is not used: {reason}", draft.name, hint)
        bind = None
    elif me.text and draft.bind is not None:
        message = f"the local peer '{local}' has a `bind` line already"
        diagnostics.error(me.place, message, me.name, f"write `server {local}` without an address, or no `bind`")
    remotes = []
    for each in draft.peers:
        if each is me or each.server.spec.disabled:
            continue
        if not each.text:
            diagnostics.warning(each.place, f"peer '{each.name}' is ignored: it has no address", each.name)
            continue
        spec = each.server.spec
        remotes.append(PeerSpec(each.place, each.name, spec.address, spec.source, spec.tcp_ut))
    return PeersSpec(
        draft.place,
        draft.name,
        local,
        None if bind is None else _with_base(bind, draft.bind_base),
        tuple(remotes),
        tuple(draft.tables),
        draft.disabled,
        draft.sums,
    )


def _address_text(peer: PeerDraft) -> str:
    address = peer.server.spec.address
    if address.kind in ("inet", "inet6"):
        host = f"[{address.host}]" if address.kind == "inet6" else address.host
        return f"{host}:{address.port_low}"
    return peer.text


def _with_base(bind: BindSpec, base: BindSpec) -> BindSpec:
    """The listener with what `default-bind` said, where its own line says nothing."""
    taken: dict[str, Any] = {}
    for each in fields(BindSpec):
        default = getattr(_BLANK, each.name)
        if each.name not in ("place", "text", "addresses") and getattr(bind, each.name) == default:
            taken[each.name] = getattr(base, each.name)
    return replace(bind, **taken)


def tables_of_sections(drafts: Sequence[PeersDraft]) -> tuple[TableSpec, ...]:
    """The tables of all sections, also of those that are not used: rules may name them."""
    return tuple(table for draft in drafts for table in draft.tables)
