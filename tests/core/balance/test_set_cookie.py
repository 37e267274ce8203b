"""Set-Cookie lines of servers, and our own."""

from __future__ import annotations

import pytest
from maniple.core.balance.set_cookie import Fate, Writer, edit_line
from maniple.core.config.cookie_spec import CookieSpec

EDITS = [
    (b"X=app; path=/", Fate.KEPT, (True, b"X=app; path=/")),
    (b"X=app; path=/", Fate.REMOVED, (True, None)),
    (b"X=app; path=/", Fate.REPLACED, (True, b"X=srv; path=/")),
    (b"X=app; path=/", Fate.PREFIXED, (True, b"X=srv~app; path=/")),
    (b"X = app ; path=/", Fate.KEPT, (True, b"X=app ; path=/")),
    (b"X=; path=/", Fate.REPLACED, (True, b"X=srv; path=/")),
    (b'X="a;b"; path=/', Fate.PREFIXED, (True, b'X=srv~"a;b"; path=/')),
    (b"X=a,b; path=/", Fate.REPLACED, (True, b"X=srv,b; path=/")),
    (b"y = 1; X=app", Fate.REMOVED, (False, b"y=1; X=app")),
    (b"y=1; path = /", Fate.REMOVED, (False, b"y=1; path = /")),
    (b"X; path=/", Fate.REMOVED, (False, b"X; path=/")),
    (b"", Fate.REMOVED, (False, b"")),
]
SPECS = [
    (CookieSpec("S", "insert"), b"a", b"S=a; path=/"),
    (CookieSpec("S", "insert"), None, b"S=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/"),
    (
        CookieSpec("S", "insert", httponly=True, secure=True, domains=(".a.b", "c.d"), attributes=("Q", "r=s")),
        b"a",
        b"S=a; path=/; domain=.a.b; domain=c.d; HttpOnly; Secure; Q; r=s",
    ),
    (
        CookieSpec("S", "insert", secure=True, domains=(".a.b",)),
        None,
        b"S=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/; domain=.a.b; Secure",
    ),
    (CookieSpec("S", "insert", maxidle=9), b"a", b"S=a|AAAAZ; path=/"),
    (CookieSpec("S", "insert", maxlife=9), b"a", b"S=a|AAAAZ|AAAAC; path=/"),
]


@pytest.mark.parametrize(("line", "fate", "expected"), EDITS)
def test_edit(line: bytes, fate: Fate, expected: tuple[bool, bytes | None]) -> None:
    found = edit_line(line, b"X", fate, b"srv")
    assert found == expected
    if found[1] == line:
        assert found[1] is line


@pytest.mark.parametrize(("spec", "value", "expected"), SPECS)
def test_write(spec: CookieSpec, value: bytes | None, expected: bytes) -> None:
    assert Writer(spec).write(value, 100, 8) == expected


def test_first_seen_now() -> None:
    assert Writer(CookieSpec("S", "insert", maxlife=9)).write(b"a", 97, 0) == b"S=a|AAAAZ|AAAAZ; path=/"
