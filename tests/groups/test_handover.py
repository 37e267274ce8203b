"""What one program leaves to the next is read back by it; what cannot be read is refused."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from maniple.core.config.model import Address, BindSpec, Configuration, GlobalSpec, Place, ProxySpec
from maniple.groups import handover
from maniple.groups.address_key import AddressKey
from maniple.groups.child import Child
from maniple.groups.foundation import Foundation
from maniple.groups.generation import Generation
from maniple.groups.lifecycle import GenerationState, GroupState
from maniple.groups.listening import Listener, Listening
from maniple.groups.messages import Channel, Kind, Message
from maniple.groups.placement import GroupPlace, Placement
from maniple.groups.processes import Processes
from maniple.groups.shared import create_counters, create_pulses
from maniple.groups.tables import Tables
from maniple.pools.counters import FrontendCounts

PLACE = GroupPlace(2, 2, 3, (0, 1), (0,), ((0,), (1,)))
BIND = BindSpec(Place("a.cfg", 3), "127.0.0.1:0", (Address("inet", "127.0.0.1", 0, 0),))
FRONT = ProxySpec(Place("a.cfg", 1), "front", "frontend", binds=(BIND,))
CONFIGURATION = Configuration(GlobalSpec(hard_stop_after=5000), (FRONT,))


@pytest.fixture
def processes() -> Iterator[Processes]:
    with selectors.DefaultSelector() as selector:
        made = Processes(selector, heard=_ignore, died=_ignore, stacks=_ignore)
        yield made
        for child in made.living:
            child.close()


def _ignore(*_: object) -> None:
    pass


def _generation(processes: Processes, sock: socket.socket) -> Generation:
    counters, columns = create_counters(CONFIGURATION)
    pulse_segment, pulses = create_pulses(CONFIGURATION)
    port = sock.getsockname()[1]
    key = AddressKey("inet", "127.0.0.1", port, named=("front", "127.0.0.1:0", 0))
    listener = Listener(7, "front", 0, Address("inet", "127.0.0.1", port, port), ((2, 1), (2, 2)), sock, key)
    foundation = Foundation(Placement((PLACE,)), Listening([listener]), counters, columns, pulse_segment, pulses)
    generation = Generation(4, CONFIGURATION, foundation, cast(Any, _ignore), processes, Tables())
    child = generation.add(PLACE)
    child.pid = os.getpid()
    child.channel, theirs = Channel.pair()
    theirs.close()
    child.life.advance(GroupState.STARTING)
    child.life.advance(GroupState.READY)
    child.deaths = 3
    generation.life.advance(GenerationState.COMING)
    generation.life.advance(GenerationState.SERVING)
    generation.drains_since, generation.deadline = 12.5, 17.5
    return generation


def _close(generation: Generation, read: Generation) -> None:
    read.foundation.listening.close()
    for one in (generation, read):
        for child in one.members:
            child.close()
        one.close()


def _duplicated(found: dict[str, Any]) -> dict[str, Any]:
    """What would be inherited by another program is a duplicate in this one."""
    copy: dict[str, Any] = json.loads(json.dumps(found))
    for generation in copy["generations"]:
        for part in (generation, *generation["children"], *generation["listeners"]):
            for name in ("counters", "pulses", "channel", "socket"):
                if part.get(name, -1) >= 0:
                    part[name] = os.dup(part[name])
    return copy


def test_a_generation_is_read_back(processes: Processes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        generation = _generation(processes, sock)
        column = generation.foundation.columns.column(0)
        counts = FrontendCounts()
        counts.conn_tot = 11
        column.publish(column.shape.row("frontend", "front"), counts)
        found = _duplicated({"generations": [handover.write_generation(generation)]})
        read = handover.read_generation(found["generations"][0], cast(Any, _ignore), processes, Tables())

        assert (read.serial, read.state, read.inherited) == (4, GenerationState.SERVING, True)
        assert (read.drains_since, read.deadline) == (12.5, 17.5)
        assert read.configuration.globals.hard_stop_after == 5000
        assert read.placement.groups == (PLACE,)
        (child,) = read.members
        assert (child.place, child.pid, child.state, child.slots, child.deaths) == (
            PLACE,
            os.getpid(),
            GroupState.READY,
            (0, 1),
            3,
        )
        (listener,) = read.foundation.listening.listeners
        (before,) = generation.foundation.listening.listeners
        assert (listener.number, listener.frontend, listener.bind_index, listener.address, listener.owners) == (
            7,
            "front",
            0,
            before.address,
            ((2, 1), (2, 2)),
        )
        assert listener.key == before.key
        assert listener.sock.getsockname() == sock.getsockname()
        assert read.foundation.listening.is_ours(listener)
        columns = read.foundation.columns
        assert cast(FrontendCounts, columns.sum(columns.shape.row("frontend", "front"))).conn_tot == 11
        del column  # it holds a view of the segment
        _close(generation, read)


def test_its_groups_go_on_to_be_spoken_to(processes: Processes) -> None:
    ours, theirs = Channel.pair()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        generation = _generation(processes, sock)
        child: Child = generation.children[2]
        assert child.channel is not None
        child.channel.close()
        child.channel = ours
        found = _duplicated({"generations": [handover.write_generation(generation)]})
        read = handover.read_generation(found["generations"][0], cast(Any, _ignore), processes, Tables())
        processes.say(read.children[2], Message(Kind.STOP))
        assert theirs.receive() == Message(Kind.STOP)
        theirs.close()
        _close(generation, read)


def test_figures_of_another_version_begin_anew(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        generation = _generation(processes, sock)
        found = _duplicated({"generations": [handover.write_generation(generation)]})
        monkeypatch.setattr(FrontendCounts, "FIELDS", (*FrontendCounts.FIELDS, "more"))
        read = handover.read_generation(found["generations"][0], cast(Any, _ignore), processes, Tables())
        assert read.foundation.columns.shape.rows == (("process", ""),)
        monkeypatch.undo()
        _close(generation, read)


def test_what_is_left_is_found_by_the_variable_and_not_inherited_further() -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    descriptor = handover.leave({"generations": [], "controls": [writer], "answer": -1})
    found = handover.find({handover.VARIABLE: str(descriptor)})
    assert found is not None
    assert found["controls"] == [writer]
    assert not os.get_inheritable(writer)
    os.close(reader)
    os.close(writer)


def test_there_is_nothing_to_find_in_an_ordinary_start() -> None:
    assert handover.find({}) is None


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"format": 999, "protocol": 1, "generations": []}'])
def test_what_cannot_be_read_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "left"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    with pytest.raises(handover.HandoverError):
        handover.find({handover.VARIABLE: str(descriptor)})


def test_a_descriptor_that_is_not_there_is_refused() -> None:
    with pytest.raises(handover.HandoverError):
        handover.find({handover.VARIABLE: "987654"})
