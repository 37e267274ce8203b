from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from maniple.groups.activation import Activation, activations

OURS = str(os.getpid())


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"LISTEN_FDS": "2"}, []),
        ({"LISTEN_PID": "1", "LISTEN_FDS": "2"}, []),
        ({"LISTEN_PID": OURS}, []),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "x"}, []),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "-1"}, []),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "2"}, [Activation(3, "unknown"), Activation(4, "unknown")]),
        (
            {"LISTEN_PID": OURS, "LISTEN_FDS": "3", "LISTEN_FDNAMES": "web::api"},
            [Activation(3, "web"), Activation(4, "unknown"), Activation(5, "api")],
        ),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:b"}, [Activation(3, "a")]),
    ],
)
def test_the_environment(environment: dict[str, str], expected: list[Activation]) -> None:
    assert activations(environment) == expected


STARTED = """
import itertools, os, socket, sys
from maniple.core.config.model import Address, BindSpec, Configuration, Place, ProxySpec
from maniple.groups.activation import activated_sockets
from maniple.groups.listening import open_listeners
from maniple.groups.placement import GroupPlace, Placement

os.environ["LISTEN_PID"] = str(os.getpid())
port = int(sys.argv[1])
addresses = [Address("inet", "127.0.0.1", port, port), Address("fd", "4"), Address("unix", sys.argv[2])]
proxy = ProxySpec(Place("f", 1), "web", "frontend", binds=(BindSpec(Place("f", 1), "text", tuple(addresses)),))
placement = Placement(tuple(GroupPlace(number, 1, number, ()) for number in (1, 2)))
kept = None
numbers = itertools.count(1)
for _ in range(2):
    given = activated_sockets(os.environ)
    kept, errors = open_listeners(Configuration(proxies=(proxy,)), placement, kept, given, numbers)
    errors += kept.start()
    assert not errors, errors
for listener in kept.listeners:
    print(listener.number, listener.owners, os.fstat(listener.sock.fileno()).st_ino, kept.is_ours(listener))
print(sum(os.path.exists(f"/proc/self/fd/{number}") for number in (3, 4, 5, 6, 7)))
"""


def test_sockets_that_systemd_opened_serve_their_addresses(tmp_path: Path) -> None:
    """3: an address; 4: taken by number; 5: a unix socket; 6: a pipe; 7: datagrams; 8: closed. After a reload too."""
    path = str(tmp_path / "web.sock")
    reader, writer = os.pipe()
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.create_server(("127.0.0.1", 0)) as by_number,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        unix.bind(path)
        unix.listen()
        given = [tcp.fileno(), by_number.fileno(), unix.fileno(), reader, datagrams.fileno()]
        # By way of numbers behind all of them: a process that has run many tests may have been given 3 to 24 already.
        free = max(*given, 8) + 1
        moves = "".join(f"os.dup2({number}, {free + index}); " for index, number in enumerate(given))
        moves += "".join(f"os.dup2({free + index}, {3 + index}); " for index in range(len(given)))
        moves += f"os.closerange(8, {free + len(given)}); "
        starter = f"import os, sys; {moves}os.execv(sys.executable, [sys.executable, '-c', *sys.argv[1:]])"
        done = subprocess.run(
            [sys.executable, "-c", starter, STARTED, str(tcp.getsockname()[1]), path],
            env={**os.environ, "LISTEN_FDS": "6"},
            pass_fds=given,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.stderr == ""
        lines = done.stdout.splitlines()
        inodes = [os.fstat(sock.fileno()).st_ino for sock in (tcp, by_number, unix)]
        assert lines[0].endswith(f" ((1, 1), (2, 1)) {inodes[0]} False")
        assert lines[1].endswith(f" () {inodes[1]} False")
        assert lines[2].endswith(f" () {inodes[2]} False")
        assert lines[3] == "5"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
    os.close(reader)
    os.close(writer)
