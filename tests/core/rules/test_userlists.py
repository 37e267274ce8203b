"""What a thread remembers of passwords: right and wrong pairs, bounded, and no password."""

from __future__ import annotations

import pytest
from maniple.core.config.model import Place, UserlistSpec, UserSpec
from maniple.core.rules import userlists
from maniple.core.rules.userlists import Userlist

SPEC = UserlistSpec(
    Place("a.cfg", 1),
    "staff",
    {
        "ann": UserSpec("ann", "hash of ann", True, ("admin", "web")),
        "bob": UserSpec("bob", "hash of bob", True),
        "cy": UserSpec("cy", "plain", False),
        "dot": UserSpec("dot", None, False),
    },
    ("admin", "web", "none"),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """What was really checked: here the password `pw` is everybody's."""
    found: list[tuple[bytes, bytes]] = []

    def check(password: bytes, hashed: bytes) -> bool:
        found.append((password, hashed))
        return password == b"pw"

    monkeypatch.setattr(userlists, "is_password", check)
    return found


def test_a_pair_is_checked_once(asked: list[tuple[bytes, bytes]]) -> None:
    one = Userlist(SPEC)
    assert [one.accepts(b"ann", password) for password in (b"pw", b"no", b"pw", b"no")] == [True, False, True, False]
    assert asked == [(b"pw", b"hash of ann"), (b"no", b"hash of ann")]
    assert one.accepts(b"bob", b"pw")
    assert asked[2:] == [(b"pw", b"hash of bob")]


def test_names_and_passwords_are_told_apart(asked: list[tuple[bytes, bytes]]) -> None:
    spec = UserlistSpec(Place("a.cfg", 1), "x", {"a": UserSpec("a", "one", True), "ap": UserSpec("ap", "other", True)})
    one = Userlist(spec)
    assert one.accepts(b"a", b"pw") is True
    assert one.accepts(b"ap", b"w") is False
    assert len(asked) == 2


def test_without_a_hash(asked: list[tuple[bytes, bytes]]) -> None:
    one = Userlist(SPEC)
    assert one.accepts(b"cy", b"plain") and not one.accepts(b"cy", b"pw")
    assert not one.accepts(b"dot", b"") and not one.accepts(b"nobody", b"pw")
    assert asked == []


def test_memories_are_bounded(asked: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userlists, "REFUSED", 3)
    one = Userlist(SPEC)
    assert one.accepts(b"ann", b"pw")
    for number in range(10):
        assert not one.accepts(b"ann", b"%d" % number)
    assert len(one._refused) == 3 and len(one._right) == 1
    del asked[:]
    # The right one is still known, of the wrong ones the last three.
    assert one.accepts(b"ann", b"pw") and not one.accepts(b"ann", b"9") and asked == []
    assert not one.accepts(b"ann", b"0") and len(asked) == 1


def test_no_password_is_kept(asked: list[tuple[bytes, bytes]]) -> None:
    one, other = Userlist(SPEC), Userlist(SPEC)
    assert one.accepts(b"ann", b"pw") and other.accepts(b"ann", b"pw")
    (digest,) = one._right
    assert b"pw" not in digest and len(digest) == 32
    assert [*other._right] != [digest]


def test_groups() -> None:
    one = Userlist(SPEC)
    assert one.groups_of(b"ann") == (b"admin", b"web")
    assert one.groups_of(b"bob") == one.groups_of(b"nobody") == ()
    assert one.groups == ("admin", "web", "none")
