"""What `show peers` says (management 9.3), in the form of HAProxy 3.0.

Owns: the texts. Must not know: who asks. What HAProxy shows of its own inside (addresses of objects, flags, states of
its applets) is left out; a caption says what stands there instead.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..core.peers.conversation import Learning, Lesson, Phase
from ..core.peers.section import PeersSection, Standing
from .sockets import address_text

if TYPE_CHECKING:
    from .steward import Section

_STATES = {Phase.GREETING: "STARTING", Phase.ASKING: "STARTING", Phase.TALKING: "RUNNING", Phase.OVER: "STOPPED"}
NO_PEERS = "No such peers"


def peers_text(sections: Sequence[Section], words: Sequence[str]) -> str:
    """The answer to `show peers [dict|-] [<section>]`; a text that is `NO_PEERS` when that section is not there. What
    an entry's texts are numbered by is not shown, also with `dict`."""
    names = [word for word in words[:1] if word not in ("dict", "-")] + list(words[1:2])
    chosen = [one for one in sections if not names or one.plan.spec.name == names[0]]
    if names and not chosen:
        return NO_PEERS
    return "\n".join(line for one in chosen for line in _section(one))


def _section(section: Section) -> Iterator[str]:
    peers = section.peers
    assert peers is not None
    spec = section.plan.spec
    date = time.strftime("%d/%b/%Y:%H:%M:%S")
    stage = "finished" if peers.resync.done else peers.resync.stage.name.lower()
    mode = "sum" if spec.sums else "overwrite"
    yield f"{spec.name}: [{date}] id={spec.name} disabled=0 resync={stage} mode={mode}"
    addresses = {one.name: one.address for one in spec.remotes}
    for name, standing in peers.standings.items():
        address = addresses.get(name)
        shown = "" if address is None else address_text(address)
        yield from _standing(section, peers, standing, shown)
    local = "" if spec.bind is None else address_text(spec.bind.addresses[0])
    yield f"  {spec.local}: id={spec.local}(local,inactive) addr={local} app_state=STOPPED"


def _standing(section: Section, peers: PeersSection, standing: Standing, address: str) -> Iterator[str]:
    now = peers.now()
    link = standing.link
    conversation = None if link is None else link.conversation
    name = standing.peer.name
    state = "STOPPED" if conversation is None else _STATES[conversation.phase]
    learning = "NOTASSIGNED"
    if conversation is not None and conversation.learning is Learning.ASKED:
        learning = "PROCESSING"
    status = "ESTA" if standing.talking else "CONN" if standing.dialling is not None else "NONE"
    reconnect = "<NEVER>" if conversation is not None else _span(standing.due - now)
    heartbeat = "<NEVER>" if conversation is None else _span(conversation.deadline() - now)
    heartbeats, learned, told = standing.heartbeats, standing.learned, standing.told
    lesson = "none"
    if conversation is not None:
        heartbeats += conversation.heartbeats
        learned += conversation.incoming.updates
        told += 0 if conversation.outgoing is None else conversation.outgoing.updates
        lesson = "none" if conversation.lesson is Lesson.NONE else conversation.lesson.name.lower()
    states = f"app_state={state} learn_state={learning} last_status={status}"
    yield f"  {name}: id={name}(remote,active) addr={address} {states}"
    yield (
        f"        reconnect={reconnect} heartbeat={heartbeat} rx_hbt={heartbeats} new_conn={standing.connected} "
        f"coll={standing.collisions} lesson={lesson} rx_updates={learned} tx_updates={told}"
    )
    if standing.last:
        yield f"        last_end={standing.last}"
    yield "        shared tables:"
    for number, table in enumerate(section.tables, 1):
        name = table.definition.name
        acked = standing.progress.acked.get(name, 0)
        yield f"          local_id={number} table:{name} last_acked={acked} update={table.head}"


def _span(milliseconds: int) -> str:
    return f"{max(0, milliseconds) // 1000}s"
