"""`stick` rules of a running maniple with two groups: what one has learned the other knows, also after a reload."""

from __future__ import annotations

import socket
from pathlib import Path

from maniple.tests.wire.rig.serving import HOST, PATIENCE, Ports, Serving

CONFIGURATION = """
global
    stats socket $control mode 600 level admin
    nbgroup 2
    nbthread 2
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{one} thread 1/1
    bind 127.0.0.1:{other} thread 2/1
    default_backend b
backend b
    stick-table type string len 20 size 1000 expire 1h
    stick on url_param(k)
    stick store-response res.hdr(Session)
    stick match hdr(Session)
    server s1 127.0.0.1:{s1}
    server s2 127.0.0.1:{s2}
    server s3 127.0.0.1:{s3}
"""
SERVER = """
frontend {name}
    bind 127.0.0.1:{port}
    http-request return status 200 hdr Session %[rand,hex] content-type text/plain string {name}
"""
KEYS = [f"k{number}" for number in range(12)]


def ask(port: int, path: str, line: str = "") -> tuple[str, str]:
    """The server that has answered, and the session that it told."""
    with socket.create_connection((HOST, port), PATIENCE) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{line}\r\n".encode())
        data = b""
        while piece := client.recv(65536):
            data += piece
    head, _, body = data.decode().partition("\r\n\r\n")
    session = next(one[9:] for one in head.split("\r\n") if one.startswith("session: "))
    return body, session


def test_two_groups_and_a_reload(tmp_path: Path) -> None:
    ports = Ports()
    doors = [ports.take(), ports.take()]
    servers = {name: ports.take() for name in ("s1", "s2", "s3")}
    text = CONFIGURATION.format(one=doors[0], other=doors[1], **servers)
    text += "".join(SERVER.format(name=name, port=port) for name, port in servers.items())
    serving = Serving(tmp_path / "m", text)
    try:
        serving.wait_ready()
        found = {key: ask(doors[number % 2], f"/?k={key}") for number, key in enumerate(KEYS)}
        assert {server for server, _ in found.values()} == set(servers)
        for key, (server, session) in found.items():
            for door in doors:
                assert ask(door, f"/?k={key}")[0] == server
                assert ask(door, "/", f"Session: {session}\r\n")[0] == server
        shown = serving.order("show table b")
        for key, (server, _) in found.items():
            (line,) = [one for one in shown.splitlines() if f"key={key} " in one]
            assert line.endswith(f"server_id={server[1:]} server_key={server}")
        serving.write(text.replace("server s1", "server s0 127.0.0.1:1 id 9 disabled\n    server s1"))
        serving.order("reload", 20)
        for key, (server, _) in found.items():
            for door in doors:
                assert ask(door, f"/?k={key}")[0] == server
    finally:
        serving.close()
        ports.close()
