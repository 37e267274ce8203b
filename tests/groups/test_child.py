from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from maniple.groups.child import Child, describe_exit
from maniple.groups.lifecycle import GroupState, IllegalMove
from maniple.groups.messages import Channel, Kind, Message
from maniple.groups.placement import GroupPlace

NOBODY: Any = None
"""The generation: a child only carries it."""


def reap(child: Child) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        code = child.reap()
        if code is not None:
            return code
        time.sleep(0.001)
    raise AssertionError("the child does not end")


def started(run: Callable[[Channel, int], int]) -> Child:
    child = Child(GroupPlace(3, 1, 3, ()), NOBODY, (7,))
    child.start(0.0, run)
    return child


def fail(_channel: Channel, _stacks: int) -> int:
    raise RuntimeError("a bug")


def die(_channel: Channel, _stacks: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize(("run", "code"), [(lambda *_: 0, 0), (lambda *_: 3, 3), (fail, 70), (die, 137)])
def test_exit_codes_are_those_of_a_shell(run: Callable[[Channel, int], int], code: int) -> None:
    child = started(run)
    assert (child.state, child.number) == (GroupState.STARTING, 3)
    assert reap(child) == code
    assert child.state is GroupState.DEAD
    assert child.reap() is None
    child.close()
    child.close()


def test_parent_and_child_talk() -> None:
    def answer(channel: Channel, _stacks: int) -> int:
        channel.socket.setblocking(True)
        message = channel.receive()
        assert message is not None
        channel.send(Message(Kind.READY, message.number + 1))
        return 0

    child = started(answer)
    assert child.channel is not None
    child.channel.send(Message(Kind.GO, 41))
    assert reap(child) == 0
    assert child.channel.receive() == Message(Kind.READY, 42)
    assert child.channel.receive() is None
    child.close()
    assert child.channel is None


def test_stacks_come_through_a_pipe_that_ends_with_the_child() -> None:
    def write(_channel: Channel, stacks: int) -> int:
        os.write(stacks, b"a stack")
        return 0

    child = started(write)
    assert reap(child) == 0
    assert select.select([child.stacks], [], [], 10)[0]
    assert os.read(child.stacks, 100) == b"a stack"
    assert os.read(child.stacks, 100) == b""
    child.close()
    assert child.stacks == -1


def test_a_child_has_none_of_our_ends() -> None:
    """Or it would not see the end of file when we die."""

    def count(_channel: Channel, _stacks: int) -> int:
        return len(os.listdir("/proc/self/fd"))

    before = len(os.listdir("/proc/self/fd"))
    child = started(count)
    assert reap(child) == before + 2
    child.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_it_says_who_it_is() -> None:
    child = started(lambda *_: 0)
    assert str(child) == f"group 3 (pid {child.pid})"
    assert abs(time.time() - child.born_date) < 10
    reap(child)
    child.close()


def test_a_child_starts_with_all_signals_blocked() -> None:
    """Until it has arranged its own: those of its parent would write into the parent's pipe."""
    child = started(lambda *_: 0 if signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()) else 1)
    assert reap(child) == 0
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    child.close()


def test_a_living_group_is_not_started_twice() -> None:
    def linger(_channel: Channel, _stacks: int) -> int:
        time.sleep(100)
        return 0

    child = started(linger)
    with pytest.raises(IllegalMove):
        child.life.advance(GroupState.STARTING)
    child.kill()
    assert reap(child) == 137
    child.kill()
    child.close()


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "0 (Exit)"), (1, "1 (Exit)"), (137, "137 (Killed)"), (143, "143 (Terminated)"), (255, "255 (Exit)")],
)
def test_exits_are_described_as_haproxy_does(code: int, text: str) -> None:
    assert describe_exit(code) == text


def test_a_fork_that_fails_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = set(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fork", refuse)
    child = Child(GroupPlace(1, 1, 1, ()), NOBODY)
    with pytest.raises(BlockingIOError):
        child.start(0.0, lambda *_: 0)
    assert child.state is GroupState.DEAD
    assert set(os.listdir("/proc/self/fd")) <= before
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
