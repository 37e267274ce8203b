from __future__ import annotations

import itertools

import pytest
from maniple.groups.lifecycle import (
    GENERATION_MOVES,
    MOVES,
    GenerationLife,
    GenerationState,
    GroupLife,
    GroupState,
    IllegalMove,
)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(GroupState, GroupState)))
def test_only_the_moves_of_the_table(before: GroupState, after: GroupState) -> None:
    life = GroupLife()
    life.state = before
    if after in MOVES[before]:
        life.advance(after)
        assert life.state is after
    else:
        with pytest.raises(IllegalMove, match=f"from {before.name} to {after.name}"):
            life.advance(after)
        assert life.state is before


def test_every_state_is_reached_and_every_one_ends() -> None:
    assert set(MOVES) == set(GroupState)
    assert set().union(*MOVES.values()) == set(GroupState)
    assert all(GroupState.DEAD in moves for state, moves in MOVES.items() if state is not GroupState.DEAD)


def test_a_new_group_is_dead() -> None:
    assert repr(GroupLife()) == "<GroupLife DEAD>"


@pytest.mark.parametrize(("before", "after"), list(itertools.product(GenerationState, GenerationState)))
def test_only_the_moves_of_a_generation(before: GenerationState, after: GenerationState) -> None:
    life = GenerationLife()
    life.state = before
    if after in GENERATION_MOVES[before]:
        life.advance(after)
        assert life.state is after
    else:
        with pytest.raises(IllegalMove, match=f"from {before.name} to {after.name}"):
            life.advance(after)
        assert life.state is before


def test_a_generation_goes_forward_only_and_may_go_at_any_time() -> None:
    assert set(GENERATION_MOVES) == set(GenerationState)
    for before, moves in GENERATION_MOVES.items():
        assert all(after > before for after in moves)
        if before < GenerationState.GOING:
            assert GenerationState.GOING in moves
    assert repr(GenerationLife()) == "<GenerationLife BUILDING>"
