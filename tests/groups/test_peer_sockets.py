"""Sockets of peers sections."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from maniple.core.config.parser import load
from maniple.core.config.peers_spec import PeersSpec
from maniple.groups.foundation import FoundationError
from maniple.groups.peer_sockets import PeerSockets
from maniple.tests.groups.stewards import accepts, free_port


def spec(address: str, name: str = "pp") -> PeersSpec:
    text = f"global\n localpeer me\npeers {name}\n peer me {address}\nfrontend f\n bind :80\n"
    configuration, diagnostics = load([("x", text)], {})
    assert configuration is not None, diagnostics.render()
    return configuration.peers[name]


def test_they_are_kept_while_their_address_is_there(tmp_path: Path) -> None:
    sockets = PeerSockets()
    port = free_port()
    tcp, path, name = spec(f"127.0.0.1:{port}"), spec(f"unix@{tmp_path}/s", "u"), spec("abns@maniple-test-peers", "a")
    sockets.open([tcp, path, name])
    first = sockets.of(tcp)
    assert first is not None and not accepts(port)
    first.listen()
    sockets.open([tcp])
    sockets.keep([tcp, path])
    assert sockets.of(tcp) is first and accepts(port)
    assert sockets.of(name) is None and (tmp_path / "s").exists()
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(f"{tmp_path}/s")
    found = sockets.write()
    for one in found:
        one["socket"] = os.dup(one["socket"])
    other = PeerSockets()
    other.read(found)
    sockets.forget()
    assert accepts(port) and other.of(path) is not None
    other.close()
    assert not accepts(port) and not (tmp_path / "s").exists()


def test_what_fails_leaves_nothing_new() -> None:
    sockets = PeerSockets()
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = spec(f"127.0.0.1:{taken.getsockname()[1]}", "taken")
        with pytest.raises(FoundationError, match=r"Binding \[x:4\] for frontend peers taken: cannot bind socket"):
            sockets.open([spec(f"127.0.0.1:{port}"), other])
    assert sockets.write() == []
