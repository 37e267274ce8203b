from __future__ import annotations

import pytest
from maniple.core.rehearsal.message import lines_of, read_message

RIGHT = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "head", "body", "notes"),
    [
        (RIGHT, RIGHT, b"", 0),
        (RIGHT + b"x\n\ny", RIGHT, b"x\n\ny", 0),
        (b"\n\n" + RIGHT, RIGHT, b"", 0),
        (b"GET / HTTP/1.1\nHost: a\n\n", RIGHT, b"", 0),
        (b"GET / HTTP/1.1\nHost: a\n\nbody\r\n\r\n", RIGHT, b"body\r\n\r\n", 0),
        (b"GET / HTTP/1.1\nHost: a\n", RIGHT, b"", 1),
        (b"GET / HTTP/1.1\r\nHost: a", RIGHT, b"", 1),
        (b"", b"", b"", 0),
        # One bare line feed among right line ends is the reader's to judge.
        (b"GET / HTTP/1.1\r\nA: b\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\nHost: a\r\n\r\n", b"", 0),
    ],
)
def test_what_is_forgiven(raw: bytes, head: bytes, body: bytes, notes: int) -> None:
    found = read_message(raw)
    assert found[:2] == (head, body) and len(found[2]) == notes


def test_lines() -> None:
    assert lines_of(RIGHT + b"body") == ["GET / HTTP/1.1", "Host: a"]
    assert lines_of(b"GET /\xff HTTP/1.1\r\n\r\n") == ["GET /\\xff HTTP/1.1"]
