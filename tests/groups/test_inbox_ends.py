from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from maniple.core.relay.handing import open_inbox
from maniple.groups.inbox_ends import InboxEnds


@pytest.fixture
def ends() -> Iterator[InboxEnds]:
    one = InboxEnds()
    yield one
    one.close_all()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_what_is_opened_is_closed(ends: InboxEnds) -> None:
    before = descriptors()
    ends.open([1, 2])
    assert descriptors() == before + 4
    os.fstat(ends.sending(2))
    assert ends.close(2) and not ends.close(2)
    with pytest.raises(KeyError):
        ends.sending(2)
    ends.close_all()
    assert descriptors() == before


def test_all_of_a_group_or_none(ends: InboxEnds, monkeypatch: pytest.MonkeyPatch) -> None:
    ends.open([1])
    before = descriptors()
    opened: list[Any] = []

    def open_one() -> Any:
        if opened:
            raise OSError(24, "Too many open files")
        opened.append(open_inbox())
        return opened[0]

    monkeypatch.setattr("maniple.groups.inbox_ends.open_inbox", open_one)
    with pytest.raises(OSError, match="Too many"):
        ends.open([2, 3])
    assert descriptors() == before
    assert not ends.close(2) and ends.close(1)


def test_a_group_keeps_its_own_and_may_send_to_all(ends: InboxEnds) -> None:
    ends.open([1, 2, 3])
    before = descriptors()
    reading, senders = ends.hand_out({2: 1, 3: 2})
    assert descriptors() == before - 1
    assert sorted(reading) == [1, 2] and sorted(senders.ends) == [1, 2, 3]
    senders.ends[3].send(b"for the second")
    assert reading[2].recv(100) == b"for the second"
    with pytest.raises(BlockingIOError):
        reading[1].recv(100)
