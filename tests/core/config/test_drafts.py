from __future__ import annotations

from maniple.core.config.drafts import NO_ADDRESS, GlobalDraft, ProxyDraft, Reading, ServerDraft, read_bytes
from maniple.core.config.model import LogSpec, Place, ProxySpec, ServerSpec

PLACE = Place("case.cfg", 1)


def proxy(reading: Reading, kind: str, name: str = "p") -> ProxyDraft:
    return ProxyDraft(reading, kind, ProxySpec(PLACE, name, kind))


def test_nested_fields(reading: Reading) -> None:
    draft = GlobalDraft(reading)
    draft.set("tune.bufsize", 4096)
    draft.set("maxconn", 5)
    assert (draft.spec.tune.bufsize, draft.spec.maxconn) == (4096, 5)
    section = proxy(reading, "listen")
    section.set("timeouts.client", 7)
    assert section.spec.timeouts.client == 7


def test_inherit_keeps_the_identity_and_copies_the_rest(reading: Reading) -> None:
    base = proxy(reading, "defaults", "base")
    base.set("mode", "http")
    base.server_base.set("weight", 5)
    base.logs.append(LogSpec(PLACE, "stdout"))
    base.log_format = ("httplog", "")
    base.pools["pool_min"] = 3
    base.written["mode"] = PLACE
    own = proxy(reading, "backend", "b")
    own.inherit(base)
    assert (own.spec.name, own.spec.kind, own.spec.mode) == ("b", "backend", "http")
    assert own.written == {}
    own.logs.clear()
    own.pools.clear()
    own.server_base.set("weight", 6)
    assert (len(base.logs), base.pools, base.server_base.spec.weight) == (1, {"pool_min": 3}, 5)


def test_scratch_leaves_the_draft_alone(reading: Reading) -> None:
    draft = proxy(reading, "backend")
    scratch = draft.scratch()
    scratch.set("maxconn", 3)
    scratch.logs.append(None)
    scratch.pools["pool_min"] = 1
    assert (draft.spec.maxconn, draft.logs, draft.pools) == (None, [], {})
    totals = GlobalDraft(reading)
    totals.scratch().set("maxconn", 3)
    assert totals.spec.maxconn is None


def test_server_remembers_what_was_written() -> None:
    base = ServerDraft(ServerSpec(PLACE, "", NO_ADDRESS), template=True)
    base.set("weight", 3)
    server = base.copy(PLACE, "a")
    server.set("maxconn", 9)
    assert (server.spec.name, server.spec.weight, server.template) == ("a", 3, False)
    assert (server.written, base.written) == ({"weight", "maxconn"}, {"weight"})


def test_label(reading: Reading) -> None:
    assert proxy(reading, "frontend", "f").label == "frontend 'f'"
    assert proxy(reading, "defaults", "").label == "defaults"


def test_read_bytes() -> None:
    assert read_bytes(__file__).startswith(b"from __future__")
