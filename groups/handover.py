"""What a supervisor leaves to the program that it executes in its place (`maniple upgrade`): its generations' groups,
sockets and segments go on, under the same process id.

Owns: the form, which is JSON in a memfd whose number stands in an environment variable, and the descriptors that it
names. Must not know: when that is done, what the next program does with it.

Invariants: nothing in it is code or needs the old program's classes; a reader of another `FORMAT` refuses it. The
descriptors are made inheritable only for the moment of the execution.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ..core.config.model import Address, Configuration
from ..core.errors import ManipleError
from ..pools.columns import Columns, Shape
from ..pools.pulses import Pulses
from ..pools.segment import Segment
from .address_key import AddressKey
from .child import Child
from .foundation import Foundation
from .generation import Generation
from .lifecycle import GenerationState, GroupState
from .listening import Listener, Listening
from .messages import PROTOCOL, Channel
from .placement import GroupPlace, Placement
from .processes import Processes
from .shared import attach_pulses, create_counters, create_pulses
from .sockets import ListeningSocket, is_foreign
from .tables import Tables
from .thread import Builder

VARIABLE = "MANIPLE_HANDOVER"
PREFLIGHT = "MANIPLE_PREFLIGHT"
"""Set for a trial of the next program: it reads the configuration, imports what it needs, and ends."""
FORMAT = 2


class HandoverError(ManipleError):
    """What the program before left cannot be read."""


def write_generation(generation: Generation) -> dict[str, Any]:
    """One generation as JSON can say it."""
    foundation = generation.foundation
    return {
        "serial": generation.serial,
        "state": generation.state.name,
        "drains_since": generation.drains_since,
        "deadline": generation.deadline,
        "hard_stop_after": generation.configuration.globals.hard_stop_after,
        "counters": foundation.counters.fd,
        "pulses": foundation.pulse_segment.fd,
        "tables": [{"table": segment.fd} for segment in foundation.tables.values()],
        "used": foundation.columns.used,
        "groups": [asdict(place) for place in foundation.placement.groups],
        "children": [
            {
                "place": asdict(child.place),
                "pid": child.pid,
                "channel": child.channel.fileno(),
                "stacks": child.stacks,
                "slots": child.slots,
                "writers": child.writers,
                "state": child.state.name,
                "born_date": child.born_date,
                "deaths": child.deaths,
                "leaving": child in generation.leaving,
            }
            for child in generation.members
            if child.pid and child.channel is not None
        ],
        "listeners": [
            {
                "number": listener.number,
                "frontend": listener.frontend,
                "bind_index": listener.bind_index,
                "address": asdict(listener.address),
                "owners": listener.owners,
                "socket": listener.sock.fileno(),
                "key": None if listener.key is None else asdict(listener.key),
                "foreign": is_foreign(listener.sock),
            }
            for listener in foundation.listening.listeners
            if generation.state == GenerationState.SERVING
        ],
    }


def read_generation(found: Mapping[str, Any], build: Builder, processes: Processes, stock: Tables) -> Generation:
    """The inverse. Its groups cannot be started again: their configuration was read by another program."""
    groups = tuple(map(_place, found["groups"]))
    counters, columns = _counters(found)
    pulse_segment, pulses = _pulses(found)
    listening = Listening([_listener(one) for one in found["listeners"]])
    writers = [writer for one in found["children"] for writer in one["writers"]]
    tables = stock.adopt([one["table"] for one in found["tables"]], writers)
    foundation = Foundation(Placement(groups), listening, counters, columns, pulse_segment, pulses, tables=tables)
    generation = Generation(found["serial"], _configuration(found), foundation, build, processes, stock)
    generation.inherited = True
    generation.drains_since = found["drains_since"]
    generation.deadline = found["deadline"]
    if found["state"] != GenerationState.SERVING.name:
        generation.life.advance(GenerationState.GOING)
    else:
        generation.life.advance(GenerationState.COMING)
        generation.life.advance(GenerationState.SERVING)
    for one in found["children"]:
        child = Child(_place(one["place"]), generation, tuple(one["slots"]), tuple(one["writers"]))
        child.pid = one["pid"]
        child.channel = Channel(socket.socket(fileno=one["channel"]))
        child.stacks = one["stacks"]
        child.born_date = one["born_date"]
        child.deaths = one["deaths"]
        _advance(child, GroupState[one["state"]])
        generation.take_in(child, leaving=one["leaving"])
    return generation


def _counters(found: Mapping[str, Any]) -> tuple[Segment, Columns]:
    """Figures that this version counts otherwise begin anew."""
    try:
        segment = Segment.attach(found["counters"])
        columns = Columns.attach(segment.body, Shape.decode(segment.shape))
    except ValueError:
        segment, columns = create_counters(Configuration())
    else:
        columns.used = found["used"]
    return segment, columns


def _pulses(found: Mapping[str, Any]) -> tuple[Segment, Pulses]:
    """Without them the old groups are not watched."""
    try:
        return attach_pulses(found["pulses"])
    except ValueError:
        return create_pulses(Configuration())


def _advance(child: Child, state: GroupState) -> None:
    path = (GroupState.STARTING, GroupState.READY, GroupState.DRAINING)
    for step in path[: path.index(state) + 1]:
        child.life.advance(step)


def _configuration(found: Mapping[str, Any]) -> Configuration:
    """As much of it as is asked for when it is retired."""
    empty = Configuration()
    return replace(empty, globals=replace(empty.globals, hard_stop_after=found["hard_stop_after"]))


def _place(found: Mapping[str, Any]) -> GroupPlace:
    cpus = tuple(tuple(one) for one in found["thread_cpus"])
    return GroupPlace(
        found["number"], found["threads"], found["first_thread"], tuple(found["cpus"]), tuple(found["domains"]), cpus
    )


def _listener(found: Mapping[str, Any]) -> Listener:
    key = found["key"]
    if key is not None:
        key = AddressKey(**{**key, "named": tuple(key["named"])})
    sock = ListeningSocket(fileno=found["socket"])
    sock.foreign = found["foreign"]
    return Listener(
        found["number"],
        found["frontend"],
        found["bind_index"],
        Address(**found["address"]),
        tuple((group, thread) for group, thread in found["owners"]),
        sock,
        key,
    )


def descriptors_of(found: Any) -> list[int]:
    """All descriptors that a handover names: what must be inherited."""
    named = ("counters", "pulses", "table", "channel", "stacks", "socket", "answer")
    numbers = [one for one in found.get("controls", ()) if one >= 0]
    for generation in found["generations"]:
        for part in (generation, *generation["children"], *generation["listeners"], *generation["tables"]):
            numbers.extend(part[name] for name in named if part.get(name, -1) >= 0)
    numbers.extend(one["socket"] for one in found.get("peers", {}).get("sockets", ()))
    if found.get("answer", -1) >= 0:
        numbers.append(found["answer"])
    return numbers


def leave(found: dict[str, Any]) -> int:
    """Writes it down; the descriptor of it."""
    found = {**found, "format": FORMAT, "protocol": PROTOCOL}
    descriptor = os.memfd_create("maniple-handover", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(json.dumps(found).encode())
    return descriptor


def stand_in(environment: Mapping[str, str] = os.environ) -> Configuration | None:
    """For a program whose configuration cannot be read although it was executed in the place of one that serves: it
    must go on as the parent of what serves, and says so. None for any other program."""
    return Configuration() if VARIABLE in environment else None


def find(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What the program before left; None when there was none. Its descriptors are not inherited any further. Raises
    HandoverError, and then nothing is lost but what cannot be used."""
    if VARIABLE not in environment:
        return None
    try:
        with open(int(environment[VARIABLE]), "rb") as file:
            file.seek(0)
            found: dict[str, Any] = json.loads(file.read())
        if found["format"] != FORMAT or found["protocol"] != PROTOCOL:
            raise HandoverError(f"the program before speaks format {found['format']}/{found['protocol']}")
    except (OSError, ValueError, KeyError) as error:
        raise HandoverError(f"what the program before left cannot be read ({error})") from error
    for descriptor in descriptors_of(found):
        with contextlib.suppress(OSError):
            os.set_inheritable(descriptor, False)
    return found
