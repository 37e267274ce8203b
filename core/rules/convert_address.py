"""Converters of addresses and of what a Host header has (manual 7.3.1).

Owns: these. Must not know: whose addresses they are.
"""

from __future__ import annotations

from .catalogue import Call, Convert, converter, plain_converter
from .samples import INT, IP, STR

_MAPPED = bytes(10) + b"\xff\xff"
_COMPATIBLE = bytes(12)


def embedded_ipv4(value: bytes) -> bytes | None:
    """The IPv4 address that an IPv6 address (16 bytes) stands for: mapped and compatible ones (RFC 4291, 2.5.5) and
    those of 6to4 (RFC 3056)."""
    if value.startswith((_MAPPED, _COMPATIBLE)):
        return value[12:]
    return value[2:6] if value.startswith(b"\x20\x02") else None


@converter(
    "ipmask",
    IP,
    IP,
    "The network of an address; of an IPv6 one if its mask is given, or if it stands for an IPv4 one",
    arguments="mask4:mask4 mask6:mask6?",
)
def _ipmask(call: Call) -> Convert:
    four = int.from_bytes(call.values[0], "big")
    six = None if call.values[1] is None else int.from_bytes(call.values[1], "big")

    def run(value: bytes) -> bytes | None:
        if len(value) == 16:
            embedded = embedded_ipv4(value)
            if embedded is None:
                return None if six is None else (int.from_bytes(value, "big") & six).to_bytes(16, "big")
            value = embedded
        return (int.from_bytes(value, "big") & four).to_bytes(4, "big") if len(value) == 4 else None

    return run


def cut_port(value: bytes) -> tuple[bytes, bytes]:
    """A Host header's host and port: the port is behind the last colon, unless that is inside brackets."""
    colon = value.rfind(b":")
    if colon < 0 or value.find(b"]", colon) >= 0:
        return value, b""
    return value[:colon], value[colon + 1 :]


@plain_converter("host_only", STR, STR, "A Host header's host, in small letters")
def host_only(value: bytes) -> bytes:
    return cut_port(value)[0].lower()


@plain_converter("port_only", STR, INT, "A Host header's port, 0 where it has none")
def port_only(value: bytes) -> int:
    port = cut_port(value)[1]
    return int(port) & 0xFFFFFFFF if port.isdigit() else 0
