from __future__ import annotations

import dataclasses
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.global_spec import TuneSpec
from maniple.core.config.model import (
    Address,
    GlobalSpec,
    ThreadRange,
    ThreadSet,
)
from maniple.groups.queue_end import queue_length
from maniple.groups.sockets import is_listening
from maniple.tests.groups.listening_rig import (
    ALL,
    HOST,
    LARGER,
    LOOPBACK,
    PLACEMENT,
    World,
    at,
    backlog_of,
    bind_of,
    connect,
    free_port,
    owners,
    port_of,
    proxy_of,
)


@pytest.fixture
def world() -> Iterator[World]:
    value = World()
    yield value
    value.close()


# The sockets of a first start.


def test_each_thread_has_a_socket_and_all_share_the_port(world: World) -> None:
    listening = world.reload(bind_of(LOOPBACK))
    assert owners(listening) == [(one,) for one in ALL]
    assert [listener.number for listener in listening.listeners] == [1, 2, 3]
    assert {listener.address.port_low for listener in listening.listeners} == {port_of(listening)} != {0}
    socks = [listener.sock for listener in listening.listeners]
    assert {sock.getsockname()[1] for sock in socks} == {port_of(listening)}
    assert all(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) for sock in socks)
    assert all(is_listening(sock) and not sock.getblocking() for sock in socks)
    assert listening.sets() == [list(listening.listeners)]
    assert all(listening.is_ours(listener) for listener in listening.listeners)


def test_connections_come_to_all_sockets(world: World) -> None:
    listening = world.reload(bind_of(LOOPBACK))
    clients = connect(listening, 60)
    for listener in listening.listeners:
        listener.sock.accept()[0].close()
    for client in clients:
        client.close()


def test_nothing_listens_before_the_start(world: World, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    listening = world.open(bind_of(LOOPBACK), bind_of(Address("unix", str(path))))
    assert not any(is_listening(listener.sock) for listener in listening.listeners if listener.address.kind == "inet")
    with pytest.raises(ConnectionRefusedError):
        connect(listening)
    assert not path.exists()
    listening.close_new()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("by-thread", [((1, 1),), ((1, 2),), ((2, 1),)]),
        ("by-group", [((1, 1), (1, 2)), ((2, 1),)]),
        ("1", [ALL]),
        ("2", [((1, 1), (1, 2)), ((2, 1),)]),
        ("3", [((1, 1),), ((1, 2),), ((2, 1),)]),
        ("50", [((1, 1),), ((1, 2),), ((2, 1),)]),
        (None, [((1, 1),), ((1, 2),), ((2, 1),)]),
    ],
)
def test_shards(world: World, rule: str | None, expected: list[Any]) -> None:
    assert owners(world.reload(bind_of(LOOPBACK, shards=rule))) == expected


def test_shards_that_are_not_written_are_the_default(world: World) -> None:
    spec = GlobalSpec(tune=TuneSpec(default_shards="by-group"))
    assert len(world.reload(bind_of(LOOPBACK), spec=spec).listeners) == 2


@pytest.mark.parametrize(
    ("threads", "expected"),
    [
        (ThreadRange(2, 1, 0), [((2, 1),)]),
        (ThreadRange(0, 1, 1), [((1, 1),), ((2, 1),)]),
        (ThreadRange(None, 3, 3), [((2, 1),)]),
        (ThreadRange(None, 1, 0, 2), [((1, 1),), ((2, 1),)]),
    ],
)
def test_thread_sets_choose_the_sockets(world: World, threads: ThreadRange, expected: list[Any]) -> None:
    assert owners(world.reload(bind_of(LOOPBACK, threads=ThreadSet((threads,))))) == expected


def test_a_thread_that_does_not_exist_is_an_error(world: World) -> None:
    bind = bind_of(LOOPBACK, threads=ThreadSet((ThreadRange(7, 1, 1),)))
    assert "thread group 7 does not exist" in world.attempt(bind)[1][0]


def test_what_could_be_read_otherwise_is_noticed(world: World) -> None:
    placement = dataclasses.replace(PLACEMENT, groups_written=False)
    listening = world.reload(
        bind_of(LOOPBACK, LOOPBACK, threads=ThreadSet((ThreadRange(1, 3, 3),))), placement=placement
    )
    assert owners(listening) == [((2, 1),)] * 2
    (notice,) = listening.notices
    assert notice.startswith("config : [test.cfg:5] : `thread 1/3` is read as `thread 3`")


def test_a_range_of_ports_is_an_address_each(world: World) -> None:
    low = free_port(2)
    listening = world.reload(bind_of(Address("inet", HOST, low, low + 1)))
    assert [item.sock.getsockname()[1] for item in listening.listeners] == [low] * 3 + [low + 1] * 3
    assert [len(members) for members in listening.sets()] == [3, 3]
    again = world.reload(bind_of(at(low)))
    assert [item.number for item in again.listeners] == [1, 2, 3]
    assert [item.number for item in listening.removed(again)] == [4, 5, 6]


def test_several_binds_and_addresses_are_numbered(world: World) -> None:
    listening = world.reload(bind_of(LOOPBACK, LOOPBACK), bind_of(LOOPBACK))
    assert [item.bind_index for item in listening.listeners] == [0] * 6 + [1] * 3
    assert len({item.address.port_low for item in listening.listeners}) == 3


def test_disabled_proxies_are_not_bound(world: World) -> None:
    assert world.open(proxy_of(bind_of(LOOPBACK), disabled=True)).listeners == ()
    assert world.open().listeners == ()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
@pytest.mark.parametrize(("words", "only"), [({"v4v6": True}, 0), ({"v6only": True}, 1)])
def test_ipv6_and_ipv4(world: World, words: dict[str, bool], only: int) -> None:
    listening = world.reload(bind_of(Address("inet6", "::"), **words))
    sock = listening.listeners[0].sock
    assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == only
    connect_v4 = socket.socket()
    connect_v4.settimeout(5)
    assert (connect_v4.connect_ex((HOST, port_of(listening))) == 0) == (not only)
    connect_v4.close()
    kept = world.reload(bind_of(Address("inet6", "::"), **words))
    assert kept.numbers == listening.numbers


def test_a_unix_socket_is_one_and_for_all(world: World, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    (listener,) = world.reload(
        bind_of(Address("unix", str(path)), mode=0o640, uid=os.getuid(), gid=os.getgid())
    ).listeners
    assert listener.owners == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert list(tmp_path.iterdir()) == [path]


def test_a_thread_set_of_a_unix_socket_is_obeyed(world: World, tmp_path: Path) -> None:
    bind = bind_of(Address("unix", str(tmp_path / "x")), threads=ThreadSet((ThreadRange(1),)))
    assert owners(world.reload(bind)) == [((1, 1), (1, 2))]


def test_a_stale_unix_socket_is_replaced_and_a_file_is_not(world: World, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    world.reload(bind_of(Address("unix", str(path))))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    precious = tmp_path / "precious"
    precious.write_text("kept")
    assert world.attempt(bind_of(Address("unix", str(precious))))[1] == [
        f"Binding [test.cfg:5] for frontend web: cannot bind socket (a file of another kind is there) for [{precious}]"
    ]
    assert precious.read_text() == "kept"


def test_two_lines_cannot_have_one_unix_socket(world: World, tmp_path: Path) -> None:
    for address in (Address("unix", str(tmp_path / "x")), Address("abns", f"maniple-twice-{os.getpid()}")):
        _, errors = world.attempt(bind_of(address), bind_of(address))
        assert len(errors) == 1
        assert "(Address already in use)" in errors[0]
    assert list(tmp_path.iterdir()) == []


def test_abstract_sockets_are_padded_as_haproxys(world: World) -> None:
    name = f"maniple-test-listening-{os.getpid()}"
    first = world.reload(bind_of(Address("abns", name)))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(b"\0" + name.encode().ljust(107, b"\0"))
    assert world.reload(bind_of(Address("abns", name))).listeners[0].sock is first.listeners[0].sock


def test_an_inherited_socket_is_taken_as_it_is(world: World) -> None:
    with socket.create_server((HOST, 0)) as ready, socket.socket() as bound:
        bound.bind((HOST, 0))
        binds = [bind_of(Address("fd", str(sock.fileno()))) for sock in (ready, bound)]
        listening = world.reload(*binds)
        for sock in (ready, bound):
            socket.create_connection(sock.getsockname()).close()
        assert owners(listening) == [(), ()]
        assert not any(listening.is_ours(listener) for listener in listening.listeners)
        again = world.reload(*binds)
        assert again.numbers == listening.numbers
        again.close()
        socket.create_connection(ready.getsockname()).close()


def test_descriptors_that_cannot_listen_are_refused(world: World) -> None:
    reader, writer = os.pipe()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        number = datagrams.fileno()
        _, messages = world.attempt(
            bind_of(Address("fd", str(reader))),
            bind_of(Address("fd", str(number))),
            bind_of(Address("fd", "9999")),
        )
    assert [message.partition("cannot bind socket ")[2] for message in messages] == [
        f"(Socket operation on non-socket) for [fd@{reader}]",
        f"(Protocol wrong type for socket) for [fd@{number}]",
        "(Bad file descriptor) for [fd@9999]",
    ]
    os.close(reader)
    os.close(writer)


def test_errors_come_in_the_order_of_the_lines(world: World, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        _, messages = world.attempt(
            bind_of(Address("unix", str(tmp_path / ("x" * 100)))),
            bind_of(LOOPBACK, threads=ThreadSet((ThreadRange(9),))),
            bind_of(at(port)),
            bind_of(Address("abns", "x" * 108)),
        )
    wanted = ["File name too long", "thread group 9 does not exist", "Address already in use", "File name too long"]
    assert len(messages) == 4
    assert all(text in message for text, message in zip(wanted, messages, strict=True))


def test_after_an_error_nothing_stays_open(world: World, tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        listening, messages = world.attempt(
            bind_of(LOOPBACK), bind_of(Address("unix", str(tmp_path / "x"))), bind_of(at(port))
        )
    assert messages == [
        f"Binding [test.cfg:5] for frontend web: cannot bind socket (Address already in use) for [{HOST}:{port}]"
    ]
    assert listening.listeners == ()
    assert set(os.listdir("/proc/self/fd")) <= before
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_says_so(world: World) -> None:
    """Somebody listens between our bind and our start: SO_REUSEADDR lets both bind."""
    listening = world.open(bind_of(LOOPBACK))
    port = port_of(listening)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, port))
        other.listen()
        errors = [error.message for error in listening.start()]
    assert errors
    assert errors[0] == (
        f"Binding [test.cfg:5] for frontend web: cannot listen to socket (Address already in use) for [{HOST}:{port}]"
    )


# From one generation to the next.


def test_what_agrees_is_kept(world: World) -> None:
    before = world.reload(bind_of(LOOPBACK), bind_of(LOOPBACK))
    again = world.open(bind_of(LOOPBACK), bind_of(LOOPBACK))
    assert [listener.number for listener in again.listeners] == [listener.number for listener in before.listeners]
    assert all(new.sock is old.sock for new, old in zip(again.listeners, before.listeners, strict=True))
    assert [item.address for item in again.listeners] == [item.address for item in before.listeners]
    assert again.start() == []
    assert before.removed(again) == []


def test_a_generation_that_fails_leaves_the_one_before(world: World, tmp_path: Path) -> None:
    path = tmp_path / "old"
    before = world.reload(bind_of(LOOPBACK, backlog=7), bind_of(Address("unix", str(path)), mode=0o600))
    candidate = world.open(
        bind_of(LOOPBACK, backlog=9),
        bind_of(Address("unix", str(path)), mode=0o666),
        bind_of(Address("unix", str(tmp_path / "new"))),
        bind_of(LOOPBACK),
    )
    assert candidate.start() == []
    assert (tmp_path / "new").exists()
    candidate.close_new(before)
    assert sorted(tmp_path.iterdir()) == [path]
    assert all(listener.sock.fileno() >= 0 for listener in before.listeners)
    assert sum(listener.sock.fileno() < 0 for listener in candidate.listeners) == 4
    for client in connect(before, 3):
        client.close()
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        listening, errors = world.attempt(bind_of(LOOPBACK, backlog=9), bind_of(at(port)))
    assert len(errors) == 1
    assert listening.listeners == ()
    assert all(listener.sock.fileno() >= 0 for listener in before.listeners)


def test_changed_options_are_applied_at_the_start(world: World, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    unix = Address("unix", str(path))
    world.reload(
        bind_of(LOOPBACK, backlog=7, tcp_ut=5000, defer_accept=True, mss=1000, tfo=True), bind_of(unix, mode=0o600)
    )
    after = world.open(bind_of(LOOPBACK, backlog=9), bind_of(unix, mode=0o666))
    sock = after.listeners[0].sock
    assert backlog_of(after.listeners[0]) == 7
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert after.start() == []
    assert [backlog_of(listener) for listener in after.listeners[:3]] == [9] * 3
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o666


def test_the_port_that_the_kernel_chose_is_kept(world: World) -> None:
    before = world.reload(proxy_of(bind_of(LOOPBACK), name="a"), proxy_of(bind_of(LOOPBACK), name="b"))
    ports = {item.frontend: item.sock.getsockname()[1] for item in before.listeners}
    after = world.reload(proxy_of(bind_of(LOOPBACK), name="b"), proxy_of(bind_of(LOOPBACK), name="a"))
    assert {item.frontend: item.sock.getsockname()[1] for item in after.listeners} == ports
    larger = world.reload(proxy_of(bind_of(LOOPBACK), name="a"), placement=LARGER)
    assert [item.address.port_low for item in larger.listeners] == [ports["a"]] * 4
    assert {item.sock.getsockname()[1] for item in larger.listeners} == {ports["a"]}
    # Another text is another address.
    renamed = world.reload(proxy_of(dataclasses.replace(bind_of(LOOPBACK), text="other"), name="a"), placement=LARGER)
    assert not renamed.numbers & larger.numbers


def test_an_address_that_changes_its_frontend_keeps_its_sockets(world: World) -> None:
    port = port_of(world.reload(bind_of(LOOPBACK)))
    first = world.reload(proxy_of(bind_of(at(port)), name="a"))
    second = world.reload(proxy_of(bind_of(LOOPBACK), bind_of(at(port)), name="b"))
    assert {item.number for item in second.listeners if item.bind_index == 1} == first.numbers
    assert {item.frontend for item in second.listeners} == {"b"}


def test_spellings_of_an_address_are_one(world: World) -> None:
    port = port_of(world.reload(bind_of(Address("inet", "0.0.0.0"))))
    first = world.reload(bind_of(at(port, "")))
    assert world.reload(bind_of(at(port, "*"))).numbers == first.numbers
    assert world.reload(bind_of(at(port, "0.0.0.0"))).numbers == first.numbers


def test_what_is_not_served_any_more_is_removed(world: World, tmp_path: Path) -> None:
    port = free_port()
    before = world.reload(bind_of(at(port)), bind_of(Address("unix", str(tmp_path / "x"))), bind_of(LOOPBACK))
    after = world.reload(bind_of(at(port)))
    assert [item.number for item in before.removed(after)] == [4, 5, 6, 7]
    assert before.numbers - after.numbers == {4, 5, 6, 7}


def test_a_unix_socket_that_nobody_finds_is_made_anew(world: World, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    bind = bind_of(Address("unix", str(path)))
    (first,) = world.reload(bind).listeners
    (same,) = world.reload(bind).listeners
    assert same.sock is first.sock
    path.unlink()
    (second,) = world.reload(bind).listeners
    assert second.number != first.number
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert queue_length(second.sock) == 1
