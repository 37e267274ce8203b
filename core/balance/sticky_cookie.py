"""Our cookie of a sticky session: which session it is, when that was said, and a hint where its server is, signed.

Owns: the cookie's bytes, what is valid, and the Set-Cookie value. Must not know: servers, tables, heads. Bytes and
seconds since the epoch in, values out.

    base64url( version 1 | seconds 4 | session 16 | hint 8 | signature 16 )      60 characters

The signature is HMAC-SHA256, cut, of all before it, the cookie's name and a *salt* (the client's address and program,
where the configuration binds cookies to them). The hint names a server as all instances do, so that one with the same
secret which has no entry of the session honours it (D3.9). Who has no secret can neither make nor change one.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b
from typing import NamedTuple

from ..config.sticky_spec import StickySpec

VERSION = 1
KEY_BYTES = 16
HINT_BYTES = 8
NO_HINT = bytes(HINT_BYTES)
LENGTH = 60
"""Characters of a cookie."""
FUTURE = 86400
"""Seconds: a cookie from further in the future is ignored; a nearer one may be another instance's wrong clock."""
_SIGNED = 1 + 4 + KEY_BYTES + HINT_BYTES
_REMEMBERED = 4096
"""Cookies whose signature a thread remembers to be right: it takes 4 us to find out, and 0.2 to remember."""


class Token(NamedTuple):
    """What a valid cookie says. `made`: seconds since the epoch."""

    key: bytes
    hint: bytes
    made: int


def hint_of(backend: str, server: str) -> bytes:
    """How cookies name a server."""
    return blake2b(f"{backend}/{server}".encode("utf-8", "surrogateescape"), digest_size=HINT_BYTES).digest()


def learned_key(value: bytes) -> bytes:
    """The key of a session that somebody else has named."""
    return blake2b(value, digest_size=KEY_BYTES).digest()


class Signer:
    """Reads and writes the cookies of one name. `secret`: of all who shall honour them; `lifetime`: seconds that a
    cookie is valid, 0: for ever."""

    __slots__ = ("_known", "_name", "_secret", "lifetime")

    def __init__(self, name: bytes, secret: bytes, lifetime: int) -> None:
        self._name = name
        self._secret = secret
        self.lifetime = lifetime
        self._known: dict[tuple[bytes, bytes], Token] = {}

    def issue(self, key: bytes, hint: bytes, now: int, salt: bytes = b"") -> bytes:
        """The cookie's value."""
        body = VERSION.to_bytes(1, "big") + (now & 0xFFFFFFFF).to_bytes(4, "big") + key + hint
        return urlsafe_b64encode(body + self._sign(body, salt))

    def read(self, value: bytes, now: int, salt: bytes = b"") -> Token | None:
        """What a cookie says; None for one that is not ours, or too old."""
        token = self._known.get((value, salt))
        if token is None:
            token = self._verify(value, salt)
            if token is None:
                return None
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[value, salt] = token
        age = now - token.made
        if age < -FUTURE or (self.lifetime and age > self.lifetime):
            return None
        return token

    def grows_old(self, token: Token, now: int) -> bool:
        """Half its life is over: the client is told anew."""
        return self.lifetime > 0 and (now - token.made) * 2 > self.lifetime

    def _verify(self, value: bytes, salt: bytes) -> Token | None:
        if len(value) != LENGTH:
            return None
        try:
            raw = b64decode(value, b"-_", validate=True)
        except Error:
            return None
        body = raw[:_SIGNED]
        if raw[0] != VERSION or not hmac.compare_digest(raw[_SIGNED:], self._sign(body, salt)):
            return None
        return Token(body[5 : 5 + KEY_BYTES], body[5 + KEY_BYTES :], int.from_bytes(body[1:5], "big"))

    def _sign(self, body: bytes, salt: bytes) -> bytes:
        # Lengths of what is before are fixed, or said: nothing can be moved from one part to the next.
        name = self._name
        return hmac.digest(self._secret, body + len(name).to_bytes(2, "big") + name + salt, "sha256")[:16]


def set_cookie(spec: StickySpec, value: bytes) -> bytes:
    """The value of the Set-Cookie header. `Path=/` and `Max-Age` are there unless the options say otherwise."""
    options = [part.strip() for part in spec.options.split(";") if part.strip()]
    said = {part.partition("=")[0].rstrip().lower() for part in options}
    if "path" not in said:
        options.insert(0, "Path=/")
    if spec.lifetime and said.isdisjoint(("max-age", "expires")):
        options.append(f"Max-Age={spec.lifetime // 1000}")
    tail = "".join(f"; {part}" for part in options)
    return b"%b=%b%b" % (spec.name.encode("utf-8", "surrogateescape"), value, tail.encode("utf-8", "surrogateescape"))
