"""Fetches of connections."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.samples import pack_ip

CASES: list[tuple[str, Any]] = [
    ("src", pack_ip(b"192.0.2.7")),
    ("src_port", 40000),
    ("dst", pack_ip(b"192.0.2.1")),
    ("dst_port", 80),
    ("fc_src", pack_ip(b"192.0.2.7")),
    ("fc_src_port", 40000),
    ("fc_dst", pack_ip(b"192.0.2.1")),
    ("fc_dst_port", 80),
    ("src_is_local", False),
    ("fc_dst_is_local", False),
    ("fc_http_major", 1),
    ("fc_rcvd_proxy", False),
    ("fc_err", 0),
    ("fc_err_name", b""),
    ("fc_err_str", b"Success"),
    ("fc_nb_streams", 1),
    ("fc_glitches", None),
    ("bc_glitches", None),
    ("bytes_in", 70),
    ("bytes_out", 0),
    ("bc_http_major", None),
    ("bc_src", None),
    ("bc_be_queue", 0),
    ("bc_srv_queue", 0),
    ("bc_rtt", None),
    ("req.timer.idle", 10),
    ("req.timer.hdr", 1),
    ("req.timer.tq", 11),
    ("req.timer.queue", -1),
    ("bc.timer.connect", -1),
    ("res.timer.hdr", -1),
    ("fc.timer.handshake", 0),
]


def stage_of(text: str) -> Stage:
    return Stage.BACK_RESPONSE if text.startswith(("bc", "res", "req.timer.queue")) else Stage.FRONT_REQUEST


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_value(text: str, expected: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    assert value_of(text, make_scope(), stage=stage_of(text)) == expected


@pytest.mark.parametrize("text", ["src", "src_port", "dst", "dst_port", "fc_src", "fc_src_port", "src_is_local"])
def test_a_unix_socket_has_no_address(text: str, value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    assert value_of(text, make_scope(source=b"", destination=b"", client_host="unix", frontend_host="unix")) is None


class Transport:
    def __init__(self, sock: socket.socket) -> None:
        self._facts = {"socket": sock, "peername": sock.getpeername(), "sockname": sock.getsockname()}

    def get_extra_info(self, name: str) -> Any:
        return self._facts[name]


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        self.transport = Transport(sock)


def test_what_the_kernel_knows(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sock:
        x = make_scope(upstream=Connection(sock))
        x.session.transport = Transport(sock)
        answer = {text: value_of(text, x, stage=Stage.BACK_RESPONSE) for text in ("bc_src", "bc_dst", "bc_dst_port")}
        assert answer == {"bc_src": b"\x7f\0\0\1", "bc_dst": b"\x7f\0\0\1", "bc_dst_port": listener.getsockname()[1]}
        assert value_of("bc_src_port", x, stage=Stage.BACK_RESPONSE) == sock.getsockname()[1]
        assert 0 < value_of("fc_rtt(us)", x) < 1_000_000 and value_of("fc_rtt", x) < 1000
        for name in ("unacked", "lost", "retrans", "sacked", "fackets"):
            assert value_of(f"fc_{name}", x) == 0
        assert value_of("fc_reordering", x) >= 3
        x = make_scope(source=b"\x7f\0\0\1")
        assert value_of("src_is_local", x) is True


def test_a_server_connection_that_stands_has_no_error(
    value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    names = ("bc_err", "bc_err_name", "bc_err_str")
    for x, expected in (
        (make_scope(), [None, None, None]),
        (make_scope(upstream=object()), [0, b"", b"Success"]),
        (make_scope(connect_at=1013.0), [0, b"", b"Success"]),
    ):
        assert [value_of(name, x, stage=Stage.LOG) for name in names] == expected


def test_of_http_1_there_is_one_stream(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(server=object(), request_number=3)
    names = ("bc_nb_streams", "bc_setting_streams_limit", "fc_settings_streams_limit", "fc_nb_streams", "fs.id")
    assert [value_of(name, x, stage=Stage.BACK_RESPONSE) for name in names] == [1, 1, 1, 1, 3]
    assert [value_of(name, x, stage=Stage.BACK_RESPONSE) for name in ("fs.rst_code", "bs.rst_code")] == [None, None]
    x = make_scope()
    assert [value_of(name, x, stage=Stage.LOG) for name in names] == [None, None, 1, 1, 0]


def test_times_at_the_end(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(slot_at=1011.9, connect_at=1013.0, response_at=1020.0, end_at=1030.5)
    names = ("req.timer.queue", "bc.timer.connect", "res.timer.data", "fc.timer.total")
    assert [value_of(name, x, stage=Stage.LOG) for name in names] == [0, 2, 10, 30]
