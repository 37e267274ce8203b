"""The table of the request/response cycle."""

from __future__ import annotations

import pytest
from maniple.core.http.cycle import MOVES, Cycle, IllegalMove, Stage, advance


def test_every_stage_is_in_the_table_and_can_end() -> None:
    assert set(MOVES) == set(Stage)
    for stage in Stage:
        assert stage is Stage.CLOSED or Stage.CLOSED in MOVES[stage]


@pytest.mark.parametrize("now", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_advance_follows_the_table(now: Stage, after: Stage) -> None:
    if after in MOVES[now]:
        assert advance(now, after) is after
    else:
        with pytest.raises(IllegalMove, match=f"{now.name} -> {after.name}"):
            advance(now, after)


def test_two_exchanges_on_one_connection() -> None:
    cycle = Cycle()
    for _ in range(2):
        cycle.advance_request(Stage.HEAD)
        cycle.advance_request(Stage.BODY)
        cycle.advance_response(Stage.INTERIM)
        cycle.advance_request(Stage.DONE)
        assert not cycle.over
        cycle.advance_response(Stage.BODY)
        cycle.advance_response(Stage.DONE)
        assert cycle.over
        cycle.restart()
    assert repr(cycle) == "<Cycle IDLE IDLE>"


def test_early_answer_then_drain() -> None:
    cycle = Cycle()
    cycle.advance_request(Stage.BODY)
    cycle.advance_response(Stage.DONE)
    with pytest.raises(IllegalMove):
        cycle.restart()
    cycle.advance_request(Stage.CLOSING)
    with pytest.raises(IllegalMove):
        cycle.advance_request(Stage.IDLE)


def test_no_request_after_a_tunnel() -> None:
    cycle = Cycle()
    cycle.advance_request(Stage.DONE)
    cycle.advance_request(Stage.TUNNEL)
    with pytest.raises(IllegalMove):
        cycle.advance_request(Stage.HEAD)
