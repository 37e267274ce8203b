"""The four stacks by themselves; tests of the pool hold them to what requests want of them."""

from __future__ import annotations

import pytest
from maniple.pools.stacks import Stacks

EVERYWHERE = ("idle", "idle_attached", "safe", "safe_attached")
ME = object()


def stacks() -> Stacks[str]:
    """Two in each: i j, I J attached, s t, S T attached."""
    made: Stacks[str] = Stacks()
    for name, waiting in zip(EVERYWHERE, ("ij", "IJ", "st", "ST"), strict=True):
        getattr(made, name).update(dict.fromkeys(waiting, ME if name.endswith("attached") else None))
    return made


def left(one: Stacks[str]) -> str:
    return "".join("".join(getattr(one, name)) for name in EVERYWHERE)


def test_counts() -> None:
    one = stacks()
    one.remove("i")
    one.remove("S")
    one.remove("T")
    assert (one.idle_count, one.safe_count) == (3, 2)


@pytest.mark.parametrize(("which", "attached"), [("i", False), ("J", True), ("s", False), ("T", True), ("x", None)])
def test_remove_says_what_it_was(which: str, attached: bool | None) -> None:
    one = stacks()
    assert one.remove(which) is attached
    assert left(one) == "ijIJstST".replace(which, "")
    assert one.remove(which) is None


@pytest.mark.parametrize(("which", "kind"), [("I", "idle"), ("T", "safe")])
def test_leave_names_the_stack_of_its_kind(which: str, kind: str) -> None:
    one = stacks()
    assert one.leave(which, ME) is getattr(one, kind)
    assert left(one) == "ijIJstST".replace(which, "")


@pytest.mark.parametrize(("which", "owner"), [("I", object()), ("i", ME), ("x", ME)])
def test_leave_of_another_session_changes_nothing(which: str, owner: object) -> None:
    one = stacks()
    assert one.leave(which, owner) is None
    assert left(one) == "ijIJstST"


@pytest.mark.parametrize(("number", "removed"), [(0, ""), (1, "i"), (3, "ijs"), (9, "ijst")])
def test_oldest_detached_go_first_and_unsafe_before_safe(number: int, removed: str) -> None:
    one = stacks()
    assert "".join(one.remove_oldest(number)) == removed
    assert set(left(one)) == set("ijIJstST") - set(removed)


def test_clear_keeps_the_dicts() -> None:
    one = stacks()
    before = [getattr(one, name) for name in EVERYWHERE]
    assert sorted(one.clear()) == sorted("ijIJstST")
    assert all(getattr(one, name) is stack for name, stack in zip(EVERYWHERE, before, strict=True))
    assert left(one) == ""
