"""Sections `peers`: who is who, what is wrong with a line, what HAProxy says of the same."""

from __future__ import annotations

import pytest
from maniple.core.config.dump import dump
from maniple.core.config.environment import Environment
from maniple.core.config.parser import load

HEAD = "global\n  localpeer me\npeers pp\n"
TAIL = "frontend f\n  bind :80\n  timeout client 1s\n"


def spec(read, lines: str):  # type: ignore[no-untyped-def]
    found = read(HEAD + lines + TAIL)
    assert found.warnings == []
    return found.good.peers["pp"]


def test_the_old_way(read) -> None:  # type: ignore[no-untyped-def]
    found = spec(read, "  peer me 127.0.0.1:1024\n  peer b 127.0.0.2:1025\n  peer c [::1]:9\n")
    assert (found.local, found.disabled, found.bind.text) == ("me", False, "127.0.0.1:1024")
    assert [(a.host, a.port) for a in found.bind.addresses] == [("127.0.0.1", 1024)]
    assert [(peer.name, peer.address.host, peer.address.port_low) for peer in found.remotes] == [
        ("b", "127.0.0.2", 1025),
        ("c", "::1", 9),
    ]


def test_with_bind(read) -> None:  # type: ignore[no-untyped-def]
    found = spec(
        read,
        "  default-bind v4v6 maxconn 5\n  bind :1024 maxconn 7\n  default-server source 127.0.0.9\n"
        "  server me\n  server b 127.0.0.2:1025 tcp-ut 5s\n  server off 127.0.0.3:1 disabled\n  disabled\n",
    )
    assert (found.bind.text, found.bind.maxconn, found.bind.v4v6) == (":1024", 7, True)
    (remote,) = found.remotes
    assert (remote.name, remote.source.host, remote.tcp_ut, found.disabled) == ("b", "127.0.0.9", 5000, True)


def test_mode(read) -> None:  # type: ignore[no-untyped-def]
    assert not spec(read, "  peer me 127.0.0.1:1\n  mode overwrite\n").sums
    assert spec(read, "  peer me 127.0.0.1:1\n  mode sum\n").sums
    found = read(HEAD + "  peer me 127.0.0.1:1\n  mode http\n" + TAIL)
    assert any("one of overwrite, sum is expected" in each.message for each in found.diagnostics.errors)


def test_unix_sockets(read) -> None:  # type: ignore[no-untyped-def]
    found = spec(read, "  peer me unix@/run/me\n  peer b unix@/run/b\n")
    assert found.bind.addresses[0].host == "/run/me" and found.remotes[0].address.kind == "unix"


def test_tables(read) -> None:  # type: ignore[no-untyped-def]
    found = read(
        HEAD
        + "  peer me :1\n  table t type string len 9 size 1k expire 5m store gpc0\n  table u type ip size 1k\n"
        + "backend t\n  stick-table type ip size 1k peers pp\n  timeout server 1s\n  timeout connect 1s\n"
        + TAIL
    )
    section = found.good.peers["pp"]
    assert [table.name for table in section.tables] == ["pp/t", "pp/u"]
    assert {table.peers for table in found.good.tables.values()} == {"pp"}
    assert sorted(found.good.tables) == ["pp/t", "pp/u", "t"]
    assert found.good.tables["pp/t"].shape.width == 9


ERRORS = [
    ("  bind :1\n  peer b 127.0.0.1:1\n", "5:3 `peer` and `bind` cannot stand in one peers section (line 4)"),
    ("  peer b 127.0.0.1:1\n  bind :1\n", "5:3 `peer` and `bind` cannot stand in one peers section (line 4)"),
    ("  bind :1\n  bind :2\n  server me\n", "5:3 peers 'pp' already has a `bind` (line 4): there is one listener"),
    ("  bind :1-2\n  server me\n", "4:8 a peers section listens on one address and one port"),
    ("  bind :1,:2\n  server me\n", "4:8 a peers section listens on one address and one port"),
    ("  peer me :1\n  peer b :2\n  peer b :3\n", "6:8 peers 'pp' already has a peer 'b' (line 5)"),
    ("  peer me :1\n  peer b 127.0.0.1\n", "5:10 `peer 127.0.0.1`: a port is missing"),
    ("  peer me :1\n  peer b/c :2\n", "5:8 character '/' is not permitted in the peer name 'b/c'"),
    ("  bind :1\n  server me :2\n", "5:10 the local peer 'me' has a `bind` line already"),
    ("  peer me :1\n  table t type ip size 1k\n  table t type ip size 1k\n", "6:9 peers 'pp' already has a table 't'"),
    ("  peer me :1\n  table t type ip size 1k peers pp\n", "5:27 `table ... peers`: a table of a peers section"),
    ("  peer me :1\n  table t type nonsense size 1k\n", "5:16 `table`: 'nonsense' is no type of keys"),
    ("  peer me :1\n  shards 3\n", "5:3 HAProxy keyword `shards` is not supported by maniple yet"),
    ("  peer me :1\n  peer b :2 shard 1\n", "5:13 HAProxy's server keyword `shard` is not supported by maniple yet"),
    ("  peer me :1\n  peer b :2 ssl\n", "5:13 HAProxy's server keyword `ssl` is not supported by maniple yet"),
    ("  peer me :1\n  pear b :2\n", "5:3 unknown keyword 'pear' in a peers section"),
    ("  peer\n", "4:3 `peer` expects"),
    ("  peer me :1\npeers pp\n  peer me :1\n", "5:7 peers 'pp' has the same name as the section in line 3"),
    ("  peer me :1\nbackend b\n  stick-table type ip size 1k peers qq\n", "6:37 `stick-table ... peers`: there is no"),
    ("  peer me :1\npeers\n", "5:1 `peers` expects <name>"),
]


@pytest.mark.parametrize(("lines", "error"), ERRORS)
def test_errors(read, lines: str, error: str) -> None:  # type: ignore[no-untyped-def]
    found = read(HEAD + lines + TAIL)
    assert any(each.startswith(error) for each in found.errors), found.errors


def test_the_hint_for_a_section(read) -> None:  # type: ignore[no-untyped-def]
    found = read(HEAD + "  peer me :1\nbackend b\n  stick-table type ip size 1k peers p\n" + TAIL)
    assert any("did you mean `pp`?" in hint for hint in found.hints) if hasattr(found, "hints") else found.errors


WARNINGS = [
    ("  peer you :1\n", "3:7 peers 'pp' is not used: none of its peers is named 'me'"),
    ("  server me\n", "3:7 peers 'pp' is not used: 'me' has no address"),
    ("  peer me :1\n  peer b\n", "5:8 peer 'b' is ignored: it has no address"),
    ("  peer me :1\n  peer b :2 weight 3\n", "5:13 `weight` means nothing for a peer: ignored"),
    ("  peer me :1\nglobal\n  localpeer x\n", "6:13 `localpeer` is ignored: it stands behind a peers section"),
]


@pytest.mark.parametrize(("lines", "warning"), WARNINGS)
def test_warnings(read, lines: str, warning: str) -> None:  # type: ignore[no-untyped-def]
    found = read(HEAD + lines + TAIL)
    assert found.errors == []
    assert any(each.startswith(warning) for each in found.warnings), found.warnings


def test_an_unused_section_keeps_its_tables(read) -> None:  # type: ignore[no-untyped-def]
    found = read(HEAD + "  peer you :1\n  table t type ip size 1k\n" + TAIL)
    assert not found.good.peers["pp"].in_use and list(found.good.tables) == ["pp/t"]


@pytest.mark.parametrize(
    ("forced", "names", "warnings"), [(True, "cmd", 1), (False, "me", 0)], ids=["forced", "this machine's"]
)
def test_the_command_line_wins(forced: bool, names: str, warnings: int) -> None:
    environment = Environment({}, local_peer="cmd", local_peer_forced=forced)
    text = 'global\n  localpeer me\npeers p\n  peer "$HAPROXY_LOCALPEER" 127.0.0.1:1\n' + TAIL
    configuration, diagnostics = load([("a.cfg", text)], environment)
    assert configuration is not None
    assert configuration.peers["p"].local == names
    assert sum("-L" in each.message for each in diagnostics.warnings) == warnings


def test_this_machine_by_default() -> None:
    configuration, diagnostics = load([("a.cfg", "peers p\n  peer x 127.0.0.1:1\n" + TAIL)], {})
    assert configuration is not None and not configuration.peers["p"].in_use
    assert "none of its peers is named" in diagnostics.warnings[0].message


def test_dumped_and_read_back() -> None:
    text = (
        "global\n  localpeer me\n" + TAIL + "peers old\n  peer me 127.0.0.1:1 \n  peer b 127.0.0.2:2 source 127.0.0.9\n"
        "peers new\n  bind :1024 maxconn 7\n  server me\n  server b [::1]:5 tcp-ut 5s\n  mode sum\n  disabled\n"
        "  table t type string len 9 size 1k expire 5m store gpc0\n"
        "peers unused\n  peer x 127.0.0.1:4\nbackend t\n  stick-table type ip size 1k peers unused\n"
    )
    first, _ = load([("a.cfg", text)], {})
    assert first is not None
    again, diagnostics = load([("b.cfg", dump(first))], {})
    assert again is not None, diagnostics.render()
    assert dump(again) == dump(first)
    for one, other in zip(first.peers.values(), again.peers.values(), strict=True):
        assert (one.local, one.disabled, one.in_use) == (other.local, other.disabled, other.in_use)
        assert one.sums == other.sums
        binds = [(bind.text, bind.maxconn) for bind in (one.bind, other.bind) if bind is not None]
        assert binds[:1] == binds[1:]
        assert [(p.name, p.address, p.source, p.tcp_ut) for p in one.remotes] == [
            (p.name, p.address, p.source, p.tcp_ut) for p in other.remotes
        ]
        assert [(table.name, table.shape) for table in one.tables] == [(t.name, t.shape) for t in other.tables]


def test_it_is_in_force(read) -> None:  # type: ignore[no-untyped-def]
    for lines in ("  peer me 127.0.0.1:1\n", "  bind 127.0.0.1:1\n  server me\n"):
        _, diagnostics = load([("a.cfg", HEAD + lines + TAIL)], {})
        assert not any("not yet in force" in each.message for each in diagnostics.notices)
