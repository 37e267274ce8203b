"""What a peer tells about tables, and what it is answered: the half of a conversation that learns.

Owns: the peer's numbers of tables, which table updates are of, what is to be acknowledged. Must not know: sockets, who
asked for what. Invariants: an update of a table that is not shared, or that is another here, changes nothing but the
texts by number, which all tables of a conversation have in common; whatever is learned is only what both define.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .dictionary import ReceivedTexts
from .entries import decode_entry
from .faults import MalformedFault
from .messages import Ack, Definition, Switch, Update
from .sharing import SharedTable
from .tables import LOCAL, TableDefinition, difference
from .values import Entry

MOST_TABLES: Final = 4096
_WORD: Final = (1 << 32) - 1


class _Told:
    """A table of the peer. `shared` None: passed over; `table` None: its updates cannot even be read."""

    __slots__ = ("dropped", "number", "shared", "table", "update")

    def __init__(self, number: int, table: TableDefinition | None, shared: SharedTable | None) -> None:
        self.number = number
        self.table = table
        self.shared = shared
        self.dropped: frozenset[str] = frozenset()
        """Data types that are not learned."""
        if table is not None and shared is not None:
            own = {column.name for column in shared.definition.columns}
            unlearned = frozenset() if shared.learns_open else LOCAL
            self.dropped = frozenset(c.name for c in table.columns if c.name not in own or c.name in unlearned)
        self.update: int | None = None


class Incoming:
    """What one conversation has learned."""

    __slots__ = ("_current", "_notice", "_tables", "_told", "_unacked", "texts", "updates")

    def __init__(self, tables: Mapping[str, SharedTable], notice: Callable[[str], None]) -> None:
        self._tables = tables
        self._notice = notice
        self._told: dict[int, _Told] = {}
        self._current: _Told | None = None
        self._unacked: dict[int, _Told] = {}
        self.texts = ReceivedTexts()
        self.updates = 0
        """Entries that were learned."""

    def define(self, message: Definition) -> None:
        """The updates that follow are of this table."""
        before = self._told.get(message.number)
        if before is not None and before.table is not None and before.table == message.table:
            # HAProxy repeats the definition whenever it changes to another table.
            self._current = before
            return
        if before is None and len(self._told) >= MOST_TABLES:
            raise MalformedFault("too many tables")
        shared = self._tables.get(message.name)
        reason = ""
        if message.table is None:
            reason = "its keys are of an unknown type"
        elif shared is None:
            reason = "no such table is shared here"
        else:
            reason = difference(shared.definition, message.table)
        if reason:
            self._notice(f"table {message.name!r} is passed over: {reason}")
            shared = None
        self._current = self._told[message.number] = _Told(message.number, message.table, shared)

    def switch(self, message: Switch) -> None:
        """The updates that follow are of a table that was defined before; of none that is known otherwise."""
        self._current = self._told.get(message.number)

    def update(self, message: Update, now: int, *, lesson: bool = False) -> None:
        """An entry; `lesson`: told because we asked for all. MalformedFault, SizeFault."""
        told = self._current
        if told is None or told.table is None:
            return
        number = message.update
        if number is None:
            number = ((told.update or 0) + 1) & _WORD
        key, values = decode_entry(told.table, message.body, 0, self.texts)
        told.update = number
        if told.shared is None:
            return
        for name in told.dropped:
            del values[name]
        # What never expires there says so by a time of 0.
        expire = message.expire if told.table.expire else None
        if not (lesson and told.shared.known):
            told.shared.apply(Entry(key, expire, values), now)
            self.updates += 1
        self._unacked[told.number] = told

    def acks(self) -> list[Ack]:
        """What is to be acknowledged since the last call, one a table."""
        found = [Ack(told.number, told.update or 0) for told in self._unacked.values()]
        self._unacked.clear()
        return found
