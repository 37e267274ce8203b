"""Sections `resolvers NAME`: which name servers are asked, how long, and how long an answer is good (manual 5.3.2).

Owns: their syntax, /etc/resolv.conf, and the section `default` that exists without being written. Must not know: how a
name is asked for. Invariant: a section is made of the lines that are right; what is wrong is told with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Self

from ..addresses import parse_address
from .diagnostics import Diagnostics
from .drafts import Reading
from .keywords import Keyword, State, Table
from .lexer import Word
from .model import Configuration, Place, RuleSpec
from .names import TWICE
from .resolver_spec import HOLDS, NameserverSpec, ResolversSpec
from .statement import Refusal, Statement
from .values import Duration, Integer

SECTION = "resolvers"
RESOLV_CONF = "/etc/resolv.conf"
DEFAULT = "default"
"""The section that there is even if nobody writes it."""
PORT = 53
_HERE = frozenset({SECTION})
_STREAMS = ("tcp", "tcp4", "tcp6", "stream+ip", "stream+ipv4", "stream+ipv6")


@dataclass(slots=True)
class ResolversDraft:
    """A section so far."""

    reading: Reading
    name: str
    place: Place
    kind: str = SECTION
    written: dict[str, Place] = field(default_factory=dict)
    spec: ResolversSpec = field(init=False)

    def __post_init__(self) -> None:
        self.spec = ResolversSpec(self.place, self.name)

    def set(self, name: str, value: Any) -> None:
        self.spec = replace(self.spec, **{name: value})

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={})

    def add(self, one: NameserverSpec) -> None:
        self.set("nameservers", (*self.spec.nameservers, one))


KEYWORDS: Table[ResolversDraft] = Table("resolvers")


@KEYWORDS.keyword(
    "nameserver", _HERE, "<name> <address>[:<port>]", "A name server; `tcp@`: over TCP only.", reader="resolver",
    arity=(2, 2),
)  # fmt: skip
def _nameserver(statement: Statement, draft: ResolversDraft) -> None:
    word, where = statement.arguments
    if any(one.name == word.text for one in draft.spec.nameservers):
        raise Refusal(f"resolvers '{draft.spec.name}' already has a nameserver '{word.text}'", word)
    host, port, stream = _address(statement, where, draft.reading)
    draft.add(NameserverSpec(statement.place_of(word), word.text, host, port, stream))


def _address(statement: Statement, word: Word, reading: Reading) -> tuple[str, int, bool]:
    """(numeric address, port, over TCP only)."""
    stream = word.text.partition("@")[0] in _STREAMS if "@" in word.text else False
    try:
        address = reading.resolve(parse_address(word.text, default_port=PORT, datagram=not stream))
    except ValueError as error:
        raise Refusal(f"`{statement.name}`: {error}", word) from None
    if address.kind not in ("inet", "inet6") or not address.host:
        raise Refusal(f"`{statement.name} {word.text}`: the address of a host is expected", word)
    return address.host, address.port, stream


@KEYWORDS.keyword(
    "parse-resolv-conf", _HERE, "", "The name servers of /etc/resolv.conf, in their order.", reader="resolver"
)
def _parse_resolv_conf(statement: Statement, draft: ResolversDraft) -> None:
    try:
        found = list(read_resolv_conf(draft.reading, statement.place))
    except OSError as error:
        raise Refusal(f"cannot read '{RESOLV_CONF}': {error.strerror or error}") from None
    known = {one.name for one in draft.spec.nameservers}
    for one in found:
        if one.name in known:
            statement.warn(f"the nameserver '{one.name}' of {RESOLV_CONF} is there already")
        else:
            known.add(one.name)
            draft.add(one)


def read_resolv_conf(reading: Reading, place: Place) -> Iterator[NameserverSpec]:
    """Its name servers, named by their addresses. Lines that are not understood are passed over. OSError."""
    for line in reading.read_file(RESOLV_CONF).decode("utf-8", "replace").splitlines():
        words = line.partition("#")[0].partition(";")[0].split()
        if len(words) < 2 or words[0] != "nameserver" or "%" in words[1]:
            continue
        try:
            host = str(ip_address(words[1]))
        except ValueError:
            continue
        yield NameserverSpec(place, words[1], host, PORT)


def _hold(statement: Statement, draft: ResolversDraft) -> None:
    draft.set(f"hold_{statement.name.partition(' ')[2]}", statement.value(0, Duration()))


for _status in HOLDS:
    _text = "How long an answer is used without asking again." if _status == "valid" else "For servers looked up again."
    _state = State.IN_FORCE if _status == "valid" else State.ACCEPTED
    KEYWORDS.add(Keyword(f"hold {_status}", _HERE, "<time>", _text, "resolver", _hold, state=_state))


@KEYWORDS.keyword("timeout retry", _HERE, "<time>", "How long an answer is waited for.", reader="resolver")
def _timeout_retry(statement: Statement, draft: ResolversDraft) -> None:
    draft.set("timeout_retry", statement.value(0, Duration(1)))


@KEYWORDS.keyword(
    "timeout resolve", _HERE, "<time>", "Time between two looks at a server's name.", reader="-", state=State.ACCEPTED
)
def _timeout_resolve(statement: Statement, draft: ResolversDraft) -> None:
    draft.set("timeout_resolve", statement.value(0, Duration(1)))


@KEYWORDS.keyword("resolve_retries", _HERE, "<1..>", "Queries before a name is given up.", reader="resolver")
def _resolve_retries(statement: Statement, draft: ResolversDraft) -> None:
    draft.set("retries", statement.value(0, Integer(1)))


@KEYWORDS.keyword(
    "accepted_payload_size", _HERE, "<512..65535>", "Largest answer over UDP, in bytes.", reader="resolver"
)
def _accepted_payload_size(statement: Statement, draft: ResolversDraft) -> None:
    draft.set("payload", statement.value(0, Integer(512, 65535)))


# The whole.


def sections(
    drafts: Sequence[ResolversDraft], configuration: Configuration, reading: Reading, diagnostics: Diagnostics
) -> Mapping[str, ResolversSpec]:
    """The sections by name; two of one name are an error. `default` is made of /etc/resolv.conf where a rule asks for
    it and nobody has written it; where that is not possible there is none, and the rule says so."""
    found: dict[str, ResolversSpec] = {}
    for draft in drafts:
        spec = draft.spec
        other = found.get(spec.name)
        if other is not None:
            message = f"resolvers '{spec.name}' has the same name as the section in line {other.place.line}"
            diagnostics.error(spec.place, message, spec.name, TWICE)
            continue
        found[spec.name] = spec
        if not spec.nameservers and not diagnostics.errors:
            hint = "add `nameserver <name> <address>`, or `parse-resolv-conf`"
            diagnostics.warning(spec.place, f"resolvers '{spec.name}' has no nameserver", spec.name, hint)
    if DEFAULT not in found and DEFAULT in _asked_for(configuration):
        place = Place(RESOLV_CONF, 0)
        try:
            servers = {one.name: one for one in read_resolv_conf(reading, place)}
        except OSError:
            servers = {}
        if servers:
            found[DEFAULT] = ResolversSpec(place, DEFAULT, tuple(servers.values()))
    return found


def _asked_for(configuration: Configuration) -> frozenset[str]:
    """The sections that rules name."""
    lines: Iterable[RuleSpec] = (rule for proxy in configuration.proxies for rule in proxy.rules)
    named = {second for line in lines for second in _names(line)}
    for one in configuration.rule_sets.values():
        named.update(second for line in one.rules for second in _names(line))
    return frozenset(named)


def _names(line: RuleSpec) -> Iterator[str]:
    for word in line.words:
        name, _, rest = word.text.partition("(")
        if name == "do-resolve":
            yield rest.removesuffix(")").split(",")[1].strip() if "," in rest else ""
