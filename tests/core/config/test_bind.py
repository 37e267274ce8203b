from __future__ import annotations

from typing import Any

import pytest
from maniple.core.addresses import Address
from maniple.core.config.model import ThreadRange, ThreadSet

GOOD: list[tuple[str, dict[str, Any]]] = [
    (":8080", {"addresses": (Address("inet", "", 8080, 8080),), "text": ":8080"}),
    ("*:80-90", {"addresses": (Address("inet", "", 80, 90),)}),
    (":0", {"addresses": (Address("inet", "", 0, 0),)}),
    ("127.0.0.1:80,[::1]:81", {"addresses": (Address("inet", "127.0.0.1", 80, 80), Address("inet6", "::1", 81, 81))}),
    ("one.example:80", {"addresses": (Address("inet", "192.0.2.1", 80, 80),)}),
    ("/run/x.sock mode 660 uid 1 gid 2", {"mode": 0o660, "uid": 1, "gid": 2}),
    ("unix@/run/x", {"addresses": (Address("unix", "/run/x"),)}),
    ("abns@x", {"addresses": (Address("abns", "x"),)}),
    ("fd@7", {"addresses": (Address("fd", "7"),)}),
    (":80 name web id 3", {"name": "web", "id": 3}),
    (":80 maxconn 10 backlog 20", {"maxconn": 10, "backlog": 20}),
    (":80 nice -1024", {"nice": -1024}),
    (":80 interface eth0", {"interface": "eth0"}),
    (":80 mss -1400", {"mss": -1400}),
    (":80 tcp-ut 30s", {"tcp_ut": 30000}),
    (":80 tfo transparent defer-accept v4v6", {"tfo": True, "transparent": True, "defer_accept": True, "v4v6": True}),
    (":80 v6only", {"v6only": True}),
    (":80 user root group root", {"uid": 0, "gid": 0}),
    (":80 thread 1/2", {"threads": ThreadSet((ThreadRange(1, 2, 2),))}),
    (":80 thread 1 thread 3-4", {"threads": ThreadSet((ThreadRange(None, 1, 1), ThreadRange(None, 3, 4)))}),
    (":80", {"shards": None}),
    (":80 shards by-thread", {"shards": "by-thread"}),
    (":80 shards 4", {"shards": "4"}),
]
BAD = [
    ("", "2:5 `bind` expects"),
    ("80", "no port in '80'"),
    (":70000", "invalid port '70000'"),
    ("127.0.0.1", "no port"),
    ("nowhere.example:80", "cannot resolve host"),
    (":80 name", "`name` expects <name>"),
    (":80 id 0", "at least 1"),
    (":80 maxconn -1", "at least 0"),
    (":80 nice 1025", "from -1024 to 1024"),
    (":80 mss 0", "from 1 to 65535"),
    (":80 mode 9", "octal"),
    (":80 user nosuchuser", "no such user"),
    (":80 group nosuchgroup", "no such group"),
    (":80 shards 0", "by-thread or by-group"),
    (":80 thread 1/65", "'65' is no thread number inside a group (1 to 64)"),
    (":80 thread 1 thread 1/2", "`thread 1/2`: numbers of the whole process and numbers inside a group"),
    (":80 process 1/2", "`process 1/2` is not supported any more"),
    (":80 ssl crt x.pem", "HAProxy's bind keyword `ssl` is not supported"),
    (":80 accept-proxy", "HAProxy's bind keyword `accept-proxy` is not supported"),
    (":80 interfase x", "unknown word 'interfase'"),
]


@pytest.mark.parametrize(("line", "fields"), GOOD)
def test_read(read: Any, line: str, fields: dict[str, Any]) -> None:
    (bind,) = read(f"frontend f\n    bind {line}\n").proxy("f").binds
    assert {name: getattr(bind, name) for name in fields} == fields
    assert bind.text == line.split()[0]


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    errors = read(f"frontend f\n    bind {line}\n").errors
    assert errors
    assert complaint in errors[0]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("1", "write thread 1/all:"),
        ("2", "write thread 2/all:"),
        ("1/2", "write thread 2:"),
        ("all/odd", "write thread odd:"),
        ("2/1-4", "write thread 2/1-4:"),
        ("all", "write nothing (all threads is the default):"),
    ],
)
def test_what_stands_for_process(read: Any, written: str, instead: str) -> None:
    (complaint,) = read(f"frontend f\n    bind :80 process {written} name x\n").diagnostics.errors
    assert complaint.hint.startswith(instead)


def test_ids_are_unique_in_a_proxy(read: Any) -> None:
    outcome = read("frontend f\n bind :80 id 1\n bind :81 id 1\nfrontend g\n bind :82 id 1\n")
    assert outcome.errors == ["3:2 `id 1`: already the id of `bind :80` (line 2)"]


def test_bind_in_a_backend_is_ignored(read: Any) -> None:
    outcome = read("backend b\n bind :80\n")
    assert outcome.good.proxies[0].binds == ()
    assert "2:2 `bind` has no place in a backend section: ignored" in outcome.warnings
