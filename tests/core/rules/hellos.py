"""Hellos for tests: made by the standard library, recorded, put together by hand, damaged."""

from __future__ import annotations

import contextlib
import random
import ssl
from collections.abc import Iterator


def hello(name: str | None = "a.test", protocols: tuple[str, ...] = ()) -> bytes:
    """What OpenSSL says first."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    settings.verify_mode = ssl.CERT_NONE
    if protocols:
        settings.set_alpn_protocols(protocols)
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        settings.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def vector(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(content, 2)


def server_name(name: bytes, kind: int = 0) -> bytes:
    return extension(0, vector(bytes([kind]) + vector(name, 2), 2))


def message(
    *extensions: bytes,
    version: bytes = b"\3\3",
    session: bytes = b"",
    ciphers: bytes = b"\x13\1\xc0\x2f",
    compressions: bytes = b"\0",
    tail: bytes | None = None,
) -> bytes:
    """A ClientHello without its record. `tail`: instead of the extensions' block."""
    body = version + bytes(range(32)) + vector(session, 1) + vector(ciphers, 2) + vector(compressions, 1)
    body += vector(b"".join(extensions), 2) if tail is None else tail
    return b"\1" + vector(body, 3)


def record(data: bytes, kind: int = 0x16, version: bytes = b"\3\1") -> bytes:
    return bytes([kind]) + version + vector(data, 2)


def records(data: bytes, size: int) -> bytes:
    """A message in several records."""
    return b"".join(record(data[at : at + size]) for at in range(0, len(data), size))


GROUPS = extension(10, vector(b"\0\x1d\0\x17", 2))
SIGNATURES = extension(13, vector(b"\4\3\x08\4", 2))
ALPN = extension(16, vector(vector(b"h2", 1) + vector(b"http/1.1", 1), 2))
TICKET = extension(35, b"ticket")
KEYS = extension(51, vector(b"\0\x1d" + vector(b"k" * 32, 2) + b"\0\x17" + vector(b"l" * 65, 2), 2))
FULL = record(message(server_name(b"Www.X.test"), GROUPS, SIGNATURES, ALPN, TICKET, KEYS, session=b"s" * 32))


def damaged(seed: int, number: int) -> Iterator[bytes]:
    """Copies of whole hellos with a few bytes changed, cut off or put in."""
    chance = random.Random(seed)
    for _ in range(number):
        data = bytearray(chance.choice((FULL, hello("b.test", ("h2",)), record(message(server_name(b"c"))))))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(min(len(data), 90))
            what = chance.randrange(4)
            if what == 0:
                data[at] = chance.choice((0, 1, 3, 0x16, 0xFF, chance.randrange(256)))
            elif what == 1:
                data[at] = (data[at] + chance.choice((-1, 1))) & 255
            elif what == 2:
                del data[at : at + chance.randint(1, 3)]
            else:
                data[at:at] = bytes(chance.randint(1, 3))
        yield bytes(data)
