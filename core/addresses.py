"""Addresses of bind, server, source and log lines (manual 4.2 "bind" and "server", 11 for the prefixes).

Owns: the text form of an address, the value `Address`, and the look-up of a host name. Must not know: which keyword
an address belongs to, nor open a socket. Invariants: parsing never asks the network: a host name stays a name (kind
"name") until `resolve_host`; every refusal is a ValueError whose text names the part that is wrong.

HAProxy reads a server's bare `80` as the host 0.0.0.80, and an empty path as a socket bound to nothing; we refuse both.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal

Family = Literal["", "inet", "inet6"]

MAX_PORT = 65535
MAX_PATH = 107
"""Bytes of a unix path or abstract name: sun_path without its NUL."""


@dataclass(frozen=True, slots=True)
class Address:
    """A bind or server address. `kind`: inet, inet6, unix, abns, fd, or name (a host not looked up yet).

    `host` is the numeric address, "" for any; for unix and abns the path or name; for fd the number as text; for name
    the host name. `port_low == port_high` unless a range was written; `port_offset` is True where the port (maybe
    negative) is added to the client's destination port: server ports written +n or -n, or not at all (+0).
    `family` is "inet" or "inet6" for a name that must be looked up in that family only."""

    kind: str
    host: str
    port_low: int = 0
    port_high: int = 0
    port_offset: bool = False
    family: Family = ""

    @property
    def port(self) -> int:
        """The only, or the first, port."""
        return self.port_low

    def ports(self) -> tuple[Address, ...]:
        """One address for each port of the range."""
        if self.port_low == self.port_high:
            return (self,)
        return tuple(replace(self, port_low=port, port_high=port) for port in range(self.port_low, self.port_high + 1))

    def __str__(self) -> str:
        """The text that reads back to this address."""
        return _format(self)


# prefix -> (kind, family); "" means that the host's own form decides
_STREAM_PREFIXES: dict[str, tuple[str, Family]] = {
    "ip": ("", ""),
    "ipv4": ("", "inet"),
    "ipv6": ("", "inet6"),
    "tcp": ("", ""),
    "tcp4": ("", "inet"),
    "tcp6": ("", "inet6"),
    "unix": ("unix", ""),
    "uxst": ("unix", ""),
    "abns": ("abns", ""),
    "fd": ("fd", ""),
}
_DATAGRAM_PREFIXES: dict[str, tuple[str, Family]] = {
    "ip": ("", ""),
    "ipv4": ("", "inet"),
    "ipv6": ("", "inet6"),
    "udp": ("", ""),
    "udp4": ("", "inet"),
    "udp6": ("", "inet6"),
    "unix": ("unix", ""),
    "uxdg": ("unix", ""),
    "abns": ("abns", ""),
    "fd": ("fd", ""),
}
_HAPROXY_ONLY = frozenset(
    ("abnsz", "mptcp", "mptcp4", "mptcp6", "quic4", "quic6", "rev", "rhttp", "sockpair", "udp", "udp4", "udp6", "uxdg")
)
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)
_DOTTED_DIGITS = re.compile(r"[0-9.]+", re.ASCII)
_PORT = re.compile(r"[0-9]+", re.ASCII)


def parse_address(
    text: str,
    *,
    default_port: int | None = None,
    ranges: bool = False,
    offsets: bool = False,
    zero_port: bool = False,
    datagram: bool = False,
) -> Address:
    """One address. Without `default_port` a port must be written, and may be 0 only if `zero_port`.

    `ranges` permits `80-89`, `offsets` permits `+100` and `-100`; `datagram` reads the address of a log target, where
    `udp@` and `uxdg@` take the places of `tcp@` and `uxst@`. ValueError with a text for people."""
    if not text:
        raise ValueError("address is empty (is an environment variable missing?)")
    if "\0" in text:
        raise ValueError(f"address {text!r} contains a NUL character")
    prefix, rest = _split_prefix(text)
    kind, family = _look_up_prefix(prefix, text, datagram)
    if prefix is None and text.startswith("/"):
        kind = "unix"
    if kind == "fd":
        if not _PORT.fullmatch(rest):
            raise ValueError(f"file descriptor '{rest}' in '{text}' is not a number")
        return Address("fd", str(int(rest)))
    if kind:
        return Address(kind, _socket_name(rest, text))

    host, port = _split_port(rest)
    low, high, offset = _parse_port(port, text, default_port, ranges, offsets, zero_port)
    return replace(_parse_host(host, text, family), port_low=low, port_high=high, port_offset=offset)


def parse_addresses(text: str, *, zero_port: bool = False) -> tuple[Address, ...]:
    """The comma-separated addresses of a bind line, each with a port or a range; a trailing comma is allowed."""
    parts = text.split(",")
    if len(parts) > 1 and not parts[-1]:
        del parts[-1]
    for part in parts:
        if not part and text:
            raise ValueError(f"empty address in the list '{text}' (is an environment variable missing?)")
    return tuple(parse_address(part, ranges=True, zero_port=zero_port) for part in parts)


def parse_server_address(text: str) -> Address:
    """The address of a server line: no port, port 0 and `+n`, `-n` mean an offset to the client's destination port."""
    address = parse_address(text, default_port=0, offsets=True, zero_port=True)
    if address.kind == "fd":
        raise ValueError(f"a server cannot be a file descriptor: '{text}'")
    if address.kind in ("unix", "abns") or address.port_offset or address.port_low:
        return address
    return replace(address, port_offset=True)


def resolve_host(name: str, family: Family = "") -> Address:
    """Look `name` up (blocking) and return it as a numeric address without port; IPv4 wins where both exist.

    ValueError when nothing, or nothing of that family, is found."""
    wanted = {"": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}[family]
    try:
        found = socket.getaddrinfo(name, None, wanted, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "not a valid host name"
        version = {"": "", "inet": " as IPv4", "inet6": " as IPv6"}[family]
        raise ValueError(f"cannot resolve host '{name}'{version}: {reason}") from None
    kinds = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
    numeric = [Address(kinds[entry[0]], str(entry[4][0])) for entry in found if entry[0] in kinds]
    if not numeric:
        raise ValueError(f"cannot resolve host '{name}': it has no internet address")
    return min(numeric, key=lambda address: address.kind != "inet")


def resolve_address(address: Address) -> Address:
    """`address` with its host name looked up; any other address as it is. ValueError as `resolve_host`."""
    if address.kind != "name":
        return address
    numeric = resolve_host(address.host, address.family)
    return replace(address, kind=numeric.kind, host=numeric.host, family="")


def _split_prefix(text: str) -> tuple[str | None, str]:
    """(`prefix` of `prefix@rest`, rest); the prefix is None where there is none. A path may contain an @."""
    prefix, found, rest = text.partition("@")
    if not found or text.startswith("/"):
        return None, text
    return prefix, rest


def _look_up_prefix(prefix: str | None, text: str, datagram: bool) -> tuple[str, Family]:
    if prefix is None:
        return "", ""
    transport, plus, bare = prefix.rpartition("+")
    if plus and transport == ("dgram" if datagram else "stream"):
        prefix = bare
    known = _DATAGRAM_PREFIXES if datagram else _STREAM_PREFIXES
    if prefix in known:
        return known[prefix]
    if prefix in _HAPROXY_ONLY or transport in ("stream", "dgram") or prefix in _STREAM_PREFIXES:
        raise ValueError(f"HAProxy knows '{prefix}@' but maniple does not support it here: '{text}'")
    listed = " ".join(f"{name}@" for name in known)
    raise ValueError(f"unknown address prefix '{prefix}@' in '{text}' (known: {listed})")


def _socket_name(name: str, text: str) -> str:
    if not name:
        raise ValueError(f"no path after the prefix in '{text}'")
    length = len(name.encode("utf-8", "surrogateescape"))
    if length > MAX_PATH:
        raise ValueError(f"socket path '{name}' is too long ({length} bytes, at most {MAX_PATH})")
    return name


def _split_port(text: str) -> tuple[str, str]:
    """Host and port around the last colon, unless that stands inside brackets."""
    colon = text.rfind(":")
    if colon < 0 or colon < text.rfind("]"):
        return text, ""
    return text[:colon], text[colon + 1 :]


def _parse_port(
    port: str, text: str, default_port: int | None, ranges: bool, offsets: bool, zero_port: bool
) -> tuple[int, int, bool]:
    if not port:
        if default_port is not None:
            return default_port, default_port, False
        if _PORT.fullmatch(text):
            raise ValueError(f"no port in '{text}' (for the port alone write ':{text}')")
        raise ValueError(f"no port in '{text}'")
    if port[0] in "+-":
        if not offsets:
            raise ValueError(f"a port offset is not permitted here: '{text}'")
        amount = port[1:] or "0"
        if not _PORT.fullmatch(amount) or int(amount) > MAX_PORT:
            raise ValueError(f"invalid port offset '{port}' in '{text}'")
        offset = int(amount) if port[0] == "+" else -int(amount)
        return offset, offset, True
    first, dash, last = port.partition("-")
    if dash and not ranges:
        raise ValueError(f"a range of ports is not permitted here: '{text}'")
    low = _port_number(first, text, zero_port)
    high = _port_number(last, text, zero_port) if dash else low
    if high < low:
        raise ValueError(f"invalid range of ports '{port}' in '{text}': it runs downwards")
    return low, high, False


def _port_number(digits: str, text: str, zero_port: bool) -> int:
    if not _PORT.fullmatch(digits):
        raise ValueError(f"invalid port '{digits}' in '{text}'")
    number = int(digits)
    if number > MAX_PORT or (number == 0 and not zero_port):
        raise ValueError(f"invalid port '{digits}' in '{text}' (ports go from {0 if zero_port else 1} to {MAX_PORT})")
    return number


def _parse_host(host: str, text: str, family: Family) -> Address:
    if host in ("", "*"):
        return Address(family or "inet", "")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not family or family == "inet6":
        try:
            return Address("inet6", str(IPv6Address(bare))) if "%" not in bare else _refuse_host(host, text, family)
        except AddressValueError:
            pass
    if not family or family == "inet":
        try:
            return Address("inet", str(IPv4Address(bare)))
        except AddressValueError:
            pass
        if "." in bare and _DOTTED_DIGITS.fullmatch(bare):
            try:  # the historic short forms, such as 127.1, which getaddrinfo reads as numbers as well
                return Address("inet", socket.inet_ntoa(socket.inet_aton(bare)))
            except OSError:
                pass
    if bracketed or not _HOST_NAME.fullmatch(bare) or _DOTTED_DIGITS.fullmatch(bare):
        return _refuse_host(host, text, family)
    return Address("name", bare, family=family)


def _refuse_host(host: str, text: str, family: Family) -> Address:
    version = {"": "", "inet": "IPv4 ", "inet6": "IPv6 "}[family]
    hint = ""
    if host == ":":
        hint = f" (the last colon stands before the port: for any IPv6 address write ':::{text[2:]}' or '[::]:<port>')"
    elif "%" in host:
        hint = " (scope identifiers are not supported)"
    elif _PORT.fullmatch(host):
        hint = f" (for the port alone write ':{host}')"
    raise ValueError(f"invalid {version}address '{host}' in '{text}'{hint}")


def _format(address: Address) -> str:
    if address.kind in ("unix", "abns", "fd"):
        if address.kind == "unix" and address.host.startswith("/"):
            return address.host
        return f"{address.kind}@{address.host}"
    host = address.host or "*"
    if address.kind == "inet6":
        host = f"[{address.host}]" if address.host else "ipv6@*"
    elif address.kind == "name" and address.family:
        host = f"{'ipv4' if address.family == 'inet' else 'ipv6'}@{address.host}"
    if address.port_offset:
        return f"{host}:{address.port_low:+d}"
    if not address.port_high:
        return f"{host}:0"
    if address.port_low == address.port_high:
        return f"{host}:{address.port_low}"
    return f"{host}:{address.port_low}-{address.port_high}"
