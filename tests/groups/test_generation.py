"""Who of a generation's groups accepts on what, when they die and come back."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.global_spec import TuneSpec
from maniple.core.config.model import Address, BindSpec, Configuration, GlobalSpec, Place, ProxySpec
from maniple.core.relay.handing import open_inbox
from maniple.groups.foundation import Foundation, lay_foundation
from maniple.groups.generation import Generation
from maniple.groups.lifecycle import GenerationState, GroupState
from maniple.groups.messages import MAX_DESCRIPTORS, Kind, Message
from maniple.groups.notices import Notices
from maniple.groups.tables import Tables
from maniple.tests.groups.proxies import Proxy, alive, echoed, greeting, until

Start = Callable[..., Proxy]
PLACE = Place("test.cfg", 1)


class Said:
    """Processes to which things are only said: (group, kind, content)."""

    def __init__(self) -> None:
        self.words: list[tuple[int, Kind, Any]] = []

    def say(self, child: Any, message: Message, descriptors: Any = ()) -> None:
        content: Any = message.content if message.text else message.number
        self.words.append((child.number, message.kind, content))
        if message.kind == Kind.LISTEN:
            assert len(descriptors) == len(content) <= MAX_DESCRIPTORS

    def take(self) -> list[tuple[int, Kind, Any]]:
        words, self.words = self.words, []
        return words


@pytest.fixture
def made() -> Iterator[Callable[..., tuple[Generation, Said]]]:
    foundations: list[tuple[Generation, Foundation]] = []

    def make(groups: int = 3, addresses: int = 1, balance: str = "hash") -> tuple[Generation, Said]:
        address = Address("inet", "127.0.0.1", 0, 0)
        binds = tuple(BindSpec(PLACE, f"text{number}", (address,)) for number in range(addresses))
        spec = GlobalSpec(nbgroup=groups, tune=TuneSpec(listener_balance=balance))
        configuration = Configuration(spec, (ProxySpec(PLACE, "web", "frontend", binds=binds),))
        foundation = lay_foundation(configuration, Notices(quiet=True), iter(range(1, 100_000)), Tables())
        said: Any = Said()
        nobody: Any = None
        generation = Generation(1, configuration, foundation, nobody, said, Tables())
        foundations.append((generation, foundation))
        for place in foundation.placement.groups:
            generation.add(place)
        return generation, said

    yield make
    for generation, foundation in foundations:
        foundation.listening.close()
        generation.close()


def test_a_group_without_descriptors_is_not_there(
    made: Callable[..., tuple[Generation, Said]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation, _ = made(2, balance="least")
    before = len(os.listdir("/proc/self/fd"))
    place = replace(generation.placement.groups[0], number=3, threads=2)
    opened: list[Any] = []

    def open_one() -> Any:
        if opened:
            raise OSError(24, "Too many open files")
        opened.append(open_inbox())
        return opened[0]

    monkeypatch.setattr("maniple.groups.inbox_ends.open_inbox", open_one)
    with pytest.raises(OSError, match="Too many"):
        generation.add(place)
    assert 3 not in generation.children
    assert len(os.listdir("/proc/self/fd")) == before
    monkeypatch.undo()
    assert generation.add(place).slots == (2, 3)


def bring(generation: Generation, *numbers: int, **words: Any) -> None:
    """These groups have been forked and have built; they are admitted and say that they are ready."""
    members = [generation.children[number] for number in numbers]
    for child in members:
        child.pid = 1000 + child.number
        child.life.state = GroupState.STARTING
        generation.built.add(child)
    generation.admit(members, words.get("servers", ()), paused=words.get("paused", False))
    for child in members:
        child.life.state = GroupState.READY


def bury(generation: Generation, number: int) -> None:
    child = generation.children[number]
    child.pid = 0
    child.life.state = GroupState.DEAD
    generation.dead(child)


def go(generation: Generation) -> None:
    generation.life.advance(GenerationState.COMING)


def test_those_that_come_together_are_told_only_of_their_own(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, said = made(3)
    go(generation)
    bring(generation, 1, 2, 3)
    # Nobody hears of what would have fallen to it only until the next one is there.
    heard = [(group, kind) for group, kind, _ in said.words if kind != Kind.LEAVE]
    assert heard == [(group, kind) for kind in (Kind.LISTEN, Kind.GO) for group in (1, 2, 3)]
    listens = [content for _, kind, content in said.words if kind == Kind.LISTEN]
    assert [[number, threads] for ((number, threads, _, _),) in listens] == [[1, [1]], [2, [1]], [3, [1]]]


def test_the_order_of_what_a_newcomer_is_told(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, said = made(1, balance="least")
    go(generation)
    bring(generation, 1, servers=[("app", "a", "maint", None)], paused=True)
    # The server is not in its configuration.
    assert [kind for _, kind, _ in said.words] == [Kind.PEERS, Kind.LISTEN, Kind.PAUSE, Kind.GO]


def test_sockets_of_the_dead_are_adopted_and_given_back(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, said = made(3)
    go(generation)
    bring(generation, 1, 2, 3)
    said.take()
    bury(generation, 3)
    assert said.take() == [(2, Kind.LISTEN, [[3, [1], 0, "web"]])]
    bury(generation, 2)
    assert said.take() == [
        (1, Kind.LISTEN, [[2, [1], 0, "web"], [3, [1], 0, "web"]]),
    ]
    bring(generation, 3)
    assert said.take() == [(1, Kind.LEAVE, [3]), (3, Kind.LISTEN, [[3, [1], 0, "web"]]), (3, Kind.GO, 0)]
    assert generation._assignment.holders(3) == {3: (1,)}
    # One that does not turn is forsaken without being told, and welcome when it is back.
    generation.forsake(generation.children[1])
    assert [group for group, kind, _ in said.take() if kind == Kind.LISTEN] == [3]
    generation.welcome_back(generation.children[1])
    assert (1, Kind.LISTEN, [[1, [1], 0, "web"]]) in said.take()


def test_many_sockets_need_several_messages(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, said = made(1, addresses=MAX_DESCRIPTORS + 5)
    go(generation)
    bring(generation, 1)
    listens = [content for _, kind, content in said.words if kind == Kind.LISTEN]
    assert [len(content) for content in listens] == [MAX_DESCRIPTORS, 5]
    assert [one[0] for content in listens for one in content] == list(range(1, MAX_DESCRIPTORS + 6))


def test_peers_are_those_that_accept_by_row(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, said = made(2, balance="least")
    go(generation)
    bring(generation, 1, 2)
    assert [content for _, kind, content in said.take() if kind == Kind.PEERS] == [[["web", 0, [1, 2]]]] * 2
    bury(generation, 2)
    assert (1, Kind.PEERS, [["web", 0, [1]]]) in said.take()


def test_a_dropped_group_keeps_its_rows_until_it_is_dead(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, said = made(2, balance="least")
    go(generation)
    bring(generation, 1, 2)
    old = generation.children[2]
    generation.forsake(old)
    generation.drop(old)
    new = generation.add(old.place)
    assert (old.slots, new.slots) == ((1,), (2,))
    assert generation.members == [generation.children[1], new, old]
    assert generation.foundation.columns.used == 3
    said.take()
    old.pid = 0
    old.life.state = GroupState.DEAD
    generation.dead(old)
    # Nothing is handed to it any more.
    assert (1, Kind.INBOX, 2) in said.take()
    assert generation.members == [generation.children[1], new]
    # One that never lived frees them at once.
    generation.drop(new)
    assert generation.add(old.place).slots == (1,)


def test_what_the_dead_had_counted_stays(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, _ = made(1)
    go(generation)
    bring(generation, 1)
    columns, pulses = generation.foundation.columns, generation.foundation.pulses
    row = columns.shape.row("frontend", "web")
    column = columns.column(0)
    counts = columns.read(row, 0)
    counts.stot = 5  # type: ignore[attr-defined]
    column.publish(row, counts)
    pulse = pulses.pulse(1)
    pulse.begin(77, 5)
    pulse.words.release()
    bury(generation, 1)
    assert columns.read(row, 0).as_dict()["stot"] == 0
    assert columns.sum(row).as_dict()["stot"] == 5
    assert pulses.row(1).pid == 0


def test_over_and_settled(made: Callable[..., tuple[Generation, Said]]) -> None:
    generation, _ = made(2)
    go(generation)
    assert (generation.over, generation.settled) == (True, False)
    bring(generation, 1)
    assert (generation.over, generation.settled) == (False, True)
    generation.children[2].life.state = GroupState.STARTING
    assert not generation.settled
    generation.children[2].life.state = GroupState.DEAD
    bury(generation, 1)
    assert generation.over
    generation.children[2].due = 5.0
    assert not generation.over


def test_steering_is_asked_for_by_cpu_and_a_refusal_is_no_fault(
    made: Callable[..., tuple[Generation, Said]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def distribute(socks: Any, by_cpu: Any) -> None:
        calls.append((len(socks), by_cpu))
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("maniple.groups.generation.distribute_by_cpu", distribute)
    hashed, _ = made(2)
    hashed.steer()
    assert calls == []
    hashed.steer(end=True)
    assert calls == [(2, {})]
    calls.clear()
    steered, _ = made(2, balance="cpu")
    cpus = [place.cpus for place in steered.placement.groups]
    steered.steer()
    assert [count for count, _ in calls] == [2]
    assert set(calls[0][1]) == {cpu for one in cpus for cpu in one}


def test_in_a_forked_group_only_its_own_is_kept(
    made: Callable[..., tuple[Generation, Said]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation, _ = made(1, balance="least")
    generation.forget(own=True)
    assert all(listener.sock.fileno() == -1 for listener in generation.foundation.listening.listeners)
    channel: Any = None
    seat = generation.seat(generation.children[1], channel, -1, 1, leave_streams=False, titles=False)
    assert list(seat.inboxes) == [1]
    assert seat.inboxes[1].fileno() >= 0
    closed: list[Generation] = []
    monkeypatch.setattr(Generation, "close", lambda self: closed.append(self))
    other, _ = made(2)
    other.forget(own=False)
    assert closed == [other]
    monkeypatch.undo()


# With real processes.


def test_each_group_in_turn_is_killed_under_load(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 3})
    lasting = {group: proxy.connect_to(f"{group}/1") for group in (1, 2, 3)}
    for group in (1, 2, 3):
        pid = proxy.pids()[group]
        os.kill(pid, signal.SIGSTOP)
        waiting = [proxy.call() for _ in range(10)]
        os.kill(pid, signal.SIGKILL)
        # Whoever came while it did not turn, and whoever comes now, is served by the others or its successor.
        assert all(greeting(sock)[1] != pid for sock in waiting)
        for _ in range(10):
            assert proxy.connect()[2] != pid
        lasting.pop(group)
        assert all(map(echoed, lasting.values()))
        until(lambda group=group, pid=pid: proxy.pids()[group] not in (0, pid), "it is back")  # type: ignore[misc]
        proxy.connect_to(f"{group}/1")


def test_many_addresses(start_proxy: Start) -> None:
    count = MAX_DESCRIPTORS + 10
    proxy = start_proxy(globals={"nbgroup": 2}, binds=[["inet", "127.0.0.1", 0]] * count)
    assert len(proxy.addresses) == count
    for index in (0, 1, MAX_DESCRIPTORS, count - 1):
        proxy.connect(index)[0].close()
    os.kill(proxy.pids()[2], signal.SIGKILL)
    for index in (0, MAX_DESCRIPTORS, count - 1):
        for _ in range(4):
            proxy.connect(index)[0].close()


def test_a_group_that_cannot_build_any_more_is_tried_ever_more_seldom(start_proxy: Start, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    proxy = start_proxy(globals={"nbgroup": 2}, fail={"at": "build", "how": "config", "group": 1, "if": str(wrong)})
    wrong.touch()
    os.kill(proxy.pids()[1], signal.SIGKILL)
    # At once, then after 0.1, 0.2 and 0.4 s.
    until(lambda: proxy.stderr.count("no such algorithm") == 3, "three attempts")
    for _ in range(10):
        assert proxy.connect()[1] == "2/1"
    assert proxy.stderr.count("no such algorithm") <= 4
    wrong.unlink()
    proxy.wait_groups(2)
    proxy.connect_to("1/1")


def test_after_the_death_of_the_supervisor_the_addresses_are_free(start_proxy: Start, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binds = [["inet", "127.0.0.1", port], ["unix", str(tmp_path / "s"), 0]]
    proxy = start_proxy(globals={"nbgroup": 2}, binds=binds)
    groups = proxy.groups()
    clients = [proxy.connect()[0] for _ in range(4)]
    proxy.signal(signal.SIGKILL)
    until(lambda: not any(map(alive, groups)), "the groups end", 1.0)
    assert not any(map(echoed, clients))
    another = start_proxy(globals={"nbgroup": 2}, binds=binds)
    assert another.connect(0)[2] in another.groups()
    assert another.connect(1)[2] in another.groups()
