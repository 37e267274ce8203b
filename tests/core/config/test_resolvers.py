"""Sections `resolvers`: what a line means, what is wrong with one, and the section that nobody writes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.core.config.resolver_spec import ResolversSpec
from maniple.tests.core.config.conftest import Read

CONF = b"""# a comment
search example.org
nameserver 192.0.2.53
nameserver fe80::1%eth0
nameserver nonsense
nameserver 2001:db8::53 ; another
nameserver
"""


def servers(spec: ResolversSpec) -> list[tuple[str, str, int, bool]]:
    return [(one.name, one.host, one.port, one.stream) for one in spec.nameservers]


def with_file(text: str, files: Mapping[str, bytes]) -> tuple[Configuration | None, list[str]]:
    def read_file(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return files[path]

    configuration, diagnostics = load([("x.cfg", text)], {}, read_file=read_file)
    return configuration, [
        f"{one.place.line}:{one.place.column} {one.message}"
        for one in diagnostics.in_order()
        if one.level in ("error", "warning")
    ]


def test_a_section(read: Read) -> None:
    found = read("""
        resolvers mine
            nameserver a 192.0.2.1:5353
            nameserver b udp@192.0.2.2
            nameserver c tcp@[2001:db8::1]:54
            nameserver d one.example:53
            accepted_payload_size 4096
            resolve_retries 5
            timeout resolve 2s
            timeout retry 300
            hold valid 1m
            hold nx 1s
            hold obsolete 5s
            hold other 2s
            hold refused 3s
            hold timeout 4s
    """)
    spec = found.good.resolvers["mine"]
    assert servers(spec) == [
        ("a", "192.0.2.1", 5353, False),
        ("b", "192.0.2.2", 53, False),
        ("c", "2001:db8::1", 54, True),
        ("d", "192.0.2.1", 53, False),
    ]
    assert (spec.payload, spec.retries, spec.timeout_resolve, spec.timeout_retry) == (4096, 5, 2000, 300)
    assert (spec.hold_valid, spec.hold_nx, spec.hold_obsolete) == (60000, 1000, 5000)
    assert (spec.hold_other, spec.hold_refused, spec.hold_timeout) == (2000, 3000, 4000)
    assert (spec.place.line, spec.nameservers[0].place.line) == (1, 2)


WRONG = (
    ("resolvers\n", "1:1 `resolvers` expects <name>"),
    ("resolvers a b\n", "1:13 `resolvers` cannot take the extra argument 'b'"),
    ("resolvers a+\n", "1:11 character '+' is not permitted in the resolvers name 'a+'"),
    (
        "resolvers a\n nameserver x 192.0.2.1\nresolvers a\n nameserver x 192.0.2.1\n",
        "3:11 resolvers 'a' has the same name as the section in line 1",
    ),
    ("resolvers a\n nameserver x\n", "2:2 `nameserver` expects <name> <address>[:<port>]"),
    ("resolvers a\n nameserver x 192.0.2.1 more\n", "2:25 `nameserver` cannot take the extra argument 'more'"),
    (
        "resolvers a\n nameserver x 192.0.2.1\n nameserver x 192.0.2.2\n",
        "3:13 resolvers 'a' already has a nameserver 'x'",
    ),
    (
        "resolvers a\n nameserver x 192.0.2.1:99999\n",
        "2:15 `nameserver`: invalid port '99999' in '192.0.2.1:99999' (ports go from 1 to 65535)",
    ),
    (
        "resolvers a\n nameserver x unix@/s\n",
        "2:15 `nameserver unix@/s`: the address of a host is expected",
    ),
    ("resolvers a\n nameserver x :53\n", "2:15 `nameserver :53`: the address of a host is expected"),
    ("resolvers a\n nameserver x absent.example\n", "2:15 `nameserver`: cannot resolve host 'absent.example'"),
    ("resolvers a\n hold ever 1s\n", "2:7 unknown word 'ever' after `hold`"),
    ("resolvers a\n hold nx\n", "2:2 `hold nx` expects <time>"),
    ("resolvers a\n timeout client 1s\n", "2:10 unknown word 'client' after `timeout`"),
    ("resolvers a\n timeout retry 0\n", "2:16 `timeout retry 0`: must be at least 1 ms"),
    ("resolvers a\n resolve_retries 0\n", "2:18 `resolve_retries 0`: must be at least 1"),
    ("resolvers a\n accepted_payload_size 511\n", "2:24 `accepted_payload_size 511`: must be from 512 to 65535"),
    ("resolvers a\n bind :80\n", "2:2 unknown keyword 'bind' in a resolvers section"),
)


@pytest.mark.parametrize(("text", "error"), WRONG, ids=lambda value: value[:40])
def test_what_is_wrong_with_its_place(read: Read, text: str, error: str) -> None:
    assert read(text).errors == [error]


def test_a_section_without_a_nameserver_is_warned_of(read: Read) -> None:
    assert read("resolvers a\n hold nx 1s\n").warnings == ["1:11 resolvers 'a' has no nameserver"]


def test_lines_that_mean_nothing_yet_are_noted(read: Read) -> None:
    found = read("resolvers a\n nameserver x 192.0.2.1\n hold nx 1s\n hold valid 1s\n timeout resolve 1s\n")
    assert found.reports("notice") == [
        "3:2 `hold nx`: accepted, not yet in force",
        "5:2 `timeout resolve`: accepted, not yet in force",
    ]


def test_resolv_conf() -> None:
    text = "resolvers a\n nameserver own 192.0.2.1\n parse-resolv-conf\n"
    configuration, told = with_file(text, {"/etc/resolv.conf": CONF})
    assert configuration is not None and not told
    assert servers(configuration.resolvers["a"]) == [
        ("own", "192.0.2.1", 53, False),
        ("192.0.2.53", "192.0.2.53", 53, False),
        ("2001:db8::53", "2001:db8::53", 53, False),
    ]


def test_resolv_conf_that_is_missing_or_read_twice() -> None:
    text = "resolvers a\n parse-resolv-conf\n"
    assert with_file(text, {})[1] == ["2:2 cannot read '/etc/resolv.conf': No such file or directory"]
    _, told = with_file(text + " parse-resolv-conf\n", {"/etc/resolv.conf": b"nameserver 192.0.2.53\n"})
    assert told == ["3:2 the nameserver '192.0.2.53' of /etc/resolv.conf is there already"]


ASKING = "frontend f\n bind :80\n mode http\n timeout client 1s\n http-request do-resolve(txn.a,default) hdr(host)\n"


def test_the_default_section_is_made_where_a_rule_asks_for_it() -> None:
    files = {"/etc/resolv.conf": CONF}
    configuration, _ = with_file(ASKING, files)
    assert configuration is not None
    assert [one.name for one in configuration.resolvers["default"].nameservers] == ["192.0.2.53", "2001:db8::53"]
    configuration, _ = with_file(ASKING + "resolvers default\n nameserver a 192.0.2.1\n", files)
    assert configuration is not None
    assert [one.name for one in configuration.resolvers["default"].nameservers] == ["a"]
    configuration, _ = with_file("request-rules r\n http-request do-resolve(txn.a,default) hdr(host)\n", files)
    assert configuration is not None and list(configuration.resolvers) == ["default"]


def test_there_is_none_otherwise() -> None:
    configuration, _ = with_file(ASKING.replace("default", "other"), {"/etc/resolv.conf": CONF})
    assert configuration is not None and not configuration.resolvers
    configuration, told = with_file(ASKING, {})
    assert configuration is not None and not configuration.resolvers and not told
