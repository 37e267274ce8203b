"""`track`: what is said of servers that cannot follow another. (What is right: test_resolve.)"""

from __future__ import annotations

import pytest
from maniple.core.config.parser import load

CASES = (
    ("server a :1 track c", "there is no such server", "servers are b, other/d"),
    ("server a :1 track othr/d", "there is no such server", "did you mean `other/d`?"),
    ("server a :1 check track b", "cannot be checked and track another", "take `check` or `track` away"),
    ("server a :1 track b", "server 'a' tracks 'b', which is not checked", "write `check` on the line of 'b'"),
    ("server a :1 track a", "server 'a' tracks itself in a circle", "one of them has `check` instead of `track`"),
)


@pytest.mark.parametrize(("line", "message", "hint"), CASES)
def test_refused(line: str, message: str, hint: str) -> None:
    text = f"defaults\n mode tcp\nbackend x\n {line}\n server b :1\nbackend other\n server d :1 check\n"
    _, found = load([("x", text)], {})
    assert [(message in one.message, one.hint) for one in found.errors] == [(True, hint)]
