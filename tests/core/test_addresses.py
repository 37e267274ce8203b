"""Addresses: every form, every refusal, and the same verdict as HAProxy's."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.addresses import (
    MAX_PATH,
    Address,
    parse_address,
    parse_addresses,
    parse_server_address,
    resolve_address,
    resolve_host,
)

BINDS = [
    (":80", [Address("inet", "", 80, 80)]),
    ("*:80", [Address("inet", "", 80, 80)]),
    ("0.0.0.0:80", [Address("inet", "0.0.0.0", 80, 80)]),
    ("127.0.0.1:080", [Address("inet", "127.0.0.1", 80, 80)]),
    ("127.1:80", [Address("inet", "127.0.0.1", 80, 80)]),
    ("[127.0.0.1]:80", [Address("inet", "127.0.0.1", 80, 80)]),
    ("localhost:80", [Address("name", "localhost", 80, 80)]),
    ("::1:80", [Address("inet6", "::1", 80, 80)]),
    ("[::1]:80", [Address("inet6", "::1", 80, 80)]),
    (":::80", [Address("inet6", "::", 80, 80)]),
    ("[::]:80", [Address("inet6", "::", 80, 80)]),
    ("::ffff:1.2.3.4:80", [Address("inet6", "::ffff:102:304", 80, 80)]),
    ("2001:DB8:0:0:0:0:0:1:443", [Address("inet6", "2001:db8::1", 443, 443)]),
    ("ipv4@:80", [Address("inet", "", 80, 80)]),
    ("ipv4@localhost:80", [Address("name", "localhost", 80, 80, family="inet")]),
    ("ipv6@:80", [Address("inet6", "", 80, 80)]),
    ("ipv6@*:80", [Address("inet6", "", 80, 80)]),
    ("ipv6@::1:80", [Address("inet6", "::1", 80, 80)]),
    ("tcp@:80", [Address("inet", "", 80, 80)]),
    ("tcp4@:80", [Address("inet", "", 80, 80)]),
    ("ip@:80", [Address("inet", "", 80, 80)]),
    ("unix@/run/x.sock", [Address("unix", "/run/x.sock")]),
    ("unix@run/x.sock", [Address("unix", "run/x.sock")]),
    ("/run/x@y:1.sock", [Address("unix", "/run/x@y:1.sock")]),
    ("stream+unix@/run/x", [Address("unix", "/run/x")]),
    ("abns@name", [Address("abns", "name")]),
    (":80-82", [Address("inet", "", 80, 82)]),
    (":80,", [Address("inet", "", 80, 80)]),
    (
        ":80,127.0.0.1:90-91,/x",
        [Address("inet", "", 80, 80), Address("inet", "127.0.0.1", 90, 91), Address("unix", "/x")],
    ),
]

BAD_BINDS = [
    ("", "is empty"),
    (",:80", "empty address"),
    (":80,,:81", "empty address"),
    ("127.0.0.1", "no port"),
    ("127.0.0.1:", "no port"),
    ("80", "write ':80'"),
    ("[::1]", "no port"),
    ("::1", "the last colon"),
    ("::80", "write ':::80'"),
    (":0", "invalid port '0'"),
    (":65536", "invalid port '65536'"),
    (":80x", "invalid port '80x'"),
    (":80-", "invalid port ''"),
    (":80-x", "invalid port 'x'"),
    (":89-80", "downwards"),
    (":+80", "offset is not permitted"),
    (":-80", "offset is not permitted"),
    ("127.0.0.256:80", "invalid address '127.0.0.256'"),
    ("ipv4@::1:80", "invalid IPv4 address '::1'"),
    ("ipv6@127.0.0.1:80", "invalid IPv6 address"),
    ("[::1:80", "invalid address"),
    ("::1]:80", "invalid address"),
    ("a b:80", "invalid address"),
    ("-a:80", "invalid address"),
    ("fe80::1%lo:80", "scope"),
    ("fd@", "not a number"),
    ("fd@x", "not a number"),
    ("fd@-1", "not a number"),
    ("fd@7x", "not a number"),
    ("foo@:80", "unknown address prefix 'foo@'"),
    ("@:80", "unknown address prefix '@'"),
]

# HAProxy would start with these and fail later, or mean something that nobody wants.
STRICTER_BINDS = [
    ("unix@", "no path"),
    ("abns@", "no path"),
    ("abnsz@name", "HAProxy knows 'abnsz@'"),
    ("quic4@:443", "HAProxy knows 'quic4@'"),
    ("udp@:80", "HAProxy knows 'udp@'"),
    ("dgram+ipv4@:80", "HAProxy knows"),
    ("sockpair@3", "HAProxy knows"),
    ("/" + "x" * MAX_PATH, "too long"),
    ("a\0b:80", "NUL"),
]


@pytest.mark.parametrize(("text", "addresses"), BINDS)
def test_bind(text: str, addresses: list[Address]) -> None:
    assert list(parse_addresses(text)) == addresses


@pytest.mark.parametrize(("text", "said"), BAD_BINDS + STRICTER_BINDS)
def test_bad_bind(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_addresses(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1:80", Address("inet", "10.0.0.1", 80, 80)),
        ("10.0.0.1", Address("inet", "10.0.0.1", 0, 0, True)),
        ("10.0.0.1:", Address("inet", "10.0.0.1", 0, 0, True)),
        ("10.0.0.1:0", Address("inet", "10.0.0.1", 0, 0, True)),
        ("10.0.0.1:+", Address("inet", "10.0.0.1", 0, 0, True)),
        ("10.0.0.1:+100", Address("inet", "10.0.0.1", 100, 100, True)),
        ("10.0.0.1:-100", Address("inet", "10.0.0.1", -100, -100, True)),
        ("[::1]", Address("inet6", "::1", 0, 0, True)),
        ("app.example.com:80", Address("name", "app.example.com", 80, 80)),
        ("app_1:80", Address("name", "app_1", 80, 80)),
        ("*", Address("inet", "", 0, 0, True)),
        ("/run/app.sock", Address("unix", "/run/app.sock")),
        ("abns@app", Address("abns", "app")),
    ],
)
def test_server(text: str, address: Address) -> None:
    assert parse_server_address(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fd@3", "cannot be a file descriptor"),
        ("10.0.0.1:80-89", "range of ports is not permitted"),
        ("10.0.0.1:+x", "invalid port offset"),
        ("10.0.0.1:+65536", "invalid port offset"),
        ("80", "write ':80'"),
        ("::1", "the last colon"),
        (":80,:81", "invalid address"),
    ],
)
def test_bad_server(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_server_address(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1", Address("inet", "127.0.0.1", 514, 514)),
        ("udp@127.0.0.1:5140", Address("inet", "127.0.0.1", 5140, 5140)),
        ("udp6@::1:514", Address("inet6", "::1", 514, 514)),
        ("/dev/log", Address("unix", "/dev/log")),
        ("uxdg@/dev/log", Address("unix", "/dev/log")),
        ("dgram+unix@/dev/log", Address("unix", "/dev/log")),
        ("fd@1", Address("fd", "1")),
    ],
)
def test_log_target(text: str, address: Address) -> None:
    assert parse_address(text, default_port=514, datagram=True) == address


def test_log_target_is_no_stream() -> None:
    with pytest.raises(ValueError, match="HAProxy knows 'tcp@'"):
        parse_address("tcp@127.0.0.1", default_port=514, datagram=True)


def test_inherited_descriptor() -> None:
    assert parse_addresses("fd@07") == (Address("fd", "7"),)


def test_port_zero_where_the_kernel_may_choose() -> None:
    (address,) = parse_addresses("127.0.0.1:0", zero_port=True)
    assert address == Address("inet", "127.0.0.1", 0, 0)
    assert str(address) == "127.0.0.1:0"


def test_ports_of_a_range() -> None:
    (address,) = parse_addresses("[::1]:80-82")
    assert [str(one) for one in address.ports()] == ["[::1]:80", "[::1]:81", "[::1]:82"]
    assert address.port == 80
    one = parse_address(":80")
    assert one.ports() == (one,)


HOSTS = st.sampled_from(["", "*", "10.1.2.3", "[::1]", "[2001:db8::5]", "[::]", "name.example", "ipv6@", "ipv4@name"])
PORTS = st.integers(1, 65535)


@given(HOSTS, PORTS)
def test_text_of_an_address_reads_back(host: str, port: int) -> None:
    address = parse_address(f"{host}:{port}")
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["unix@relative", "/absolute", "abns@x", "fd@3", ":80-90"])
def test_text_of_other_kinds_reads_back(text: str) -> None:
    (address,) = parse_addresses(text)
    assert parse_addresses(str(address)) == (address,)


@pytest.mark.parametrize("text", ["1.2.3.4:+5", "1.2.3.4:-5", "1.2.3.4", "[::1]:0"])
def test_text_of_server_addresses_reads_back(text: str) -> None:
    address = parse_server_address(text)
    assert parse_server_address(str(address)) == address


def test_numeric_host_resolves_to_itself() -> None:
    assert resolve_host("127.0.0.1") == Address("inet", "127.0.0.1")
    assert resolve_host("::1", "inet6") == Address("inet6", "::1")


def test_ipv4_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: found)
    assert resolve_address(parse_address("both.example:80")) == Address("inet", "192.0.2.1", 80, 80)


def test_a_name_without_internet_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: [])
    with pytest.raises(ValueError, match="has no internet address"):
        resolve_host("odd.example")


def test_nothing_to_resolve() -> None:
    address = Address("unix", "/x")
    assert resolve_address(address) is address


@pytest.mark.parametrize(("name", "family"), [("127.0.0.1", "inet6"), ("a..b", ""), ("x" * 300, "")])
def test_unresolvable(name: str, family: str) -> None:
    with pytest.raises(ValueError, match="cannot resolve host"):
        resolve_host(name, family)  # type: ignore[arg-type]


def test_failure_of_the_name_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ValueError, match=r"cannot resolve host 'x\.invalid' as IPv4: Name or service not known"):
        resolve_host("x.invalid", "inet")


@pytest.mark.parametrize("version", ["haproxy", "haproxy3"])
def test_same_verdict_as_haproxy(version: str, request: pytest.FixtureRequest) -> None:
    oracle = request.getfixturevalue(version)
    # a host name would ask the network, and a space or an empty word cannot stand on a line as it is
    good = [text for text, _ in BINDS if "localhost" not in text]
    left_out = {"", "a b:80", "-a:80"} | ({":80x"} if version == "haproxy" else set())  # 2.6 ignored junk after digits
    bad = [text for text, _ in BAD_BINDS if text not in left_out]
    lines = ["frontend f", *(f' bind "{text}"' for text in good + bad)]
    refused = oracle.refused("\n".join(lines) + "\n")
    assert refused == set(range(2 + len(good), 2 + len(good) + len(bad)))
