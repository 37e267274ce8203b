from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.groups.acknowledgements import Outcome
from maniple.groups.child import Child
from maniple.groups.messages import Channel, Kind, Message
from maniple.groups.placement import GroupPlace
from maniple.groups.processes import Processes

NOBODY: Any = None


class Loop:
    """A supervisor's loop with nothing but processes in it."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.events: list[tuple[Any, ...]] = []
        self.processes = Processes(
            self.selector,
            heard=lambda child, message: self.events.append(("heard", child.number, message.kind, message.number)),
            died=lambda child, pid, code: self.events.append(("died", child.number, code)),
            stacks=lambda child, text: self.events.append(("stacks", child.number, text)),
        )

    def start(self, run: Callable[[Channel, int], int], number: int = 1) -> Child:
        child = Child(GroupPlace(number, 1, number, ()), NOBODY)

        def body(channel: Channel, stacks: int) -> int:
            self.processes.leave()
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            channel.socket.setblocking(True)
            return run(channel, stacks)

        self.processes.start(child, body)
        return child

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, self.events
            for key, _ in self.selector.select(0.005):
                if self.selector.get_map().get(key.fd) is key:
                    key.data()
            self.processes.reap()

    def close(self) -> None:
        self.processes.end()
        self.selector.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    one = Loop()
    yield one
    one.close()


def answer(channel: Channel, _stacks: int) -> int:
    """Answers each message that asks for it, until STOP."""
    while True:
        message = channel.receive()
        if message is None or message.kind == Kind.STOP:
            return 3
        if message.ticket:
            channel.send(Message(Kind.DONE, text=message.text, ticket=message.ticket))


def deaf(_channel: Channel, _stacks: int) -> int:
    signal.pause()
    return 0


def test_last_words_are_heard_before_the_death(loop: Loop) -> None:
    def speak(channel: Channel, stacks: int) -> int:
        os.write(stacks, b"a stack")
        for number in range(3):
            channel.send(Message(Kind.READY, number))
        return 7

    child = loop.start(speak)
    # It is dead before we look.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    loop.processes.reap()
    assert loop.events == [
        *(("heard", 1, Kind.READY, number) for number in range(3)),
        ("stacks", 1, "a stack"),
        ("died", 1, 7),
    ]
    assert loop.processes.living == []
    assert len(loop.selector.get_map()) == 0
    assert (child.channel, child.stacks, child.pid) == (None, -1, 0)


def test_questions_are_answered(loop: Loop) -> None:
    children = [loop.start(answer, number) for number in (1, 2)]
    outcomes: list[Outcome] = []
    loop.processes.ask(children, lambda child: Message(Kind.PAUSE, text="no" * (child.number == 2)), outcomes.append)
    loop.until(lambda: outcomes)
    assert outcomes == [Outcome({children[1]: "no"})]
    for child in children:
        loop.processes.say(child, Message(Kind.STOP))
    loop.until(lambda: not loop.processes.living)
    assert sorted(loop.events) == [("died", 1, 3), ("died", 2, 3)]


def test_the_dead_and_the_deaf_do_not_answer(loop: Loop) -> None:
    outcomes: list[Outcome] = []
    one, other = loop.start(deaf, 1), loop.start(deaf, 2)
    loop.processes.ask((one, other), Message(Kind.PAUSE), outcomes.append, patience=0.05)
    one.kill()
    loop.until(lambda: one not in loop.processes.living)
    assert outcomes == []
    due = loop.processes.acknowledgements.due()
    assert due is not None
    loop.processes.acknowledgements.expire(due)
    assert outcomes == [Outcome(silent=(other,), gone=[one])]
    # Nobody asks the dead.
    loop.processes.say(one, Message(Kind.PAUSE))


def test_one_that_reads_late_gets_everything(loop: Loop) -> None:
    def read_late(channel: Channel, _stacks: int) -> int:
        os.kill(os.getpid(), signal.SIGSTOP)
        count = 0
        while True:
            message = channel.receive()
            assert message is not None
            if message.kind == Kind.STOP:
                return count % 251
            assert message.number == count
            count += 1

    child = loop.start(read_late)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    for number in range(2000):
        loop.processes.say(child, Message(Kind.REPORT, number, "x" * 100))
    loop.processes.say(child, Message(Kind.STOP))
    assert child.channel is not None and child.channel.pending
    child.kill(signal.SIGCONT)
    loop.until(lambda: loop.events)
    assert loop.events == [("died", 1, 2000 % 251)]


def test_one_that_cannot_be_told_things_is_ended(loop: Loop) -> None:
    child = loop.start(deaf)
    for _ in range(20_000):
        loop.processes.say(child, Message(Kind.REPORT, text="x"))
    loop.until(lambda: loop.events)
    assert loop.events == [("died", 1, 137)]


def test_one_that_builds_is_dismissed_by_signal_and_one_that_has_built_by_message(loop: Loop) -> None:
    generation: Any = SimpleNamespace(built=set())
    builds, has_built = loop.start(deaf, 1), loop.start(answer, 2)
    for child in (builds, has_built):
        child.generation = generation
    generation.built.add(has_built)
    loop.processes.dismiss(builds)
    loop.processes.dismiss(has_built)
    loop.until(lambda: not loop.processes.living)
    assert sorted(loop.events) == [("died", 1, 143), ("died", 2, 3)]


def test_a_group_keeps_no_other_groups_channel(loop: Loop) -> None:
    """Or that one would not see the end of file when we die."""
    one = loop.start(answer, 1)
    loop.start(deaf, 2)
    assert one.channel is not None
    loop.selector.unregister(one.channel)
    one.channel.close()
    one.channel = None
    os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
    loop.processes.reap()
    assert loop.events[0][:1] == ("died",)


def test_stacks_are_told_as_they_come(loop: Loop) -> None:
    def write(channel: Channel, stacks: int) -> int:
        os.write(stacks, b"one")
        channel.receive()
        os.write(stacks, b"two")
        return 0

    child = loop.start(write)
    loop.until(lambda: loop.events)
    loop.processes.say(child, Message(Kind.GO))
    loop.until(lambda: not loop.processes.living)
    assert loop.events == [("stacks", 1, "one"), ("stacks", 1, "two"), ("died", 1, 0)]


def test_a_group_that_closes_its_streams_is_not_looked_at_all_the_time(loop: Loop) -> None:
    def close(channel: Channel, stacks: int) -> int:
        os.close(stacks)
        channel.receive()
        return 0

    child = loop.start(close)
    loop.until(lambda: child.stacks == -1)
    assert len(loop.selector.get_map()) == 1
    loop.processes.say(child, Message(Kind.GO))
    loop.until(lambda: not loop.processes.living)


def test_the_end_waits_for_all(loop: Loop) -> None:
    children = [loop.start(deaf, number) for number in range(1, 4)]
    pids = [child.pid for child in children]
    loop.processes.end()
    assert loop.processes.living == []
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)


def test_a_fork_that_fails_is_told_to_the_caller(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(BlockingIOError):
        loop.start(answer)
    assert loop.processes.living == []
    assert len(loop.selector.get_map()) == 0
