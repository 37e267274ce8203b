"""One order of changes: whose turn it is, who is told, what is refused. With real groups: tests/wire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.config.model import Configuration
from maniple.core.rules.pattern_changes import Change, write_changes
from maniple.groups.acknowledgements import Acknowledgements, Outcome
from maniple.groups.lifecycle import GroupState
from maniple.groups.messages import Kind, Message
from maniple.groups.pattern_book import PatternBook
from maniple.groups.pattern_desk import PatternDesk, Plan
from maniple.groups.steering import Answer
from maniple.groups.timetable import Timetable


class FakeProcesses:
    """Remembers what is said; questions are answered by the test."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, Message]] = []
        self.open: list[int] = []
        self.acknowledgements = Acknowledgements()

    def say(self, child: Any, message: Message) -> None:
        self.said.append((child, message))

    def ask(self, children: Any, message: Message, then: Callable[[Outcome], None]) -> None:
        members = list(children)
        self.open.append(self.acknowledgements.ask(members, 0.0, then))
        self.said += [(child, message) for child in members]

    def answer(self, *members: Any, text: str = "") -> None:
        ticket = self.open.pop(0)
        for member in members:
            self.acknowledgements.answered(ticket, member, text)


class FakeGeneration:
    """What a desk asks of one."""

    def __init__(self) -> None:
        self.patterns = PatternBook(Configuration())
        self.members: list[Any] = []


class Rig:
    """A desk, and two groups."""

    def __init__(self) -> None:
        self.generation = FakeGeneration()
        self.one, self.other = self.child(1), self.child(2)
        self.processes = FakeProcesses()
        self.timetable = Timetable()
        supervisor: Any = SimpleNamespace(
            processes=self.processes,
            timetable=self.timetable,
            succession=SimpleNamespace(current=self.generation),
        )
        self.supervisor = supervisor
        self.desk = PatternDesk(supervisor)
        self.done: list[str] = []
        self.answers: list[tuple[list[str], bool]] = []

    def child(self, pid: int) -> Any:
        made = Group(pid, self.generation)
        self.generation.members.append(made)
        return made

    def change(self, name: str, **words: Any) -> None:
        changes = words.pop("changes", [Change(name, b"k", b"v")])
        answer = Answer(lambda lines, ok: self.answers.append((lines, ok)))
        self.desk.change(lambda: Plan(changes, lambda: self.done.append(name), **words), answer)

    def told(self, child: Any) -> list[Any]:
        return [message.content for one, message in self.processes.said if one is child]


class Group:
    """A child as the desk sees it."""

    def __init__(self, pid: int, generation: Any) -> None:
        self.pid = pid
        self.generation = generation
        self.state = GroupState.READY
        self.accepts = True

    def __str__(self) -> str:
        return f"group {self.pid}"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_one_after_the_other(rig: Rig) -> None:
    rig.change("m")
    rig.change("n")
    assert len(rig.processes.said) == 2 and rig.done == []
    rig.processes.answer(rig.one, rig.other)
    assert rig.done == ["m"] and rig.answers == [([], True)]
    rig.processes.answer(rig.one, rig.other)
    assert rig.done == ["m", "n"]
    assert rig.told(rig.one) == rig.told(rig.other) == [
        [[0, 0, write_changes([Change(name, b"k", b"v")])]] for name in "mn"
    ]  # fmt: skip


def test_what_groups_refuse_is_not_done(rig: Rig) -> None:
    rig.change("m")
    rig.processes.answer(rig.one, rig.other, text="no")
    assert rig.done == [] and rig.answers == [(["no"], False)]


def test_who_is_silent_is_named_and_it_is_done(rig: Rig) -> None:
    rig.change("m")
    rig.processes.acknowledgements.answered(rig.processes.open[0], rig.one)
    rig.processes.acknowledgements.expire(5.0)
    assert rig.done == ["m"]
    assert rig.answers == [(["group 2 did not acknowledge within 1 s"], False)]


def test_who_comes_meanwhile_is_told_as_well(rig: Rig) -> None:
    rig.change("m")
    late = rig.child(3)
    rig.one.pid = 11
    rig.processes.answer(rig.one, rig.other)
    assert [len(rig.told(child)) for child in (rig.one, rig.other, late)] == [2, 1, 1]


def test_plans(rig: Rig) -> None:
    """Those that nobody need be told, those that are refused at once, those that are checked only."""
    rig.change("m", changes=[], complaint="one line was wrong")
    assert rig.done == ["m"] and rig.answers == [(["one line was wrong"], False)]
    rig.desk.change(lambda: "unknown", Answer(lambda lines, ok: rig.answers.append((lines, ok))))
    assert rig.answers[1:] == [(["unknown"], False)]
    for reply, done in (("unable to parse 'x'.", ["m"]), ("", ["m", "n"])):
        rig.change("n", changes=[], check=[Change("n", b"a", b"x")])
        rig.processes.answer(rig.one, text=reply)
        assert rig.done == done
    assert [message.kind for _, message in rig.processes.said] == [Kind.ASK, Kind.ASK]
    assert rig.told(rig.one)[0] == ["patterns", "check", write_changes([Change("n", b"a", b"x")])]


def test_what_rules_change_is_told_to_all_in_one_message(rig: Rig) -> None:
    first, second = (write_changes([Change("m", b"k", value)]) for value in (b"1", b"2"))
    rig.desk.heard(rig.one, Message(Kind.CHANGED, 1, json.dumps(first)))
    rig.desk.heard(rig.other, Message(Kind.CHANGED, 2, json.dumps(second)))
    assert rig.processes.said == []
    rig.timetable.keep(time.monotonic() + 1)
    batches = [[1, 1, first], [2, 2, second]]
    assert rig.told(rig.one) == rig.told(rig.other) == [batches]
    rig.timetable.keep(time.monotonic() + 2)
    assert len(rig.processes.said) == 2


def test_what_rules_change_waits_for_an_operator(rig: Rig) -> None:
    rig.change("m")
    rig.desk.heard(rig.one, Message(Kind.CHANGED, 1, json.dumps(write_changes([Change("m", b"k", b"1")]))))
    rig.timetable.keep(time.monotonic() + 1)
    assert len(rig.processes.said) == 2
    rig.processes.answer(rig.one, rig.other)
    assert [batches[0][0] for batches in rig.told(rig.other)] == [0, 1]


def test_questions(rig: Rig) -> None:
    told: list[Any] = []
    rig.desk.uses(told.append)
    rig.processes.answer(rig.one, text='{"m": 2}')
    rig.one.state = rig.other.state = GroupState.DEAD
    rig.desk.uses(told.append)
    rig.desk.ask(["get"], told.append)
    assert told == [{"m": 2}, {}, None]
    rig.supervisor.succession.current = None
    assert rig.desk.book is None
