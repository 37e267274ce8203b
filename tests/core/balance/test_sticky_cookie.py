"""The cookie of sticky sessions: what is valid, and what nobody can make."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance import sticky_cookie
from maniple.core.balance.sticky_cookie import FUTURE, LENGTH, NO_HINT, Signer, Token, hint_of, learned_key, set_cookie
from maniple.core.config.sticky_spec import StickySpec

SECRET = bytes(range(32))
KEY = b"0123456789abcdef"
NOW = 1_800_000_000


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1), st.binary())
def test_what_is_issued_is_read(key: bytes, hint: bytes, made: int, salt: bytes) -> None:
    value = Signer(b"SRV", SECRET, 0).issue(key, hint, made, salt)
    assert len(value) == LENGTH
    assert Signer(b"SRV", SECRET, 0).read(value, made, salt) == Token(key, hint, made)


@given(st.integers(0, LENGTH * 8 - 1))
def test_no_bit_can_be_changed(bit: int) -> None:
    value = bytearray(Signer(b"SRV", SECRET, 0).issue(KEY, NO_HINT, NOW))
    value[bit // 8] ^= 1 << bit % 8
    assert Signer(b"SRV", SECRET, 0).read(bytes(value), NOW) is None


@given(st.binary(max_size=120))
def test_anything_else_is_no_cookie(value: bytes) -> None:
    assert Signer(b"SRV", SECRET, 0).read(value, NOW) is None


@pytest.mark.parametrize(
    ("name", "secret", "salt"),
    [(b"SRW", SECRET, b""), (b"SRV", SECRET[::-1], b""), (b"SRV", SECRET, b"x"), (b"SR", SECRET, b"V")],
    ids=["another name", "another secret", "another client", "nothing moves between name and salt"],
)
def test_d3_9_who_it_is_valid_for(name: bytes, secret: bytes, salt: bytes) -> None:
    value = Signer(b"SRV", SECRET, 0).issue(KEY, NO_HINT, NOW)
    assert Signer(name, secret, 0).read(value, NOW, salt) is None


@pytest.mark.parametrize(
    ("lifetime", "age", "valid"),
    [(0, 10**9, True), (60, 60, True), (60, 61, False), (60, -5, True), (0, -FUTURE, True), (0, -FUTURE - 1, False)],
)
def test_d3_10_expired(lifetime: int, age: int, valid: bool) -> None:
    signer = Signer(b"SRV", SECRET, lifetime)
    value = signer.issue(KEY, NO_HINT, NOW)
    # Also when its signature is known to be right.
    assert signer.read(value, NOW) is not None
    assert (signer.read(value, NOW + age) is not None) is valid


def test_d3_10_too_long() -> None:
    value = Signer(b"SRV", SECRET, 0).issue(KEY, NO_HINT, NOW)
    assert Signer(b"SRV", SECRET, 0).read(value + b"A", NOW) is None
    assert Signer(b"SRV", SECRET, 0).read(value + b"====", NOW) is None


def test_another_version_is_not_read() -> None:
    raw = bytearray(base64.urlsafe_b64decode(Signer(b"SRV", SECRET, 0).issue(KEY, NO_HINT, NOW)))
    raw[0] = 2
    assert Signer(b"SRV", SECRET, 0).read(base64.urlsafe_b64encode(raw), NOW) is None


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sticky_cookie, "_REMEMBERED", 4)
    signer = Signer(b"SRV", SECRET, 0)
    for number in range(20):
        value = signer.issue(number.to_bytes(16, "big"), NO_HINT, NOW)
        assert signer.read(value, NOW) == signer.read(value, NOW)
    assert len(signer._known) <= 4


def test_it_is_told_anew_at_half_its_life() -> None:
    token = Token(KEY, NO_HINT, NOW)
    assert not Signer(b"SRV", SECRET, 60).grows_old(token, NOW + 30)
    assert Signer(b"SRV", SECRET, 60).grows_old(token, NOW + 31)
    assert not Signer(b"SRV", SECRET, 0).grows_old(token, NOW + 10**9)


def test_hints_and_keys() -> None:
    assert hint_of("b", "s") == hint_of("b", "s") != hint_of("b", "t")
    assert len(hint_of("b", "s")) == len(NO_HINT) == 8
    assert len(learned_key(b"")) == 16
    assert learned_key(b"a") != learned_key(b"b")


@pytest.mark.parametrize(
    ("spec", "header"),
    [
        (StickySpec("cookie", "S"), b"S=v; Path=/; HttpOnly"),
        (StickySpec("cookie", "S", lifetime=90_000), b"S=v; Path=/; HttpOnly; Max-Age=90"),
        (StickySpec("cookie", "S", lifetime=90_000, options="Max-Age=5"), b"S=v; Path=/; Max-Age=5"),
        (StickySpec("cookie", "S", lifetime=90_000, options="expires=x"), b"S=v; Path=/; expires=x"),
        (StickySpec("cookie", "S", options="path = /a; Secure;"), b"S=v; path = /a; Secure"),
        (StickySpec("cookie", "S", options=""), b"S=v; Path=/"),
    ],
)
def test_set_cookie(spec: StickySpec, header: bytes) -> None:
    assert set_cookie(spec, b"v") == header
