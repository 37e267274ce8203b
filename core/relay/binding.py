"""Who binds a request to a server, before balancing: the one place where that is asked.

Owns: the order of those who may, and what they do to messages. Must not know: what a cookie means
(balance.persistence), rules, connections.

The parts, for a request whose backend is known:

1. `force-persist` and `ignore-persist` note their bits (`exchange.persistence`; their set begins a backend's plan);
2. `use-server` names a server (`exchange.wanted`; the last rule set of the plan);
3. `bind` asks the backend's *binders*, a tuple of functions made when the proxies are built, in their order. The first
   server that one gives is the request's, unless it had one already. All are asked, also those behind: they may have to
   edit the request, or to learn from it (`exchange.wanted` tells them that it is bound);
4. `stick` rules, a set behind that (rules/stick_rules), name one if nobody has: denied requests do not come there;
5. `passes.send`: `connect.assign` to the server, or `connect.dispatch` where there is none.

When the response is here, `backend.closers` are run over it, as the last functions of the response's plan but
`http-after-response`. To bind by something else: add its functions in `equip_backend`.

Invariants: a backend that binds nobody has empty tuples, and nothing of this is in its plans; a server that is not
usable is only given if persistence holds (`option persist`, FORCED).
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import TYPE_CHECKING, Any

from ..balance.cookie_dates import NO_DATES
from ..balance.dynamic_cookie import cookie_values
from ..balance.persistence import Persistence
from ..balance.set_cookie import Fate, edit_line
from ..http.cacheability import is_cacheable
from ..http.edit import edit_request, edit_response, with_block, with_response_block
from ..http.line_edits import Edit, LineEdits
from ..rules.quiet import quiet
from ..rules.verdicts import Verdict
from ..session import DIRECT, IGNORED

if TYPE_CHECKING:
    from ..balance.backend import Backend
    from ..balance.server import Server
    from ..http.block import HeaderBlock
    from ..http.edit import EditedBlock
    from ..http.head import RequestHead, ResponseHead
    from .exchange import RelayExchange

Binder = Callable[["RelayExchange"], "Server | None"]
Step = Callable[["RelayExchange"], "Verdict | None"]

UNBOUND = b"NN"
"""The letters of the log before cookies were looked at, where the backend has one."""
HIDDEN = b"--"
_LETTERS = {Fate.KEPT: b"P", Fate.REMOVED: b"D", Fate.REPLACED: b"R", Fate.PREFIXED: b"R"}


def equip_backend(backend: Backend) -> None:
    """Give a backend its binders and closers."""
    spec = backend.spec
    binders: tuple[Binder, ...] = ()
    closers: tuple[Step, ...] = ()
    if spec.cookie is not None and spec.mode == "http":
        persistence = Persistence(spec.cookie, backend.servers, cookie_values(spec), backend.persists)
        binders += (_cookie_binder(persistence),)
        closers += (_cookie_closer(persistence),)
        backend.shows_cookie = persistence.shown
    backend.binders = binders
    backend.closers = closers


@quiet
def bind(exchange: RelayExchange) -> None:
    """The step of a plan before `passes.send`."""
    for binder in exchange.route.backend.binders:
        server = binder(exchange)
        if server is not None and exchange.wanted is None:
            exchange.wanted = server


def look(exchange: RelayExchange) -> None:
    """The request is denied: as in HAProxy the log tells nevertheless where it would have gone."""
    bind(exchange)
    server = exchange.wanted
    if server is not None and exchange.head is not None:
        exchange.dirty = True
        exchange.server_name = server.name


@quiet
def show(exchange: RelayExchange) -> None:
    """The step with which the rules of a proxy with a cookie begin: the log shows letters from now on."""
    exchange.cookie_state = UNBOUND


@quiet
def hide(exchange: RelayExchange) -> None:
    """The same of one without, where a request may have come through one that has."""
    exchange.cookie_state = HIDDEN


# Cookies.


def _cookie_binder(persistence: Persistence) -> Binder:
    """What a block's Cookie line says is kept with the block, and what a request becomes with the request that the next
    one mostly is (both are remembered by their readers), so that a client that comes again costs 50 bytecodes."""
    read, shown = persistence.read, persistence.shown
    unbound = UNBOUND if shown else HIDDEN
    valid = b"VN" if shown else HIDDEN
    mark = object()
    look = _looker(persistence, mark)

    def by_cookie(x: RelayExchange) -> Server | None:
        x.cookie_dates = NO_DATES
        x.cookie_state = unbound
        head = x.head
        if head is None:
            return None
        block = head.block
        if block.index is None:
            block.make_index()
        bound = block.bound
        if bound is None or bound[0] is not mark or bound[1] is not head:
            bound = look(x, head)
        server: Server | None
        _, _, x.head, server, values, _ = bound
        if server is not None and server.usable and x.wanted is None and not x.persistence & IGNORED:
            x.cookie_state = valid
            return server
        if not values:
            return None
        server, letter, x.cookie_dates = read(values, x.persistence, x.wanted is not None, int(time()))
        if shown:
            x.cookie_state = letter + b"N"
        return server

    return by_cookie


Bound = tuple[object, "RequestHead | None", "RequestHead", "Server | None", "list[bytes]", "HeaderBlock | None"]
"""HeaderBlock.bound: the binder's mark; a request and what becomes of it; the one server that the values name, if it is
that simple; the values; the block for the server, None: this one."""


def _looker(persistence: Persistence, mark: object) -> Callable[[RelayExchange, RequestHead], Bound]:
    """Reads the cookies of a request of which nothing is known yet."""
    cut, sole = persistence.cut, persistence.sole

    def look(x: RelayExchange, head: RequestHead) -> Bound:
        block = head.block
        if block.repeats:
            values = _cut_lines(x, persistence)
            assert x.head is not None
            return mark, None, x.head, None, values, None
        bound = block.bound
        if bound is not None and bound[0] is mark:
            # The block was here, so it is remembered, and may know its request (which is a cycle).
            _, _, _, server, values, new = bound
            bound = mark, head, head if new is None else with_block(head, new), server, values, new
            block.bound = bound
            return bound
        line = block.index.get(b"cookie") if block.index else None
        values, rest = ([], None) if line is None else cut(line)
        server = sole(values)
        new = None
        if rest is not line:
            if block.edited:
                _edited(block).edit_lines(b"cookie", lambda line: rest)
            else:
                new = block.with_line(b"cookie", rest)
        if not block.edited:
            block.bound = mark, None, None, server, values, new
        return mark, None, head if new is None else with_block(head, new), server, values, new

    return look


def _cut_lines(x: RelayExchange, persistence: Persistence) -> list[bytes]:
    """The values in all Cookie lines, which are cut."""
    head = x.head
    assert head is not None
    values: list[bytes] = []
    edits: list[bytes | None] = []
    changed = False
    for line in head.block.values(b"cookie"):
        found, rest = persistence.cut(line)
        values += found
        edits.append(rest)
        changed |= rest is not line
    if changed:
        head = x.head = edit_request(head)
        following = iter(edits)
        _edited(head.block).edit_lines(b"cookie", lambda line: next(following))
    return values


def _edited(block: Any) -> EditedBlock:
    """The block of a head that was made by `edit_request` or `edit_response`."""
    found: EditedBlock = block
    return found


def _cookie_closer(persistence: Persistence) -> Step:
    insertion, fate_of, name, values = persistence.insertion, persistence.fate_of, persistence.name, persistence.values
    nocache, shown, undated = persistence.nocache, persistence.shown, persistence.undated
    inserts = undated and persistence.spec.mode == "insert" and not persistence.spec.postonly
    insert = _inserter(persistence)

    @quiet
    def set_cookie(x: RelayExchange) -> None:
        server, answer, request = x.server, x.answer, x.head
        flags = x.persistence
        if server is None or answer is None or request is None or flags & IGNORED:
            return
        block = answer.block
        index = block.index or block.make_index()
        found = False
        if b"set-cookie" in index:
            fate = fate_of(server, flags)
            lines = block.values(b"set-cookie") if block.repeats else [index[b"set-cookie"]]
            edits = [edit_line(line, name, fate, values[server.index] or b"") for line in lines]
            if any(sets for sets, _ in edits):
                found = fate is Fate.KEPT
                if shown:
                    x.cookie_state = x.cookie_state[:1] + _LETTERS[fate]
            following = iter([line for _, line in edits])
            if any(new is not old for (_, new), old in zip(edits, lines, strict=True)):
                answer = x.answer = edit_response(answer)
                block = answer.block
                _edited(block).edit_lines(b"set-cookie", lambda line: next(following))
        elif undated and x.cookie_dates is NO_DATES:
            if flags & DIRECT:
                return
            if request.method == b"GET" and not block.edited and inserts:
                bound = block.bound
                made = bound[1].get(server) if bound is not None and bound[0] is answer else None
                x.answer, letter = made or insert(server, answer)
                x.cookie_state = x.cookie_state[:1] + letter
                return
        added = insertion(server, flags, x.cookie_dates, int(time()), request.method, found)
        if added is None:
            return
        answer = x.answer = edit_response(answer)
        own = _edited(answer.block)
        private = nocache and is_cacheable(request.method, answer.status, own)
        own.add(b"set-cookie", added.value)
        if private:
            own.add(b"cache-control", b"private")
        x.cookie_state = x.cookie_state[:1] + added.letter

    return set_cookie


def _inserter(persistence: Persistence) -> Callable[[Server, ResponseHead], tuple[ResponseHead, bytes]]:
    """What a response to a GET becomes for a client without a cookie, from that server, and the letter. Equal responses
    are one (http/head): from its second time on its block keeps that, and what it becomes by the server (`bound`)."""
    edits: dict[tuple[Server, bool], tuple[LineEdits, bytes]] = {}

    def learn(server: Server, private: bool) -> tuple[LineEdits, bytes]:
        added = persistence.insertion(server, 0, NO_DATES, 0, b"GET", False)
        assert added is not None
        lines = [Edit("add", b"set-cookie", added.value), *[Edit("add", b"cache-control", b"private")] * private]
        edits[server, private] = found = LineEdits(lines), added.letter
        return found

    def insert(server: Server, answer: ResponseHead) -> tuple[ResponseHead, bytes]:
        block = answer.block
        private = persistence.nocache and is_cacheable(b"GET", answer.status, block)
        lines, letter = edits.get((server, private)) or learn(server, private)
        made = with_response_block(answer, lines.apply(block, (block.index or block.make_index()).copy())), letter
        bound = block.bound
        if bound is None:
            block.bound = None, {}
        else:
            if bound[0] is not answer:
                bound = block.bound = answer, {}
            bound[1][server] = made
        return made

    return insert
