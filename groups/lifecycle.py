"""The life of a group as its supervisor sees it: the states and the moves between them, and nothing else.

STARTING: forked, its threads build their runtimes. READY: accepts. DRAINING: told to end; accepts nothing new. DEAD: no
process; it may be started again.
"""

from __future__ import annotations

from enum import IntEnum


class GroupState(IntEnum):
    DEAD = 0
    STARTING = 1
    READY = 2
    DRAINING = 3


MOVES: dict[GroupState, frozenset[GroupState]] = {
    GroupState.DEAD: frozenset((GroupState.STARTING,)),
    GroupState.STARTING: frozenset((GroupState.READY, GroupState.DRAINING, GroupState.DEAD)),
    GroupState.READY: frozenset((GroupState.DRAINING, GroupState.DEAD)),
    GroupState.DRAINING: frozenset((GroupState.DEAD,)),
}


class IllegalMove(RuntimeError):
    """A group was moved to a state that it cannot reach from where it is: a bug of the supervisor."""


class GroupLife:
    """One group's state."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = GroupState.DEAD

    def advance(self, state: GroupState) -> None:
        """Moves to `state`; raises IllegalMove when the table does not allow it."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"a group cannot go from {self.state.name} to {state.name}")
        self.state = state

    def __repr__(self) -> str:
        return f"<GroupLife {self.state.name}>"
