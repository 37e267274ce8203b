"""The lives of a group and of a generation as the supervisor sees them: the states and the moves between them, and
nothing else.

A group: STARTING: forked, its threads build their runtimes. READY: accepts. DRAINING: told to end; accepts nothing new.
DEAD: no process; it may be started again.

A generation: BUILDING: its groups build, and nobody accepts. COMING: all have built; they begin to accept, and there is
no way back. SERVING: it is the one in service. GOING: its groups drain, or were told to end. GONE: none of them is
left.
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


class GenerationState(IntEnum):
    BUILDING = 0
    COMING = 1
    SERVING = 2
    GOING = 3
    GONE = 4


GENERATION_MOVES: dict[GenerationState, frozenset[GenerationState]] = {
    GenerationState.BUILDING: frozenset((GenerationState.COMING, GenerationState.GOING)),
    GenerationState.COMING: frozenset((GenerationState.SERVING, GenerationState.GOING)),
    GenerationState.SERVING: frozenset((GenerationState.GOING,)),
    GenerationState.GOING: frozenset((GenerationState.GONE,)),
    GenerationState.GONE: frozenset(),
}


class IllegalMove(RuntimeError):
    """A group or generation was moved to a state that it cannot reach from where it is: a bug of the supervisor."""


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


class GenerationLife:
    """One generation's state."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = GenerationState.BUILDING

    def advance(self, state: GenerationState) -> None:
        """Moves to `state`; raises IllegalMove when the table does not allow it."""
        if state not in GENERATION_MOVES[self.state]:
            raise IllegalMove(f"a generation cannot go from {self.state.name} to {state.name}")
        self.state = state

    def __repr__(self) -> str:
        return f"<GenerationLife {self.state.name}>"
