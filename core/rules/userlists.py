"""Userlists as rules ask them: is this the user's password, and which groups is the user in.

Owns: what a thread remembers of passwords that it has checked. Must not know: where a client's name and password come
from, how hashes are made.

A check of a hash takes milliseconds, in which the thread forwards nothing, and a browser sends its password with every
request. So a thread remembers the last pairs of name and password that were right, and those that were wrong, each by a
digest keyed with a secret of its own (blake2b, 0.9 us): no password is kept, and two who share one cannot be told.
Invariants: both memories are bounded, the oldest entry goes; wrong ones cannot push out right ones; a reload makes new
lists, so that an entry never outlives what it was checked against.
"""

from __future__ import annotations

import hmac
import os
from hashlib import blake2b

from ..config.model import UserlistSpec
from ..passwords import is_password

REMEMBERED = 4096
"""Right pairs that a list remembers, each about 150 bytes."""
REFUSED = 512
"""Wrong pairs that it remembers: for clients that try the same one again and again."""


class Userlist:
    """One list of one thread."""

    __slots__ = ("_groups", "_hashed", "_key", "_plain", "_refused", "_right", "groups", "name")

    def __init__(self, spec: UserlistSpec) -> None:
        self.name = spec.name
        self.groups = spec.groups
        """All that there are."""
        self._plain: dict[bytes, bytes] = {}
        self._hashed: dict[bytes, bytes] = {}
        self._groups: dict[bytes, tuple[bytes, ...]] = {}
        for user in spec.users.values():
            name = _raw(user.name)
            self._groups[name] = tuple([_raw(group) for group in user.groups])
            if user.password is not None:
                (self._hashed if user.hashed else self._plain)[name] = _raw(user.password)
        self._key = os.urandom(32)
        self._right: dict[bytes, None] = {}
        self._refused: dict[bytes, None] = {}

    def accepts(self, user: bytes, password: bytes) -> bool:
        """Whether the list has that user with that password."""
        plain = self._plain.get(user)
        if plain is not None:
            return hmac.compare_digest(plain, password)
        hashed = self._hashed.get(user)
        if hashed is None:
            return False
        digest = blake2b(b"%d:%b%b" % (len(user), user, password), key=self._key, digest_size=32).digest()
        if digest in self._right:
            return True
        if digest in self._refused:
            return False
        right = is_password(password, hashed)
        memory, most = (self._right, REMEMBERED) if right else (self._refused, REFUSED)
        if len(memory) >= most:
            del memory[next(iter(memory))]
        memory[digest] = None
        return right

    def groups_of(self, user: bytes) -> tuple[bytes, ...]:
        """The groups of a user; none for who is not in the list."""
        return self._groups.get(user, ())


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
