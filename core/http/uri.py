"""Request targets and authorities: which of the four forms a target has, its parts, and when two authorities are one.

Owns: RFC 9112 3.2 as HAProxy reads it (S7, S10). Must not know: header blocks, statuses. Values in, values out;
nothing here decodes percent signs or changes letters, because what is forwarded must be what was decided upon.
"""

from __future__ import annotations

import re
from enum import IntEnum

TARGET_BYTES = bytes(byte for byte in range(0x21, 0x7F) if byte != ord("#"))
"""S10: no space, no control, nothing above 127, and no fragment, which belongs to the client alone."""

HOST_BYTES = bytes(byte for byte in range(0x21, 0x7F) if byte not in b"#,/?@[\\]")
"""What a host with a port may hold besides an IPv6 literal: HAProxy's set, wider than RFC 3986 3.2.2 (measured
against 3.0)."""


def table_of(good: bytes) -> bytes:
    """A table for `bytes.translate` that keeps the good bytes and changes the others: text is good if translating it
    changes nothing. bytes.translate then gives back the object itself, so this costs no copy and, unlike its `delete`
    argument, builds no table in each call (0.09 µs against 0.21 for 20 bytes)."""
    return bytes(byte if byte in good else byte ^ 0xFF for byte in range(256))


_HOSTS = table_of(HOST_BYTES)
_USERS = table_of(HOST_BYTES + b"@")

_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://")
_IPV6 = re.compile(rb"\[[0-9A-Fa-f:.]+\](?::[0-9]*)?\Z")
_PORT_OF = {b"http": (b"80",), b"https": (b"443",)}
_CONNECT_PORTS = (b"80", b"443")
"""CONNECT names no scheme; a Host without port stands for either of these, as in HAProxy."""


class Form(IntEnum):
    """The four forms of RFC 9112 3.2."""

    ORIGIN = 0
    ABSOLUTE = 1
    AUTHORITY = 2
    ASTERISK = 3


class Target:
    """One request target, taken apart. `authority` includes user information; b"" in the origin and asterisk forms.
    `normal` is what is forwarded: an absolute target loses its scheme's own port and gains the missing "/"."""

    __slots__ = ("authority", "form", "normal", "path", "query", "scheme")

    def __init__(
        self, form: Form, scheme: bytes, authority: bytes, path: bytes, query: bytes | None, normal: bytes
    ) -> None:
        self.form = form
        self.scheme = scheme
        self.authority = authority
        self.path = path
        self.query = query
        self.normal = normal


def read_target(target: bytes, method: bytes) -> Target | None:
    """Take a target apart; None if it has none of the forms that its method may have (S10: `*` only with OPTIONS; the
    authority form only with CONNECT, and with a port, S7). Its characters were checked before."""
    if method == b"CONNECT":
        _, port = split_port(bare_authority(target))
        if not port.isdigit() or not is_authority(target) or b"/" in target:
            return None
        return Target(Form.AUTHORITY, b"", target, b"", None, target)
    if target[:1] == b"/":
        path, query = split_query(target)
        return Target(Form.ORIGIN, b"", b"", path, query, target)
    if target == b"*":
        return Target(Form.ASTERISK, b"", b"", b"*", None, target) if method == b"OPTIONS" else None
    match = _SCHEME.match(target)
    if match is None:
        return None
    authority, _, rest = target[match.end() :].partition(b"/")
    if not is_authority(authority):
        return None
    path, query = split_query(b"/" + rest)
    scheme = match[1].lower()
    normal = match[0] + without_default_port(authority, _PORT_OF.get(scheme, ())) + b"/" + rest
    return Target(Form.ABSOLUTE, scheme, authority, path, query, normal)


def split_query(target: bytes) -> tuple[bytes, bytes | None]:
    """(path, query) of an origin-form target; the query is None where there is no question mark."""
    path, mark, query = target.partition(b"?")
    return path, query if mark else None


def is_host(value: bytes) -> bool:
    """May this be a Host header's value (S7)? An empty one may: RFC 9112 3.2 asks for it where a target has no
    authority."""
    return value.translate(_HOSTS) == value or _IPV6.match(value) is not None


def is_authority(value: bytes) -> bool:
    """May this be an authority: a name, perhaps user information before it, perhaps one port? Stricter than for Host:
    ports are taken out of authorities, and what is left must be one too."""
    user, _, host = value.rpartition(b"@")
    name, port = split_port(host)
    if not name or (b":" in name and name[:1] != b"[") or (port and not port.isdigit()):
        return False
    return is_host(host) and user.translate(_USERS) == user


def bare_authority(authority: bytes) -> bytes:
    """Without user information, which never belongs into a Host header."""
    return authority.rpartition(b"@")[2]


def split_port(host: bytes) -> tuple[bytes, bytes]:
    """(host, port); the port is b"" where none is given. An IPv6 literal's colons are not taken for a port's."""
    name, colon, port = host.rpartition(b":")
    if not colon or b"]" in port:
        return host, b""
    return name, port


def without_default_port(host: bytes, ports: tuple[bytes, ...]) -> bytes:
    """The authority without its port where that is empty or one of `ports`. Unchanged if `ports` is empty: an unknown
    scheme."""
    if not ports:
        return host
    name, colon, port = host.rpartition(b":")
    if colon and b"]" not in port and (not port or port in ports):
        return name
    return host


def same_authority(target: Target, host: bytes) -> bool:
    """Do a target's authority and a Host header name one place? Letters' case and the default port are ignored (S7)."""
    ports = default_ports(target)
    ours = without_default_port(bare_authority(target.authority), ports)
    return ours.lower() == without_default_port(host, ports).lower()


def default_ports(target: Target) -> tuple[bytes, ...]:
    """The ports that may be left out beside this target."""
    if target.form is Form.AUTHORITY:
        return _CONNECT_PORTS
    return _PORT_OF.get(target.scheme, ())
