"""From whom a section learns: the moves as cases, and the table of them."""

from __future__ import annotations

import pytest
from maniple.core.peers.resync import MOVES, WAIT, Resync, Stage


def test_one_peer_is_asked_and_tells_all() -> None:
    resync = Resync(0)
    assert resync.next(10, []) == ""
    assert resync.next(20, ["a", "b"]) == "a"
    assert resync.next(30, ["a", "b"]) == ""
    resync.taught("b", True, 40)
    assert not resync.done
    resync.taught("a", True, 50)
    assert resync.done and resync.deadline() is None
    resync.taught("a", False, 60)
    resync.lost("a", 60)
    assert resync.next(70, ["a"]) == ""


def test_partial_peers_are_not_asked_again() -> None:
    resync = Resync(0)
    assert resync.next(0, ["a", "b"]) == "a"
    resync.taught("a", False, 10)
    assert resync.next(10, ["a", "b"]) == "b"
    resync.taught("b", False, 20)
    assert resync.next(20, ["a", "b"]) == ""
    assert not resync.done and resync.deadline() == 20 + WAIT
    assert resync.next(20 + WAIT, ["a", "b"]) == "" and resync.done


def test_a_lost_peer_may_be_asked_again() -> None:
    resync = Resync(0)
    resync.next(0, ["a"])
    resync.lost("b", 1)
    assert resync.whom == "a"
    resync.lost("a", 2)
    assert resync.stage is Stage.REMOTE
    assert resync.next(3, ["a"]) == "a"


def test_who_falls_silent_is_left() -> None:
    resync = Resync(0)
    resync.next(0, ["a", "b"])
    resync.heard("b", 4000)
    resync.heard("a", 3000)
    assert resync.next(3000 + WAIT - 1, ["a", "b"]) == ""
    assert resync.next(3000 + WAIT, ["a", "b"]) == "b"


def test_nobody_there() -> None:
    resync = Resync(100)
    assert resync.next(99 + WAIT, []) == "" and not resync.done
    resync.next(100 + WAIT, [])
    assert resync.done


def test_the_old_process_first() -> None:
    resync = Resync(0, local=True)
    assert resync.next(0, ["a"]) == ""
    resync.taught("me", False, 1000, local=True)
    assert resync.stage is Stage.LOCAL and resync.deadline() == 1000 + WAIT
    resync.taught("me", True, 2000, local=True)
    assert resync.done


def test_the_old_process_never_comes() -> None:
    resync = Resync(0, local=True)
    assert resync.next(WAIT, ["a"]) == "a"
    resync.taught("me", True, WAIT, local=True)
    assert not resync.done


def test_moves() -> None:
    assert set(MOVES) == set(Stage) and not MOVES[Stage.DONE]
    with pytest.raises(AssertionError):
        Resync(0)._move(Stage.LOCAL, 0)


def test_all_that_somebody_knows_was_heard() -> None:
    one = Resync(0)
    assert not one.heard_all and Resync(0, done=True).heard_all and Resync(0, done=True).done
    one.next(0, ["a"])
    one.taught("a", False, 1)
    assert one.heard_all and not one.done
