"""Sticky sessions of one backend: a request's server is its session's, and what responses teach of that
(schedulers.md D3).

Owns: the *visit*, which is a request as one of its session: found out when the request is bound to a server, told to
the client and the table when the response is here. Must not know: what a pin means (balance.pins), the cookie's bytes
(balance.sticky_cookie), tables beyond balance.pin_table.

`bind` is the last step of a backend's plan, `close` the last of its response plan. Who is bound already (`use-server`,
the persistence cookie, `ignore-persist`) is none of its business. A request of a known session is pinned before it is
balanced any further, so that of two groups that serve one session at a time both take the same server (D3.7); one that
has no cookie of ours yet cannot be raced by another of its session, and is pinned when its response is here.

Measured (Python 3.11, us): `bind` of a session that stays 9 (our cookie; a header 7), 2 if remembered; `close` 0.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import urandom
from time import time
from typing import TYPE_CHECKING, Any

from ..balance.pin_memory import make_memory
from ..balance.pins import Choice, Way, make_pin, number_in, place_of, server_of
from ..balance.sticky_cookie import KEY_BYTES, NO_HINT, Signer, Token, learned_key, set_cookie
from ..config.sticky_spec import StickySpec
from ..http.cacheability import is_cacheable
from ..http.edit import edit_response
from ..report.syslog_header import WARNING
from ..rules.quiet import quiet
from ..rules.verdicts import Answer, Verdict
from ..session import FORCED, IGNORED
from .session_names import cookie_reader, header_reader, set_cookie_reader
from .spilling import switch

if TYPE_CHECKING:
    from ..balance.backend import Backend
    from ..balance.pin_table import PinTable
    from ..balance.server import Server
    from ..http.block import HeaderBlock
    from ..http.head import RequestHead
    from .challenge import Challenge
    from .exchange import RelayExchange
    from .relay import Relay

TWICE = Answer(None, 400, page=True, termination=b"PR", denied=True)
"""Two cookies (or headers) of the name: nobody can say which session it is (D3.10)."""
PINNED_DOWN = Answer(None, 503, page=True, termination=b"SC")
"""Its server is down, and it may not move."""
LONGEST = 256
"""Bytes of a name that is learned."""
_TRIES = 16


class Visit:
    """A request as one of a session. `key`: b"" while it has none. `number`: of the server that it was
    bound to, 0: none. `token`: what the client's cookie says."""

    __slots__ = ("key", "number", "token")

    def __init__(self, key: bytes = b"", number: int = 0, token: Token | None = None) -> None:
        self.key = key
        self.number = number
        self.token = token


class Sticky:
    """`main`, `spare`: the backend asked for, its backup; `numbers`, `hints`: of each of their servers; `known`: hints
    of all servers of all backends that share these sessions."""

    __slots__ = (
        "_challenge",
        "_choice",
        "_hints",
        "_known",
        "_main",
        "_may_create",
        "_note",
        "_numbers",
        "_on_full",
        "_own",
        "_read",
        "_recall",
        "_relay",
        "_salted",
        "_shown",
        "_signer",
        "_spare",
        "_spec",
        "_table",
        "_taught",
        "_teaches",
        "_told",
    )

    def __init__(
        self,
        spec: StickySpec,
        main: Backend,
        choice: Choice[Server],
        table: PinTable,
        signer: Signer,
        challenge: Challenge | None,
        relay: Relay,
        *,
        on_full: bool,
        numbers: Mapping[Server, int],
        hints: Mapping[int, bytes],
        known: Iterable[bytes],
    ) -> None:
        self._spec = spec
        self._main = main
        self._spare = main.spare
        self._on_full = on_full
        self._choice = choice
        self._table = table
        self._signer = signer
        self._challenge = challenge
        self._relay = relay
        self._numbers = numbers
        self._hints = hints
        self._known = frozenset(known)
        self._own = spec.own
        self._may_create = not spec.source.startswith("learn")
        self._salted = spec.bind_ip or spec.bind_ua
        self._shown = spec.own and not main.shows_cookie
        """The log shows what became of our cookie, in the letters of the persistence cookie."""
        name = spec.name.encode("utf-8", "surrogateescape")
        self._read = header_reader(name) if spec.source.endswith("header") else cookie_reader(name)
        self._taught = header_reader(name) if spec.source.endswith("header") else set_cookie_reader(name)
        self._teaches = name if spec.source.endswith("header") else b"set-cookie"
        """The header of a response that may name a session."""
        self._recall, self._note = make_memory(table.table, dated=main.spare is not None)
        self._told: dict[int, int] = {}
        """When it was told last that sessions leave a server; 0: that a server names two."""

    # -- the request --------------------------------------------------------------------------------------------------

    @quiet
    def bind(self, exchange: RelayExchange) -> Verdict | None:
        """The step behind all rules of the backend."""
        exchange.visit = None
        head = exchange.head
        if head is None or exchange.persistence & IGNORED:
            return None
        block = head.block
        if block.index is None:
            block.make_index()
        bound = block.bound
        if bound is None or bound[0] is not self:
            values = self._read(block)
            bound = self, values, learned_key(values[0]) if values and values[0] and not self._own else b""
            if not block.edited:
                block.bound = bound
        _, values, key = bound
        if len(values) > 1:
            return TWICE
        date = int(time())
        token = None
        if self._own:
            salt = self._salt(exchange, head)
            if values:
                token = self._signer.read(values[0], date, salt)
            if self._shown:
                exchange.cookie_state = b"VN" if token is not None else b"IN" if values else b"NN"
            if token is None and self._challenge is not None:
                return self._challenge.answer(exchange, head, salt, date)
            if token is not None:
                key = token.key
        if exchange.wanted is not None:
            # Somebody else has bound it. What its server names is learned nevertheless.
            exchange.visit = None if self._may_create else Visit(key)
            return None
        visit = exchange.visit = Visit(key, 0, token)
        return self._go(exchange, visit, date) if key else None

    def _go(self, exchange: RelayExchange, visit: Visit, date: int) -> Verdict | None:
        """The request of a session that has a key: to its server."""
        now = int(self._relay.clock() * 1000.0)
        spot = self._recall(visit.key, now, date)
        if spot is not None:
            visit.number = spot.number
            exchange.wanted = spot.server
            if self._choice.strict:
                exchange.persistence |= FORCED
            return None
        table = self._table
        if self._may_create:
            slot = table.track(visit.key, now)
        else:
            slot = table.hold(visit.key, now)
            if not slot:
                return None
            table.touch(slot, now)
        try:
            way, server = self._settle(exchange, visit, slot, date)
        finally:
            if slot:
                table.release(slot)
        if way is Way.DOWN:
            exchange.server_name = server.name if server is not None else "<NOSRV>"
            if self._shown:
                exchange.cookie_state = b"DN"
            return PINNED_DOWN
        if server is None:
            return None
        exchange.wanted = server
        if self._choice.strict:
            # Neither a retry nor a queue that is full sends it elsewhere.
            exchange.persistence |= FORCED
        if server.backend is not self._main:
            switch(exchange)
        return None

    def _settle(self, exchange: RelayExchange, visit: Visit, slot: int, date: int) -> tuple[Way, Server | None]:
        """Where the session is from now on; `slot` 0: it is not kept anywhere."""
        choice, table = self._choice, self._table
        token = visit.token
        hint = 0
        if token is not None and token.hint != NO_HINT:
            hint = number_in(token.hint)
        for _ in range(_TRIES):
            pins = table.pins(slot)
            place = place_of(pins, choice.asked)
            server = choice.stays(pins[place])
            if server is not None:
                visit.number = server_of(pins[place])
                if self._spare is not None:
                    table.use(slot, place, date)
                if slot and exchange.request_number > 0 and server.backend is self._main:
                    self._note(visit.key, slot, place, pins[place], server)
                return Way.KEEP, server
            main, spare = self._ready()
            idle = self._idle(pins, slot, token, date) if choice.back > 0 else 0
            decision = choice.decide(pins, main, spare, idle, hint)
            if decision.way is Way.KEEP:
                server = decision.server
            elif decision.way is Way.MAIN:
                server = pick(self._main, exchange)
            elif decision.way is Way.BACKUP:
                assert self._spare is not None
                server = pick(self._spare, exchange)
            else:
                return decision.way, decision.server if decision.way is Way.DOWN else None
            assert server is not None
            number = self._numbers[server]
            pin = make_pin(choice.asked, number)
            if slot:
                if pin != decision.word and table.assign(slot, decision.place, decision.word, pin) != pin:
                    # Another request of the session was faster: it says where both go.
                    continue
                table.use(slot, decision.place, date)
            visit.number = number
            had = choice.member(server_of(decision.word)) if decision.word >> 32 == choice.asked else None
            if had is not None and had is not server:
                self._tell(had, server, date)
            return decision.way, server
        return Way.NOBODY, None

    def _ready(self) -> tuple[bool, bool]:
        """Has main a server for whom nobody has bound? Has the backup?"""
        main, spare = self._main, self._spare
        if spare is None:
            return bool(main.candidates), False
        if self._on_full and main.candidates and not main.has_room() and spare.has_room():
            return False, True
        return bool(main.candidates), bool(spare.candidates)

    def _idle(self, pins: list[int], slot: int, token: Token | None, date: int) -> int:
        """Milliseconds since the session was here."""
        place = place_of(pins, self._choice.asked)
        if pins[place] >> 32 == self._choice.asked:
            return (date - self._table.used(slot, place)) * 1000
        return (date - token.made) * 1000 if token is not None else 0

    def _salt(self, exchange: RelayExchange, head: RequestHead) -> bytes:
        if not self._salted:
            return b""
        source = exchange.session.source if self._spec.bind_ip else b""
        agent = b",".join(head.block.values(b"user-agent")) if self._spec.bind_ua else b""
        return bytes((len(source),)) + source + agent

    def _tell(self, had: Server, server: Server, date: int) -> None:
        """A session has moved: counted as a redispatch, and told, but not more than once a second of one server."""
        had.counts.wredis += 1
        self._main.counts.wredis += 1
        number = self._numbers[had]
        if self._told.get(number, 0) != date:
            self._told[number] = date
            reason = "is back" if self._main is server.backend is not had.backend else "is not usable"
            of = self._main.name if reason == "is back" else f"{had.backend.name}/{had.name}"
            text = f"Sticky sessions move from {had.backend.name}/{had.name} to {server.backend.name}/{server.name}"
            self._relay.tell(self._main.name, WARNING, f"{text}: {of} {reason}.")

    # -- the response -------------------------------------------------------------------------------------------------

    @quiet
    def close(self, exchange: RelayExchange) -> None:
        """The last step of the rules for a response."""
        visit: Visit | None = exchange.visit
        server, answer = exchange.server, exchange.answer
        if visit is None or server is None or answer is None:
            return
        exchange.visit = None
        number = self._numbers.get(server)
        if number is None:
            return
        block = answer.block
        learns = not self._may_create and self._teaches in (block.index or block.make_index())
        if number == visit.number and not (learns or self._own):
            return
        date = int(time())
        if learns and self._learn(visit, number, block, date):
            return
        if self._own and not visit.key:
            visit.key = urandom(KEY_BYTES)
        if visit.key and number != visit.number and (visit.number or self._may_create):
            # A new session, or one that was sent elsewhere after an attempt that failed: it follows (D3.6).
            self._pin(visit, number, date)
        if self._own:
            self._set_cookie(exchange, visit, date)

    def _pin(self, visit: Visit, number: int, date: int, anyhow: bool = False) -> None:
        """The session's server is that one, unless another request of it has said otherwise meanwhile. `anyhow`: also
        then."""
        table, asked = self._table, self._choice.asked
        slot = table.track(visit.key, int(self._relay.clock() * 1000.0))
        before = make_pin(asked, visit.number) if visit.number else 0
        visit.number = number
        if not slot:
            return
        try:
            pins = table.pins(slot)
            place = place_of(pins, asked)
            word = pins[place]
            pin = make_pin(asked, number)
            if anyhow or word == before or word >> 32 != asked:
                word = table.assign(slot, place, word, pin)
            if word >> 32 == asked:
                visit.number = server_of(word)
            table.use(slot, place, date)
        finally:
            table.release(slot)

    def _learn(self, visit: Visit, number: int, block: HeaderBlock, date: int) -> bool:
        """Does the server name the session? Then it is there. Two names, and one that is too long, are none; an empty
        one ends the session that was."""
        values = self._taught(block)
        if len(values) != 1 or len(values[0]) > LONGEST:
            if len(values) > 1 and self._told.get(0, 0) != date:
                self._told[0] = date
                name = self._spec.name
                self._relay.tell(self._main.name, WARNING, f"A server names two sessions '{name}': none is learned.")
            return False
        if not values[0]:
            if visit.key:
                self._table.remove(visit.key)
            return True
        key = learned_key(values[0])
        if key != visit.key or number != visit.number:
            self._pin(Visit(key), number, date, anyhow=True)
        return True

    def _holds(self, said: bytes, hint: bytes) -> bool:
        """Need a client not be told that hint, to whom another was said? One at a server of another backend that shares
        the session is left, or the backends would take turns."""
        return said == hint or (said in self._known and said not in self._hints.values())

    def _set_cookie(self, exchange: RelayExchange, visit: Visit, date: int) -> None:
        """Tells the client which session it has, if it does not know, or where, if that has changed."""
        token = visit.token
        hint = self._hints.get(visit.number, NO_HINT)
        if token is not None and not self._signer.grows_old(token, date) and self._holds(token.hint, hint):
            return
        head, answer = exchange.head, exchange.answer
        assert head is not None
        assert answer is not None
        value = self._signer.issue(visit.key, hint, date, self._salt(exchange, head))
        answer = exchange.answer = edit_response(answer)
        block: Any = answer.block
        shared = is_cacheable(head.method, answer.status, block)
        block.add(b"set-cookie", set_cookie(self._spec, value))
        if shared:
            # A cache must not give one client's session to others.
            block.add(b"cache-control", b"private")
        if self._shown:
            exchange.cookie_state = exchange.cookie_state[:1] + (b"I" if token is None else b"U")


def pick(backend: Backend, exchange: RelayExchange) -> Server:
    """A server for a session that has none: the one that is balanced, or, where all are full, the least busy, in whose
    queue the request will wait. The backend has candidates."""
    server = backend.choose(exchange, exchange.avoid)
    if server is None:
        server = min(backend.candidates, key=_load)
    return server


def _load(server: Server) -> float:
    return (server.served + len(server.waiting)) / max(server.eweight, 1)
