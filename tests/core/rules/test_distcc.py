"""Tokens of distcc: found, cut off, wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.distcc import WITHOUT_BODY, Unfinished, find_token

TOKENS = st.lists(
    st.tuples(st.sampled_from([b"ARGV", b"DOTI", b"DIST", b"ARGC"]), st.binary(max_size=20)), min_size=1, max_size=6
)


def written(tokens: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join([name + b"%08x" % len(body) + (b"" if name in WITHOUT_BODY else body) for name, body in tokens])


@given(TOKENS, st.integers(1, 3))
def test_what_was_written_is_found(tokens: list[tuple[bytes, bytes]], occurrence: int) -> None:
    message = written(tokens)
    for name in (b"ARGV", b"DIST"):
        bodies = [body for token, body in tokens if token == name]
        if len(bodies) < occurrence:
            with pytest.raises(Unfinished):
                find_token(message, name, occurrence)
        else:
            body = bodies[occurrence - 1]
            expected = (len(body), b"" if name in WITHOUT_BODY else body)
            assert find_token(message, name, occurrence) == expected


def test_cut_off_and_wrong() -> None:
    assert find_token(b"ARGV00000003gc", b"ARGV", 1) == (3, None)
    assert find_token(b"ARGVx0000003gcc", b"ARGV", 1) is None
    assert find_token(b"ARGV-0000003gcc", b"ARGV", 1) is None
    for text in (b"", b"ARGV", b"ARGV0000000", b"ARGV00000003gccDOTI", b"ARGVffffffffgcc"):
        with pytest.raises(Unfinished):
            find_token(text, b"DOTI", 1)


@given(st.binary(max_size=40))
def test_anything_may_come(message: bytes) -> None:
    try:
        found = find_token(message, b"ARGV", 1)
    except Unfinished:
        return
    assert found is None or len(message) >= 12
