"""Fetches of the connections on both sides: addresses, ports, what the kernel knows of them, times (manual 7.3.3).

Owns: these. Must not know: messages. Rules may change `src` and `dst` (`set-src` ...), not
`fc_src` and `fc_dst`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

from .catalogue import (
    CLIENT,
    LOG_ONLY,
    REQUEST,
    RESPONSE,
    RUNNING,
    SERVER_SIDE,
    Call,
    Fetch,
    Needs,
    fetch,
    plain_fetch,
)
from .samples import BOOL, INT, IP, STR, pack_ip

# The client's side.


@plain_fetch("src", IP, CLIENT, "The client's address", source="(x.session.source or None)")
def src(x: Any) -> Any:
    return x.session.source or None


@plain_fetch("src_port", INT, CLIENT, "The client's port")
def src_port(x: Any) -> Any:
    session = x.session
    return session.source_port if session.source else None


@plain_fetch("dst", IP, CLIENT, "The address that the client connected to")
def dst(x: Any) -> Any:
    return x.session.destination or None


@plain_fetch("dst_port", INT, CLIENT, "The port that the client connected to")
def dst_port(x: Any) -> Any:
    session = x.session
    return session.destination_port if session.destination else None


@plain_fetch("fc_src", IP, CLIENT, "The client's address, whatever rules have set")
def fc_src(x: Any) -> Any:
    return pack_ip(x.session.client_host.encode())


@plain_fetch("fc_src_port", INT, CLIENT, "The client's port, whatever rules have set")
def fc_src_port(x: Any) -> Any:
    session = x.session
    return None if session.client_host == "unix" else session.client_port


@plain_fetch("fc_dst", IP, CLIENT, "The address that the client connected to, whatever rules have set")
def fc_dst(x: Any) -> Any:
    return pack_ip(x.session.frontend_host.encode())


@plain_fetch("fc_dst_port", INT, CLIENT, "The port that the client connected to, whatever rules have set")
def fc_dst_port(x: Any) -> Any:
    session = x.session
    return None if session.frontend_host == "unix" else session.frontend_port


def is_local(packed: bytes) -> bool:
    """Is it an address of this machine? Four system calls, 10 us."""
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((socket.inet_ntop(family, packed), 0))
        except OSError:
            return False
        return True


@plain_fetch("src_is_local", BOOL, CLIENT, "Whether the client is on this machine")
def src_is_local(x: Any) -> bool | None:
    packed = x.session.source
    return is_local(packed) if packed else None


@plain_fetch("dst_is_local", BOOL, CLIENT, "Whether the client connected to an address of this machine")
def dst_is_local(x: Any) -> bool | None:
    packed = x.session.destination
    return is_local(packed) if packed else None


@plain_fetch("fc_src_is_local", BOOL, CLIENT, "src_is_local, whatever rules have set")
def fc_src_is_local(x: Any) -> bool | None:
    packed = fc_src(x)
    return is_local(packed) if packed else None


@plain_fetch("fc_dst_is_local", BOOL, CLIENT, "dst_is_local, whatever rules have set")
def fc_dst_is_local(x: Any) -> bool | None:
    packed = fc_dst(x)
    return is_local(packed) if packed else None


@plain_fetch("fc_http_major", INT, CLIENT, "The major version of HTTP that the client's connection speaks")
def fc_http_major(x: Any) -> int:
    return 1


@plain_fetch("fc_rcvd_proxy", BOOL, CLIENT, "Whether a PROXY header came before the client's bytes")
def fc_rcvd_proxy(x: Any) -> bool:
    return False


@plain_fetch("bytes_in", INT, RUNNING, "Bytes received from the client for this request so far")
def bytes_in(x: Any) -> Any:
    return x.bytes_from_client


@plain_fetch("bytes_out", INT, RUNNING, "Bytes sent to the client for this request so far")
def bytes_out(x: Any) -> Any:
    return x.bytes_to_client


# What the kernel knows (linux/tcp.h, struct tcp_info: 8 bytes, then 32-bit numbers).
_FIGURES = {
    "unacked": (4, "Segments sent and not acknowledged yet"),
    "sacked": (5, "Segments acknowledged selectively"),
    "lost": (6, "Segments taken for lost"),
    "retrans": (7, "Segments sent again and not acknowledged yet"),
    "fackets": (8, "Segments acknowledged forward"),
    "rtt": (15, "The round trip's time, in ms or us"),
    "rttvar": (16, "Its variance, in ms or us"),
    "reordering": (20, "The reordering that the kernel expects"),
}


def tcp_figure(transport: Any, number: int) -> int | None:
    """Number `number` of the kernel's figures about a TCP connection."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:
        return None
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8 + 4 * (number + 1))
    except OSError:
        return None
    found: int = struct.unpack_from("=I", raw, 8 + 4 * number)[0]
    return found


def _register_figure(name: str, number: int, summary: str, side: Callable[[Any], Any], prefix: str) -> None:
    timed = name.startswith("rtt")

    @fetch(prefix + name, INT, CLIENT, summary, arguments="unit:string?", needs=Needs.NOTHING)
    def make(call: Call) -> Fetch:
        divisor = 1
        if timed:
            if call.values[0] not in (None, b"ms", b"us"):
                raise call.error("a unit is ms or us", 0)
            divisor = 1 if call.values[0] == b"us" else 1000

        def run(x: Any) -> int | None:
            connection = side(x)
            if connection is None:
                return None
            figure = tcp_figure(connection.transport, number)
            return None if figure is None else figure // divisor

        return run


for _name, (_number, _summary) in _FIGURES.items():
    _register_figure(_name, _number, _summary, lambda x: x.session, "fc_")
for _name in ("rtt", "rttvar"):
    _register_figure(_name, *_FIGURES[_name], lambda x: x.upstream, "bc_")


# The server's side.


def _end(name: str, index: int) -> Fetch:
    def run(x: Any) -> Any:
        connection = x.upstream
        if connection is None:
            return None
        address = connection.transport.get_extra_info(name)
        if not address or len(address) < 2 or not address[0]:
            return None
        return pack_ip(address[0].encode()) if index == 0 else address[1]

    return run


plain_fetch("bc_src", IP, SERVER_SIDE, "Our address on the server connection")(_end("sockname", 0))
plain_fetch("bc_src_port", INT, SERVER_SIDE, "Our port on the server connection")(_end("sockname", 1))
plain_fetch("bc_dst", IP, SERVER_SIDE, "The server's address")(_end("peername", 0))
plain_fetch("bc_dst_port", INT, SERVER_SIDE, "The server's port")(_end("peername", 1))


@plain_fetch("bc_http_major", INT, SERVER_SIDE, "The major version of HTTP that the server connection speaks")
def bc_http_major(x: Any) -> int | None:
    return None if x.server is None else 1


@plain_fetch("bc_be_queue", INT, SERVER_SIDE, "Requests that were before this one in the backend's queue")
def bc_be_queue(x: Any) -> Any:
    return x.backend_queue


@plain_fetch("bc_srv_queue", INT, SERVER_SIDE, "Requests that were before this one in the server's queue")
def bc_srv_queue(x: Any) -> Any:
    return x.server_queue


# Times, in milliseconds, -1 while they are not known (manual 8.4).


def _between(earlier: str, later: str) -> Fetch:
    def run(x: Any) -> int:
        end = getattr(x, later)
        return int(end) - int(getattr(x, earlier)) if end >= 0.0 else -1

    return run


plain_fetch("req.timer.idle", INT, REQUEST, "Ti: from the last request to this one's first byte")(
    _between("idle_since", "first_byte_at")
)
plain_fetch("req.timer.hdr", INT, REQUEST, "TR: from the request's first byte to its whole head")(
    _between("first_byte_at", "head_at")
)
plain_fetch("req.timer.tq", INT, REQUEST, "Tq: from the last request to this one's whole head")(
    _between("idle_since", "head_at")
)
plain_fetch("req.timer.queue", INT, SERVER_SIDE, "Tw: time in queues", needs=Needs.NOTHING)(
    _between("head_at", "slot_at")
)
plain_fetch("bc.timer.connect", INT, SERVER_SIDE, "Tc: time to connect", needs=Needs.NOTHING)(
    _between("slot_at", "connect_at")
)
plain_fetch("res.timer.hdr", INT, RESPONSE, "Tr: time to the response's head")(_between("connect_at", "response_at"))
plain_fetch("res.timer.data", INT, LOG_ONLY, "Td: time of the response's body")(_between("response_at", "end_at"))


@plain_fetch("fc.timer.handshake", INT, CLIENT, "Th: time of the handshakes", needs=Needs.NOTHING)
def handshake_time(x: Any) -> int:
    return 0


@plain_fetch("fc.timer.total", INT, LOG_ONLY, "Tt: from the accept to the end")
def total_time(x: Any) -> int:
    return int(x.end_at) - int(x.session.accept_at)


# Errors of a client's connection are those of handshakes (TLS, PROXY protocol): who has sent a request has none.


@plain_fetch("fc_err", INT, CLIENT, "The error of the client's connection: 0, none", needs=Needs.NOTHING)
def fc_err(x: Any) -> int:
    return 0


@plain_fetch("fc_err_name", STR, CLIENT, "The name of that error: there is none", needs=Needs.NOTHING)
def fc_err_name(x: Any) -> bytes:
    return b""


@plain_fetch("fc_err_str", STR, CLIENT, "That error in words: Success", needs=Needs.NOTHING)
def fc_err_str(x: Any) -> bytes:
    return b"Success"


@plain_fetch("fc_nb_streams", INT, CLIENT, "Requests under way in the client's connection: one", needs=Needs.NOTHING)
def fc_nb_streams(x: Any) -> int:
    return 1


def _no_error(value: object) -> Fetch:
    """Of a server connection that there is, or was: one that could not be made is none, as in HAProxy."""
    return lambda x: value if x.upstream is not None or x.connect_at >= 0.0 else None


plain_fetch("bc_err", INT, SERVER_SIDE, "The error of the server connection: 0, none")(_no_error(0))
plain_fetch("bc_err_name", STR, SERVER_SIDE, "The name of that error: there is none")(_no_error(b""))
plain_fetch("bc_err_str", STR, SERVER_SIDE, "That error in words: Success")(_no_error(b"Success"))


@plain_fetch("bc_nb_streams", INT, SERVER_SIDE, "Requests under way in the server connection: one")
@plain_fetch("bc_setting_streams_limit", INT, SERVER_SIDE, "How many it allows at a time: one")
def bc_one_stream(x: Any) -> int | None:
    return None if x.server is None else 1


@plain_fetch("fc_settings_streams_limit", INT, CLIENT, "Requests that the client's connection allows at a time: one")
def fc_one_stream(x: Any) -> int:
    return 1


@plain_fetch("fs.id", INT, CLIENT, "The number of the request in the client's connection, from 0", needs=Needs.NOTHING)
def stream_id(x: Any) -> Any:
    return x.request_number


@plain_fetch("fs.rst_code", INT, CLIENT, "With what code the client reset an HTTP/2 stream: none", needs=Needs.NOTHING)
@plain_fetch("bs.rst_code", INT, SERVER_SIDE, "With what code the server did: none", needs=Needs.NOTHING)
def no_reset(x: Any) -> None:
    return None


@plain_fetch("fc_glitches", INT, CLIENT, "Of HTTP/2 connections: none", needs=Needs.NOTHING)
@plain_fetch("bc_glitches", INT, SERVER_SIDE, "Of HTTP/2 connections: none", needs=Needs.NOTHING)
def glitches(x: Any) -> None:
    return None
