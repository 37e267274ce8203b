from __future__ import annotations

from typing import Any

import pytest
from maniple.core.addresses import Address
from maniple.core.config.model import SourceSpec

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("192.0.2.1:80", {"address": Address("inet", "192.0.2.1", 80, 80), "weight": 1, "id": 1}),
    ("192.0.2.1", {"address": Address("inet", "192.0.2.1", 0, 0, True)}),
    ("192.0.2.1:+100", {"address": Address("inet", "192.0.2.1", 100, 100, True)}),
    ("one.example:80", {"address": Address("inet", "192.0.2.1", 80, 80)}),
    ("/run/x", {"address": Address("unix", "/run/x")}),
    (":80 weight 256", {"weight": 256}),
    (":80 backup no-backup", {"backup": False}),
    (":80 disabled", {"disabled": True}),
    (":80 disabled enabled", {"disabled": False}),
    (":80 maxconn 10 minconn 3 maxqueue 7", {"maxconn": 10, "minconn": 3, "maxqueue": 7}),
    (":80 minconn 3", {"maxconn": 3, "minconn": 3}),
    (":80 maxconn 3", {"maxconn": 3, "minconn": 3}),
    (":80 minconn 5 maxconn 3", {"maxconn": 5, "minconn": 5}),
    (":80 id 77", {"id": 77}),
    (":80 cookie x", {"cookie": "x"}),
    (
        ":80 check inter 3s fastinter 1s downinter 5s rise 1 fall 4",
        {"check": True, "inter": 3000, "fastinter": 1000, "downinter": 5000, "rise": 1, "fall": 4},
    ),
    (":80 port 81 addr 192.0.2.9", {"check_port": 81, "check_addr": "192.0.2.9"}),
    (":80 source 192.0.2.9:1000-2000", {"source": SourceSpec("192.0.2.9", 1000, 2000)}),
    (":80 source 192.0.2.9", {"source": SourceSpec("192.0.2.9")}),
    (":80 pool-max-conn 0 pool-low-conn 2 pool-min-conn 1", {"pool_max": 0, "pool_low": 2, "pool_min": 1}),
    (
        ":80 pool-purge-delay 1s pool-half-life 5s pool-purge-batches 4",
        {"pool_purge_delay": 1000, "pool_half_life": 5000, "pool_purge_batches": 4},
    ),
    (":80 max-reuse 10 tcp-ut 1s slowstart 2s", {"max_reuse": 10, "tcp_ut": 1000, "slowstart": 2000}),
    (
        ":80 on-error mark-down error-limit 3 observe layer7",
        {"on_error": "mark-down", "error_limit": 3, "observe": "layer7"},
    ),
    (":80 weight 3 weight 4", {"weight": 4}),
]
BAD = [
    ("server", "expects <name>"),
    ("server a", "expects <name>"),
    ("server 'a b' :80", "character ' ' is not permitted"),
    ("server a fd@3", "cannot be a file descriptor"),
    ("server a :80-90", "range of ports is not permitted"),
    ("server a nowhere.example:80", "cannot resolve host"),
    ("server a :80 id 0", "at least 1"),
    ("server a :80 inter 0", "at least 1 ms"),
    ("server a :80 rise 0", "at least 1"),
    ("server a :80 pool-max-conn -2", "at least -1"),
    ("server a :80 max-reuse -2", "at least -1"),
    ("server a :80 on-error foo", "one of fastinter"),
    ("server a :80 addr one.example", "numeric address"),
    ("server a :80 source one.example", "numeric IPv4 or IPv6"),
    ("server a :80 source 192.0.2.1:70000", "invalid port '70000'"),
    ("server a :80 cookie", "`cookie` expects <value>"),
    ("default-server id 3", "cannot stand on a default-server line"),
    ("default-server 192.0.2.1:80", "unknown word '192.0.2.1:80'"),
    ("server-template x 2", "expects <prefix>"),
    ("server-template x 0 :80", "'0' is not a number or a range"),
    ("server-template x 3-1 :80", "'3-1' is not a number or a range"),
    ("server-template x 1-200000 :80", "is not a number or a range"),
]


@pytest.mark.parametrize(("line", "fields"), GOOD)
def test_read(read: Any, line: str, fields: dict[str, Any]) -> None:
    (server,) = read(f"backend b\n    server a {line}\n").proxy("b").servers
    assert {name: getattr(server, name) for name in fields} == fields


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    errors = read(f"backend b\n    {line}\n").errors
    assert errors
    assert complaint in errors[0]


def test_default_server_counts_for_what_follows(read: Any) -> None:
    servers = (
        read("""
        defaults
            default-server weight 5 backup
        backend b
            server a :80
            default-server maxconn 9 no-backup
            server b :80 weight 7
            default-server weight 2
            server c :80 backup
    """)
        .proxy("b")
        .servers
    )
    assert [(s.name, s.weight, s.backup, s.maxconn) for s in servers] == [
        ("a", 5, True, 0),
        ("b", 7, False, 9),
        ("c", 2, True, 9),
    ]


def test_default_server_of_a_section_stays_there(read: Any) -> None:
    outcome = read("backend b\n default-server weight 5\n server a :80\nbackend c\n server a :80\n")
    assert [proxy.servers[0].weight for proxy in outcome.good.proxies] == [5, 1]


def test_template(read: Any) -> None:
    servers = read("backend b\n server-template web 2-4 one.example:80 weight 3 id 9\n").proxy("b").servers
    assert [(s.name, s.id, s.weight, s.address.host) for s in servers] == [
        ("web2", 9, 3, "192.0.2.1"),
        ("web3", 1, 3, "192.0.2.1"),
        ("web4", 2, 3, "192.0.2.1"),
    ]
    assert [s.name for s in read("backend b\n server-template x 2 :80\n").proxy("b").servers] == ["x1", "x2"]


def test_server_in_a_frontend_is_an_error(read: Any) -> None:
    assert read("frontend f\n server a :80\n").errors == ["2:2 `server` has no place in a frontend section"]
