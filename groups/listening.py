"""All listening sockets of one generation: which there are, for whom each is, and how they pass from one generation to
the next.

Theory. The supervisor opens them and never closes one while its address is served, because closing one of several
reuseport sockets resets the connections in its queue. A reload opens what is missing (bound, not listening: a client
never meets a generation that fails), takes over what agrees, and deals all sockets of an address over the threads that
its bind lines name now. Options that changed are set in `start`, so a reload that fails has changed nothing.

All sockets of an address must be made by the same user (the kernel refuses the others), so the supervisor stays what it
was when it opened the first. An any-address that takes the place of a single one (or changes its v4v6) is bound beside
it; clients that the kernel still sends to the old sockets are accepted when these are closed, a second later.

Owns: the listeners of a generation. Must not know: who accepts, groups' lives. Invariants: numbers rise in the order in
which sockets listen, which is the order of their indexes for the kernel (`filters.distribute_by_cpu`); all errors are
reported, not the first; after an error nothing new stays open.
"""

from __future__ import annotations

import itertools
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ..core.config.model import Address, BindSpec, Configuration, ProxySpec
from ..core.config.threads import resolve_threads
from ..core.errors import ConfigError
from ..core.net.unix_facts import leads_to
from . import sockets
from .address_key import AddressKey, written_key
from .listener import Line, bind_error
from .listener import Listener as Listener
from .opening import serve
from .placement import Placement
from .queue_end import refuse_new as refuse_new
from .shards import split
from .stock import Stock


class Listening:
    """The listeners of a generation, in the order of the configuration."""

    __slots__ = ("_found", "_lines", "_made", "listeners", "notices")

    def __init__(
        self,
        listeners: Sequence[Listener] = (),
        lines: Sequence[Line] = (),
        *,
        made: frozenset[int] = frozenset(),
        found: frozenset[int] = frozenset(),
        notices: Sequence[str] = (),
    ) -> None:
        """Numbers of the sockets that were `made` for this generation, that were `found` (another process opened them);
        `notices`: what could be read otherwise."""
        self.listeners = tuple(listeners)
        self._lines = lines
        self._made = made
        self._found = found
        self.notices = tuple(notices)

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(listener.number for listener in self.listeners)

    def start(self) -> list[ConfigError]:
        """New sockets listen; when all do, the others get the options that are written now. When the first part fails
        the others are as they were, and the caller undoes what there is (`close_new`)."""
        errors: list[ConfigError] = []
        pairs = [(listener, line) for line in self._lines for listener in line.listeners]
        for listener, line in sorted(pairs, key=lambda pair: pair[0].number):
            if listener.number in self._made:
                try:
                    _begin(listener, line)
                except OSError as error:
                    errors.append(bind_error(line.frontend, line.bind, listener.address, error, "listen to"))
        if errors:
            return errors
        for listener, line in pairs:
            if listener.number not in self._made:
                try:
                    _renew(listener, line)
                except OSError as error:
                    errors.append(bind_error(line.frontend, line.bind, listener.address, error, "set options of"))
        return errors

    def removed(self, following: Listening) -> list[Listener]:
        """What the following generation has not any more: to be refused, emptied and closed."""
        numbers = following.numbers
        return [listener for listener in self.listeners if listener.number not in numbers]

    def close_new(self, kept: Listening | None = None) -> None:
        """Undoes a reload that failed: closes what was opened for it, and nothing that `kept` has."""
        numbers = frozenset() if kept is None else kept.numbers
        for listener in self.listeners:
            if listener.number in numbers:
                continue
            if listener.number in self._made and listener.key and listener.key.kind == "unix":
                sockets.unpublish(listener.key.host, listener.sock)
            if listener.number in self._made or listener.number in self._found:
                listener.sock.close()

    def close(self) -> None:
        """Closes this process's hold of all sockets. Paths of unix sockets stay, as HAProxy's do."""
        for listener in self.listeners:
            listener.sock.close()

    def is_ours(self, listener: Listener) -> bool:
        """Whether it can be refused when we end; else another process goes on to accept there."""
        return not sockets.is_foreign(listener.sock)

    def sets(self) -> list[list[Listener]]:
        """The TCP sockets between which the kernel chooses, a list for each address, in the order of their indexes."""
        found: dict[AddressKey, list[Listener]] = defaultdict(list)
        for listener in self.listeners:
            if listener.key is not None and listener.key.is_tcp:
                found[listener.key].append(listener)
        return [sorted(members, key=lambda one: one.number) for members in found.values()]


def open_listeners(
    configuration: Configuration,
    placement: Placement,
    kept: Listening | None = None,
    activated: Sequence[socket.socket] = (),
    numbers: Iterator[int] | None = None,
) -> tuple[Listening, list[ConfigError]]:
    """Binds what is missing of all that the configuration names. With errors it is empty, and nothing new is open.

    `kept`: the generation before; `activated`: sockets that another process opened (systemd, `_getsocks`), which are
    ours now: those that match no address are closed; `numbers`: where new numbers come from (from 1)."""
    numbers = itertools.count(1) if numbers is None else numbers
    errors: list[tuple[int, ConfigError]] = []
    notices: dict[str, None] = {}
    lines: list[Line] = []
    by_key: dict[AddressKey, list[Line]] = defaultdict(list)
    order: dict[int, int] = {}
    occurrences: Counter[tuple[str, str]] = Counter()
    for proxy, index, bind, address in _addresses(configuration):
        try:
            owners, notice = resolve_threads(bind.threads, placement.sizes, placement.groups_written)
        except ValueError as error:
            errors.append((len(order) + len(errors), bind_error(proxy.name, bind, address, error)))
            continue
        if notice:
            notices[f"config : [{bind.place.file}:{bind.place.line}] : {notice}"] = None
        key = written_key(address, bind, proxy.name, occurrences[proxy.name, bind.text])
        occurrences[proxy.name, bind.text] += 1
        rule = bind.shards or configuration.globals.tune.default_shards
        shards = split(owners, rule) if key.is_tcp else (owners,)
        if not key.is_tcp and not bind.threads.ranges:
            owners, shards = (), ((),)
        backlog = sockets.default_backlog(bind, proxy, configuration.globals.maxconn)
        line = Line(proxy.name, index, bind, address, backlog, owners, shards, key)
        order[id(line)] = len(order) + len(errors)
        lines.append(line)
        by_key[key].append(line)

    def failed(line: Line, error: Exception) -> None:
        errors.append((order[id(line)], bind_error(line.frontend, line.bind, line.address, error)))

    stock = Stock(() if kept is None else kept.listeners, activated, numbers)
    made: set[int] = set()
    for members in by_key.values():
        made |= serve(members, stock, numbers, failed)
    stock.close_rest()
    listening = Listening(
        [listener for line in lines for listener in line.listeners],
        lines,
        made=frozenset(made),
        found=frozenset(stock.found),
        notices=tuple(notices),
    )
    if errors:
        listening.close_new(kept)
        return Listening(), [error for _, error in sorted(errors, key=lambda pair: pair[0])]
    return listening, []


def _addresses(configuration: Configuration) -> Iterator[tuple[ProxySpec, int, BindSpec, Address]]:
    """Each address of each bind line, each port of a range as one of its own."""
    for proxy in configuration.proxies:
        if proxy.disabled:
            continue
        for index, bind in enumerate(proxy.binds):
            for address in bind.addresses:
                for one in address.ports() if address.kind in ("inet", "inet6") else (address,):
                    yield proxy, index, bind, one


def _begin(listener: Listener, line: Line) -> None:
    """A socket that was made for this generation."""
    if line.key.kind == "unix":
        sockets.publish(line.key.host, listener.sock)
    elif not sockets.is_foreign(listener.sock) or not sockets.is_listening(listener.sock):
        sockets.listen(listener.sock, line.bind, line.backlog)


def _renew(listener: Listener, line: Line) -> None:
    """A socket that was there before. What another process goes on to use keeps its own settings, the written ones
    excepted."""
    if line.key.kind == "fd":
        return
    sock = listener.sock
    foreign = sockets.is_foreign(sock)
    if line.key.is_tcp:
        sockets.set_options(sock, line.bind, only_written=foreign)
        if line.key.transparent:
            sockets.set_transparent(sock)
    elif line.key.kind == "unix" and not foreign and leads_to(line.key.host, sock):
        sockets.set_permissions(line.key.host, line.bind)
    if not foreign or not sockets.is_listening(sock):
        sockets.listen(sock, line.bind, line.backlog)
