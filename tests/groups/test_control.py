"""Where the control socket listens, who may connect, and how many."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.core.addresses import Address
from maniple.core.config.global_spec import ControlSpec
from maniple.core.config.model import GlobalSpec, Place
from maniple.groups.control import OWN, Endpoint, endpoints
from maniple.groups.conversation import MASTER
from maniple.tests.groups.control_rig import STATUS, Rig

HERE = Place("x.cfg", 1)
VERSION = f"{STATUS.version}\n\n"


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def at(path: Path, **words: object) -> Endpoint:
    return Endpoint(ControlSpec(HERE, Address("unix", str(path)), **words))  # type: ignore[arg-type]


def test_endpoints_of_a_configuration() -> None:
    lines = (ControlSpec(HERE, Address("unix", "/x")), ControlSpec(HERE, Address("abns", "y")))
    spec = GlobalSpec(controls=lines, control_timeout=3000, control_maxconn=4)
    found = endpoints(spec, ["/m,mode,600"], "/run/maniple/1.sock")
    assert [(one.key, one.name, one.private, one.patience, one.spec.level) for one in found] == [
        ("/run/maniple/1.sock", OWN, True, 30.0, "admin"),
        ("/m", MASTER, False, 3.0, "admin"),
        ("/x", "", False, 3.0, "operator"),
        ("abns@y", "", True, 3.0, "operator"),
    ]
    assert [one.connections for one in found] == [32, 4, 4, 4]
    with pytest.raises(ValueError, match="unknown word"):
        endpoints(spec, ["/m,colour,red"])


def test_permissions(rig: Rig, tmp_path: Path) -> None:
    assert rig.control.open([at(tmp_path / "a", mode=0o640, gid=os.getgid()), at(tmp_path / "b")]) == []
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o640
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(os.stat(tmp_path / "b").st_mode) == 0o777 & ~mask
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    # A reload may write other permissions.
    assert rig.control.open([at(tmp_path / "a", mode=0o600)]) == []
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_what_stays_goes_on_and_what_goes_is_removed(rig: Rig, tmp_path: Path) -> None:
    rig.control.open([at(tmp_path / "a"), at(tmp_path / "b")])
    talking = rig.client(str(tmp_path / "b"))
    talking.say("prompt\n")
    rig.until(lambda: talking.read)
    before = rig.control.sockets[0]
    rig.control.open([at(tmp_path / "a", level="user"), at(tmp_path / "c")])
    assert rig.control.sockets[0] is before and sorted(os.listdir(tmp_path)) == ["a", "c"]
    assert rig.ask(str(tmp_path / "a"), "show cli level\n") == "user\n\n"
    talking.say("show version\n")
    rig.until(lambda: STATUS.version in talking.read)


def test_one_that_cannot_be_opened_keeps_no_other_from_it(rig: Rig, tmp_path: Path) -> None:
    rig.control.open([at(tmp_path / "a")])
    errors = rig.control.open([at(tmp_path / "b"), at(tmp_path / "none" / "c")])
    assert errors == [f"cannot listen for commands on {tmp_path}/none/c (No such file or directory)"]
    assert sorted(os.listdir(tmp_path)) == ["a", "b"], "what was there stays too"
    for name in ("a", "b"):
        assert rig.ask(str(tmp_path / name), "show version\n") == VERSION
    assert rig.control.open([at(tmp_path / "b")]) == []
    assert os.listdir(tmp_path) == ["b"]


def test_a_stale_path_is_replaced_and_a_foreign_one_is_kept(rig: Rig, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "a"))
    rig.control.open([at(tmp_path / "a")])
    assert rig.ask(str(tmp_path / "a"), "show version\n") == VERSION
    # Another program takes the path over, as the next one does at `-sf`.
    os.unlink(tmp_path / "a")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "a"))
        rig.control.close()
        assert os.listdir(tmp_path) == ["a"]


def test_close_without_removing(rig: Rig, tmp_path: Path) -> None:
    rig.control.open([at(tmp_path / "a")])
    rig.control.close(remove=False)
    assert os.listdir(tmp_path) == ["a"] and not rig.control.sockets


@pytest.mark.parametrize("kind", ["unix", "abns", "inet"])
def test_sockets_go_to_the_next_program(rig: Rig, tmp_path: Path, kind: str) -> None:
    host = {"unix": str(tmp_path / "a"), "abns": str(tmp_path), "inet": "127.0.0.1"}[kind]
    port = 0
    if kind == "inet":
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
    endpoint = Endpoint(ControlSpec(HERE, Address(kind, host, port, port)))
    rig.control.open([endpoint])
    inherited = [sock.dup() for sock in rig.control.sockets]
    rig.control.close(remove=False)
    following = Rig()
    try:
        for sock in inherited:
            following.control.adopt(sock)
        assert following.control.open([endpoint]) == []
        assert following.control.sockets == tuple(inherited)
        if kind == "unix":
            assert following.ask(host, "show version\n") == VERSION
    finally:
        following.close()
    assert os.listdir(tmp_path) == []


def test_adopted_socket_that_nobody_wants_is_closed(rig: Rig, tmp_path: Path) -> None:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(tmp_path / "a"))
    rig.control.adopt(sock)
    rig.control.open([])
    assert sock.fileno() == -1


def test_too_many_clients_wait(rig: Rig, tmp_path: Path) -> None:
    spec = ControlSpec(HERE, Address("unix", str(tmp_path / "a")))
    rig.control.open([Endpoint(spec, connections=2)])
    first = rig.client(str(tmp_path / "a"))
    second = rig.client(str(tmp_path / "a"))
    rig.until(lambda: len(rig.control._conversations) == 2)
    third = rig.client(str(tmp_path / "a"))
    third.say("show version\n")
    for _ in range(5):
        rig.turn()
    assert len(rig.control._conversations) == 2
    first.say("quit\n")
    rig.until(lambda: third.ended)
    assert third.read == VERSION and not second.ended


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_private_endpoint_is_for_its_user(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "a"
    rig.control.open([Endpoint(ControlSpec(HERE, Address("unix", str(path)), mode=0o666), private=True)])
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o011)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(str(path))
            other.settimeout(5)
            try:
                said = other.recv(10)
            except ConnectionResetError:
                said = b""
        os.write(writer, said or b"nothing")
        os._exit(0)
    os.close(writer)
    os.set_blocking(reader, False)
    told: list[bytes] = []

    def heard() -> bool:
        try:
            told.append(os.read(reader, 100))
        except BlockingIOError:
            return False
        return True

    rig.until(heard)
    os.close(reader)
    os.waitpid(pid, 0)
    assert told == [b"nothing"]
    assert rig.ask(str(path), "show version\n") == VERSION


def test_forked_group_forgets(rig: Rig, tmp_path: Path) -> None:
    rig.control.open([at(tmp_path / "a")])
    client = rig.client(str(tmp_path / "a"))
    rig.until(lambda: rig.control._conversations)
    pid = os.fork()
    if not pid:
        rig.control.forget()
        os._exit(int(any(sock.fileno() != -1 for sock in rig.control.sockets)))
    assert os.waitpid(pid, 0)[1] == 0
    client.say("show version\n")
    rig.until(lambda: client.ended)
    assert client.read == VERSION
