from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from maniple.core.net.unix_facts import UnixFacts, leads_to, unix_facts


def test_file_and_queue(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with socket.socket(socket.AF_UNIX) as sock, socket.socket(socket.AF_UNIX) as client:
        sock.bind(str(path))
        sock.listen(5)
        os.rename(path, tmp_path / "b")
        client.connect(str(tmp_path / "b"))
        assert unix_facts(sock) == UnixFacts((tmp_path / "b").stat().st_ino & 0xFFFFFFFF, 1)
        assert leads_to(str(tmp_path / "b"), sock)
        assert not leads_to(str(path), sock)


def test_a_path_leads_to_one_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        first.bind(path)
        os.unlink(path)
        second.bind(path)
        assert not leads_to(path, first)
        assert leads_to(path, second)
    os.unlink(path)
    Path(path).write_text("a file")
    with socket.socket(socket.AF_UNIX) as unbound:
        assert not leads_to(path, unbound)


def test_nothing_is_known_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as sock:
        assert unix_facts(tcp) == UnixFacts()
        sock.bind(str(tmp_path / "a"))
        # A kernel that does not tell: any socket file will do.
        monkeypatch.setattr("maniple.core.net.unix_facts._NETLINK_SOCK_DIAG", 31)
        assert unix_facts(sock) == UnixFacts()
        assert leads_to(str(tmp_path / "a"), sock)
