"""What `show peers` says."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

from maniple.core.peers.section import PeersSection, RemotePeer
from maniple.groups.peers_text import NO_PEERS, peers_text
from maniple.tests.core.peers.memory import MemoryTable
from maniple.tests.core.peers.samples import ARRAYED
from maniple.tests.groups.stewards import configuration_of, free_port


def section(port: int, there: int) -> Any:
    """As a steward has it."""
    spec = configuration_of(port, there).peers["pp"]
    tables = [MemoryTable(ARRAYED)]
    peers = PeersSection("me", [RemotePeer("you", "127.0.0.1", there)], tables, notice=lambda text: None)
    return SimpleNamespace(plan=SimpleNamespace(spec=spec), tables=tables, peers=peers)


def test_texts() -> None:
    port, there = free_port(), free_port()

    async def run() -> None:
        one = section(port, there)
        text = peers_text([one], [])
        assert text == peers_text([one], ["pp"]) == peers_text([one], ["dict", "pp"]) == peers_text([one], ["-"])
        assert re.fullmatch(
            r"pp: \[\d\d/\w+/\d{4}:[\d:]{8}\] id=pp disabled=0 resync=remote mode=overwrite\n"
            rf"  you: id=you\(remote,active\) addr=127\.0\.0\.1:{there} app_state=STOPPED learn_state=NOTASSIGNED "
            r"last_status=NONE\n"
            r"        reconnect=0s heartbeat=<NEVER> rx_hbt=0 new_conn=0 coll=0 lesson=none rx_updates=0 tx_updates=0\n"
            r"        shared tables:\n"
            rf"          local_id=1 table:{ARRAYED.name} last_acked=0 update=0\n"
            rf"  me: id=me\(local,inactive\) addr=127\.0\.0\.1:{port} app_state=STOPPED",
            text,
        )
        assert peers_text([one], ["nope"]) == peers_text([], ["pp"]) == NO_PEERS and peers_text([], []) == ""

    asyncio.run(run())
