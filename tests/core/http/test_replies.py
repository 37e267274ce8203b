"""The built-in replies: their shape, and HAProxy's own bytes."""

from __future__ import annotations

import pytest
from maniple.core.http.head import HeadReader, Limits
from maniple.core.http.replies import EARLY_REPLIES, REPLIES, early_reply, reply

STATUSES = [200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504]


def test_the_21_statuses() -> None:
    assert sorted(REPLIES) == sorted(EARLY_REPLIES) == STATUSES


@pytest.mark.parametrize("replies", [REPLIES, EARLY_REPLIES], ids=["read", "early"])
@pytest.mark.parametrize("status", STATUSES)
def test_each_is_one_whole_response(replies: dict[int, bytes], status: int) -> None:
    raw = replies[status]
    end = raw.index(b"\r\n\r\n") + 4
    head = HeadReader(Limits()).read_response(raw[:end], b"GET")
    assert (head.status, head.length) == (status, len(raw) - end)
    assert head.block.close == (status in (400, 408))


def test_unknown_status() -> None:
    assert reply(599) == REPLIES[500]
    assert early_reply(599) == EARLY_REPLIES[500]
    assert reply(503).startswith(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\n")
    assert early_reply(408).startswith(b"HTTP/1.1 408 Request Time-out\r\nContent-length: 110\r\n")
