"""Every case of tests/http_cases, in every way that it can arrive."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.http.head import HeadReader, Limits

LIMITS = Limits()
NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
NEXT_RESPONSE = b"HTTP/1.1 204 No Content\r\nNext: 1\r\n\r\n"
LARGE = 2000
"""Cases of more bytes than this are cut at 50 places instead of everywhere."""


def read(push_class: Any, case: Any, pieces: list[bytes], reader: HeadReader | None = None) -> Any:
    push = push_class(reader or HeadReader(LIMITS), LIMITS, case.answers)
    for piece in pieces:
        push.push(piece)
    return push


def test_whole(push_class: Any, case: Any) -> None:
    assert read(push_class, case, [case.raw]).describe() == case.expected


def test_byte_by_byte(push_class: Any, case: Any) -> None:
    if len(case.raw) > LARGE:
        pytest.skip("too large to be quick; see test_cut_in_two")
    assert read(push_class, case, [bytes([byte]) for byte in case.raw]).describe() == case.expected


def test_cut_in_two(push_class: Any, case: Any) -> None:
    step = 1 if len(case.raw) <= LARGE else len(case.raw) // 50
    reader = HeadReader(LIMITS)
    for cut in range(1, len(case.raw), step):
        assert read(push_class, case, [case.raw[:cut], case.raw[cut:]], reader).describe() == case.expected, cut


def test_with_a_message_behind(push_class: Any, case: Any) -> None:
    behind = NEXT if case.answers is None else NEXT_RESPONSE
    alone = read(push_class, case, [case.raw])
    both = read(push_class, case, [case.raw + behind])
    count = len(alone.messages)
    assert [message.forwarded() for message in both.messages[:count]] == [m.forwarded() for m in alone.messages]
    if alone.error is not None:
        assert both.describe() == alone.describe()
        return
    if alone.held:
        # What is left is no message, and what comes behind makes it none.
        assert both.error is not None
        return
    if len(both.messages) > count:
        name = b"GET /next HTTP/1.1\r\n" if case.answers is None else b"HTTP/1.1 204 No Content\r\n"
        assert both.messages[count].head.start == name
        assert both.rest == b""
    elif alone.messages[-1].complete:
        assert both.rest == alone.rest + behind
    else:
        assert both.messages[-1].body.endswith(behind)


def test_remembered_reads_the_same(push_class: Any, case: Any) -> None:
    remembering, forgetting = HeadReader(LIMITS), HeadReader(Limits(cache_size=0))
    for _ in range(4):
        assert read(push_class, case, [case.raw], remembering).describe() == case.expected
        assert read(push_class, case, [case.raw], forgetting).describe() == case.expected


def test_folders_hold_what_they_say(push_class: Any, case: Any) -> None:
    refused = read(push_class, case, [case.raw]).error is not None
    folder = case.name.partition("/")[0]
    assert folder == "smuggling" or refused == (folder == "invalid")
