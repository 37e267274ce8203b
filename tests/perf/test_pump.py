"""The pump copies both ways and hands ends of file on."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import psutil
from maniple.perf.processes import Child, free_port, module_command, wait_until


def test_pump_copies_and_closes(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def echo() -> None:
            peer, _ = listener.accept()
            with peer:
                while piece := peer.recv(65536):
                    peer.sendall(piece)

        thread = threading.Thread(target=echo)
        thread.start()
        command = module_command("pump", str(port), str(listener.getsockname()[1]))
        assert command[0] == sys.executable
        with Child("pump", command, tmp_path) as child:
            wait_until(lambda: child.alive() and listens(port), 10, "pump listens")
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                client.sendall(b"x" * 300_000)
                got = 0
                while got < 300_000:
                    got += len(client.recv(65536))
            thread.join(5)
            assert not thread.is_alive()


def test_several_processes_end_together(tmp_path: Path) -> None:
    port = free_port()
    with Child("pump", module_command("pump", str(port), "1", "3"), tmp_path) as child:
        wait_until(lambda: sockets(port) == 3, 10, "each listens")
        members = child.family()
        assert len(members) == 3
        os.kill(child.pid, signal.SIGTERM)
        wait_until(lambda: not any(map(psutil.pid_exists, members[1:])), 10, "all end")
        assert child.wait(5) == 0


def sockets(port: int) -> int:
    return Path("/proc/net/tcp").read_text().count(f"0100007F:{port:04X} 00000000:0000 0A")


def listens(port: int) -> bool:
    """A listening socket, without connecting: a connection would be the server's first."""
    wanted = f"0100007F:{port:04X} 00000000:0000 0A"
    return wanted in Path("/proc/net/tcp").read_text()
