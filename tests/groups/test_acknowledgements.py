from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.groups.acknowledgements import PATIENCE, Acknowledgements, Outcome


def asked(*members: str, now: float = 100.0) -> tuple[Acknowledgements, int, list[Outcome]]:
    acknowledgements = Acknowledgements()
    outcomes: list[Outcome] = []
    return acknowledgements, acknowledgements.ask(members, now, outcomes.append), outcomes


def test_all_answer() -> None:
    acknowledgements, ticket, outcomes = asked("a", "b")
    assert ticket == 1
    assert acknowledgements.due() == 100.0 + PATIENCE
    acknowledgements.answered(ticket, "a")
    assert not outcomes
    acknowledgements.answered(ticket, "a")
    acknowledgements.answered(ticket, "c")
    acknowledgements.answered(ticket + 1, "b")
    assert not outcomes
    acknowledgements.answered(ticket, "b", "no such server")
    assert outcomes == [Outcome({"b": "no such server"})]
    assert acknowledgements.due() is None
    acknowledgements.answered(ticket, "b")
    acknowledgements.expire(1000.0)
    acknowledgements.gone("a")
    assert len(outcomes) == 1


def test_who_says_nothing_is_named() -> None:
    acknowledgements, ticket, outcomes = asked("a", "b", "c")
    acknowledgements.answered(ticket, "b")
    acknowledgements.expire(100.0 + PATIENCE - 0.001)
    assert not outcomes
    acknowledgements.expire(100.0 + PATIENCE)
    assert outcomes == [Outcome(silent=("a", "c"))]
    acknowledgements.answered(ticket, "a")
    assert len(outcomes) == 1


def test_the_dead_are_not_waited_for() -> None:
    acknowledgements, ticket, outcomes = asked("a", "b")
    acknowledgements.gone("a")
    acknowledgements.answered(ticket, "a")
    assert not outcomes
    acknowledgements.answered(ticket, "b")
    assert outcomes == [Outcome(gone=["a"])]


def test_nobody_is_asked() -> None:
    acknowledgements, ticket, outcomes = asked()
    assert outcomes == [Outcome()]
    assert (ticket, acknowledgements.due()) == (1, None)


def test_a_question_may_follow_from_an_answer() -> None:
    acknowledgements = Acknowledgements()
    tickets: list[int] = []

    def again(_outcome: Outcome) -> None:
        if len(tickets) < 3:
            tickets.append(acknowledgements.ask("a", 0.0, again))

    again(Outcome())
    acknowledgements.gone("a")
    acknowledgements.expire(PATIENCE)
    assert tickets == [1, 2, 3]
    acknowledgements.answered(3, "a")
    assert acknowledgements.due() is None


def test_each_question_has_its_own_patience() -> None:
    acknowledgements = Acknowledgements()
    ended: list[str] = []
    acknowledgements.ask("a", 0.0, lambda _: ended.append("long"), patience=5.0)
    acknowledgements.ask("a", 0.0, lambda _: ended.append("short"), patience=0.5)
    assert acknowledgements.due() == 0.5
    acknowledgements.expire(0.5)
    assert (ended, acknowledgements.due()) == (["short"], 5.0)
    acknowledgements.expire(9.0)
    assert ended == ["short", "long"]


MOVES = st.one_of(
    st.tuples(st.just("ask"), st.sets(st.integers(1, 4))),
    st.tuples(st.just("answer"), st.tuples(st.integers(1, 8), st.integers(1, 4), st.sampled_from(["", "no"]))),
    st.tuples(st.just("gone"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.floats(0.0, 1.2)),
)


@settings(deadline=None)
@given(st.lists(MOVES, max_size=40))
def test_every_question_ends_once_and_says_of_everybody_what_became_of_them(moves: list[tuple[str, Any]]) -> None:
    acknowledgements = Acknowledgements()
    members: dict[int, set[int]] = {}
    answers: dict[int, dict[int, str]] = {}
    gone: dict[int, set[int]] = {}
    outcomes: dict[int, Outcome] = {}
    now = 0.0

    def waiting(ticket: int) -> set[int]:
        return members[ticket] - answers[ticket].keys() - gone[ticket]

    for what, argument in moves:
        if what == "ask":
            ticket = len(members) + 1
            members[ticket], answers[ticket], gone[ticket] = set(argument), {}, set()

            def then(outcome: Outcome, ticket: int = ticket) -> None:
                assert ticket not in outcomes
                outcomes[ticket] = outcome

            assert acknowledgements.ask(sorted(members[ticket]), now, then) == ticket
        elif what == "answer":
            number, member, complaint = argument
            if number in members and number not in outcomes and member in waiting(number):
                answers[number][member] = complaint
            acknowledgements.answered(number, member, complaint)
        elif what == "gone":
            for ticket in members:
                if ticket not in outcomes and argument in waiting(ticket):
                    gone[ticket].add(argument)
            acknowledgements.gone(argument)
        else:
            now += argument
            acknowledgements.expire(now)
        for ticket in members:
            if ticket in outcomes:
                outcome = outcomes[ticket]
                assert set(outcome.silent) == waiting(ticket)
                assert set(outcome.gone) == gone[ticket]
                assert outcome.complaints == {who: text for who, text in answers[ticket].items() if text}
            else:
                assert waiting(ticket)
                due = acknowledgements.due()
                assert due is not None
    acknowledgements.expire(now + 2 * PATIENCE)
    assert outcomes.keys() == members.keys()
    assert acknowledgements.due() is None
