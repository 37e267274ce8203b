"""Parts that are added up, between two tables and in conversations."""

from __future__ import annotations

from maniple.core.peers.conversation import Conversation, Listener, Pace
from maniple.core.peers.hello import Status
from maniple.core.peers.sharing import Progress
from maniple.core.peers.stored import StoredTable
from maniple.core.peers.summing import VANISHED, Summing
from maniple.core.peers.values import Entry
from maniple.tests.core.peers.stock import PEER_WRITER, count, machine, value


class Side:
    """One end: `summing` None: an ordinary peer."""

    def __init__(self, name: str, other: str, table: StoredTable, summing: Summing | None, dials: bool) -> None:
        self.notices: list[str] = []
        self.progress = Progress()
        self.asked = 0
        self.conversation = Conversation(
            name,
            [table],
            Listener(lambda _: Status.ACCEPTED, lambda: None, self.ask, self.taught, self.notices.append),
            0,
            remote=other if dials else "",
            progress=lambda _: self.progress,
            complete=lambda: True,
            pace=Pace(),
            shares=summing,
        )
        self.summing = summing
        self.other = other

    def ask(self) -> None:
        self.asked += 1

    def taught(self, full: bool) -> None:
        if self.summing is not None:
            self.summing.taught(self.other)


def talk(one: Side, other: Side, now: int) -> None:
    """Until neither says anything more."""
    for _ in range(20):
        said = [side.conversation.produce(now) for side in (one, other)]
        if said == [b"", b""]:
            return
        other.conversation.receive(said[0], now)
        one.conversation.receive(said[1], now)
    raise AssertionError("they talk for ever")


def test_two_machines_read_the_sum() -> None:
    with machine() as (here, left), machine() as (there, right):
        vacated: list[int] = []
        one, other = (
            Summing([left], {"b": PEER_WRITER}, vacated.append),
            Summing([right], {"a": PEER_WRITER}, vacated.append),
        )
        count(here, b"k", 10, 3)
        count(here, b"k", 10, 2, "conn_cur")
        count(there, b"k", 10, 4)
        a, b = Side("a", "b", left, one, True), Side("b", "a", right, other, False)
        talk(a, b, 20)
        assert (a.asked, b.asked) == (1, 1) and vacated == [PEER_WRITER] * 2 and not a.notices
        assert value(here, b"k", 20) == value(there, b"k", 20) == 7
        assert value(there, b"k", 20, "conn_cur") == 2
        count(here, b"k", 30)
        count(here, b"k", 30, -2, "conn_cur")
        left.scan()
        right.scan()
        talk(a, b, 30)
        assert value(here, b"k", 30) == value(there, b"k", 30) == 8 and value(there, b"k", 30, "conn_cur") == 0

        # Another connection of the same two: nobody asks again, and what was missed is told.
        count(there, b"k", 40)
        right.scan()
        before = a.progress, b.progress
        a, b = Side("a", "b", left, one, True), Side("b", "a", right, other, False)
        a.progress, b.progress = before
        talk(a, b, 50)
        assert (a.asked, b.asked) == (0, 0) and value(here, b"k", 50) == 9

        # It was made anew, without its table: what it says is all that it has.
        with machine() as (anew, empty):
            count(anew, b"k", 60, 2)
            third = Summing([empty], {"a": PEER_WRITER}, vacated.append)
            a, b = Side("a", "b", left, one, True), Side("b", "a", empty, third, False)
            talk(a, b, 70)
            assert (a.asked, b.asked) == (1, 1)
            assert value(here, b"k", 70) == value(anew, b"k", 70) == 4 + 2


def test_somebody_who_does_not_add_up_is_told_sums_and_teaches_nothing() -> None:
    with machine() as (here, left), machine() as (there, right):
        summing = Summing([left], {"b": PEER_WRITER, "c": 0}, lambda writer: None)
        left.write(Entry(b"k", None, {"gpc0": 5}), 10, PEER_WRITER)
        count(here, b"k", 10, 3)
        count(there, b"k", 10, 100)
        left.scan()
        a, b = Side("a", "b", left, summing, True), Side("b", "a", right, None, False)
        talk(a, b, 20)
        assert not any("sums" in text for text in a.notices) and a.conversation.outgoing is None
        # A HAProxy asks, or says that it lives.
        b.conversation.ask()
        talk(a, b, 5000)
        assert value(there, b"k", 5000) == 8 and any("sums" in text for text in a.notices)
        count(there, b"k", 5000)
        right.scan()
        talk(a, b, 6000)
        assert value(here, b"k", 6000) == 8 and b.progress.acked["t"] == right.head


def test_a_vanished_machine_has_nothing_open() -> None:
    with machine() as (_, table):
        vacated: list[int] = []
        summing = Summing([table], {"b": PEER_WRITER}, vacated.append)
        summing.meet("b", bytes((1, 0)) + bytes(16))
        summing.taught("b")
        assert vacated == [PEER_WRITER]
        summing.tick(1000, ["b"])
        summing.tick(2000, [])
        summing.tick(1999 + VANISHED, [])
        assert vacated == [PEER_WRITER]
        summing.tick(2000 + VANISHED, [])
        summing.tick(9000 + VANISHED, [])
        assert vacated == [PEER_WRITER] * 2
        # It is asked again when it comes back, the same as it was.
        assert summing.meet("b", bytes((1, 0)) + bytes(16))[1]
        summing.taught("b")
        assert not summing.meet("b", bytes((1, 0)) + bytes(16))[1]


def test_what_is_no_announcement() -> None:
    with machine() as (_, table):
        summing = Summing([table], {"b": PEER_WRITER}, lambda writer: None)
        for body in (None, b"", bytes((2, 0)) + bytes(16), bytes(17)):
            tables, wanted = summing.meet("b", body)
            assert not wanted and not tables[0].learns_open
        assert not summing.meet("stranger", summing.announcement)[1]
        assert len(summing.announcement) == 18
