"""TLS hellos as raw bytes: what is said before anything is encrypted (RFC 8446 4.1.2, RFC 5246 7.4.1, RFC 6066 3).

Owns: records, the first handshake message, the extensions of a ClientHello that fetches ask for. Must not know: scopes,
fetches. There is no library for this: TLS libraries want to carry the handshake on, and this one only looks at it.

Strict: every length has to fit exactly, no extension may come twice. A message may be spread over several records.
Invariant: nothing raises, whatever the bytes are; the answer is the message, `Reading.MORE` (its start, so far) or
`Reading.OTHER` (something else, or broken: what comes later cannot mend it).
"""

from __future__ import annotations

from enum import Enum


class Reading(Enum):
    """What bytes are that are no whole message."""

    MORE = "the start of one"
    OTHER = "something else"


MORE, OTHER = Reading

HANDSHAKE = 0x16
CLIENT_HELLO, SERVER_HELLO = 1, 2
SERVER_NAME, SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, ALPN, SESSION_TICKET, KEY_SHARE = (
    0, 10, 11, 13, 16, 35, 51,
)  # fmt: skip
_RECORD = 1 << 14
"""Bytes of a plaintext record, at most."""
_RECORDS = 32
"""Records that one message is spread over, at most: who sends more only wants us to count."""


def read_handshake(data: bytes) -> tuple[int, bytes] | Reading:
    """The first handshake message at the start of a stream: its type and what follows the length."""
    message = b""
    at = 0
    for _ in range(_RECORDS):
        head = data[at : at + 5]
        # A byte that is wrong is wrong before the rest has come.
        if (head and head[0] != HANDSHAKE) or (len(head) > 1 and head[1] != 3):
            return OTHER
        if len(head) < 5:
            return MORE
        size = head[3] << 8 | head[4]
        if not 0 < size <= _RECORD:
            return OTHER
        piece = data[at + 5 : at + 5 + size]
        message += piece
        if len(message) >= 4:
            length = int.from_bytes(message[1:4], "big")
            if len(message) >= 4 + length:
                return message[0], message[4 : 4 + length]
        if len(piece) < size:
            return MORE
        at += 5 + size
    return OTHER


def hello_type(data: bytes) -> int | Reading:
    """The type of the first message, once it is whole: 1 a client's hello, 2 a server's."""
    found = read_handshake(data)
    return found if isinstance(found, Reading) else found[0]


def hello_version(data: bytes) -> int | Reading:
    """The version that the first message asks for, major * 65536 + minor: 3.3 is TLS 1.2, and what TLS 1.3 says too. Of
    an SSLv2 hello (RFC 5246 E.2) as well."""
    if data[:1] and data[0] & 0x80:
        return _version_2(data)
    found = read_handshake(data)
    if isinstance(found, Reading):
        return found
    body = found[1]
    if found[0] != CLIENT_HELLO or len(body) < 2 or body[0] < 3:
        return OTHER
    return body[0] << 16 | body[1]


def _version_2(data: bytes) -> int | Reading:
    if len(data) < 3:
        return MORE
    if data[2] != CLIENT_HELLO:
        return OTHER
    if len(data) < 11:
        return MORE
    ciphers, session, challenge = (int.from_bytes(data[at : at + 2], "big") for at in (5, 7, 9))
    size = (data[0] & 0x7F) << 8 | data[1]
    if size != 9 + ciphers + session + challenge or ciphers < 3 or session not in (0, 16) or not 16 <= challenge <= 32:
        return OTHER
    return data[3] << 16 | data[4] if len(data) >= 2 + size else MORE


class ClientHello:
    """A client's hello. `ciphers`: the list, two bytes each. `extensions`: type -> content."""

    __slots__ = ("ciphers", "extensions", "version")

    def __init__(self, version: int, ciphers: bytes, extensions: dict[int, bytes]) -> None:
        self.version = version
        self.ciphers = ciphers
        self.extensions = extensions

    @property
    def server_name(self) -> bytes | None:
        """The host that the client wants to speak to (RFC 6066 3)."""
        listed = _vector(self.extensions.get(SERVER_NAME, b""), 2)
        while listed:
            name = _vector(listed[1:], 2, exact=False)
            if not name:
                return None
            if listed[0] == 0:
                return name
            listed = listed[3 + len(name) :]
        return None

    @property
    def protocol(self) -> bytes | None:
        """The first of ALPN's names (RFC 7301 3.1): what HAProxy tells, too."""
        listed = _vector(self.extensions.get(ALPN, b""), 2)
        first = None
        while listed:
            name = _vector(listed, 1, exact=False)
            if not name:
                return None
            first = first or name
            listed = listed[1 + len(name) :]
        return first

    @property
    def key_share_groups(self) -> bytes | None:
        """The groups of the key shares, two bytes each (RFC 8446 4.2.8)."""
        listed = _vector(self.extensions.get(KEY_SHARE, b""), 2)
        groups = b""
        while listed:
            key = _vector(listed[2:], 2, exact=False)
            if not key:
                return None
            groups += listed[:2]
            listed = listed[4 + len(key) :]
        return groups or None

    def list_of(self, extension: int) -> bytes | None:
        """The content of an extension that is one list: without its length."""
        return _vector(self.extensions.get(extension, b""), 2) or None


def _vector(data: bytes, width: int, *, exact: bool = True) -> bytes | None:
    """The content of a vector whose length is said in its first `width` bytes. `exact`: nothing may follow."""
    size = int.from_bytes(data[:width], "big")
    rest = len(data) - width
    if rest < size or (exact and rest != size):
        return None
    return data[width : width + size]


def read_client_hello(data: bytes) -> ClientHello | Reading:
    """A client's hello at the start of a stream (TLS 1.0 or later)."""
    found = read_handshake(data)
    if isinstance(found, Reading):
        return found if found is OTHER or len(data) < 6 or data[5] == CLIENT_HELLO else OTHER
    kind, body = found
    if kind != CLIENT_HELLO or len(body) < 35 or body[:2] < b"\x03\x01" or body[0] != 3:
        return OTHER
    at = 34
    session = _vector(body[at:], 1, exact=False)
    if session is None or len(session) > 32:
        return OTHER
    at += 1 + len(session)
    ciphers = _vector(body[at:], 2, exact=False)
    if not ciphers or len(ciphers) % 2:
        return OTHER
    at += 2 + len(ciphers)
    compressions = _vector(body[at:], 1, exact=False)
    if not compressions:
        return OTHER
    at += 1 + len(compressions)
    extensions = _extensions(body[at:])
    if extensions is None:
        return OTHER
    return ClientHello(body[0] << 16 | body[1], ciphers, extensions)


def _extensions(data: bytes) -> dict[int, bytes] | None:
    found: dict[int, bytes] = {}
    if not data:
        return found
    listed = _vector(data, 2)
    if listed is None:
        return None
    at, size = 0, len(listed)
    while at < size:
        kind = int.from_bytes(listed[at : at + 2], "big")
        end = at + 4 + int.from_bytes(listed[at + 2 : at + 4], "big")
        if at + 4 > size or end > size or kind in found:
            return None
        found[kind] = listed[at + 4 : end]
        at = end
    return found
