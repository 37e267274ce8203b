"""Two conversations in one process, with a link of bytes in between; and each alone against bytes that are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.peers.conversation import LESSON_MOVES, MOVES, Conversation, Learning, Lesson, Listener, Phase
from maniple.core.peers.hello import Status
from maniple.core.peers.messages import Ack, Complaint, Control, Foreign, Message, MessageReader, encode_message
from maniple.core.peers.sharing import Progress
from maniple.core.peers.tables import Column, make_definition
from maniple.tests.core.peers.memory import MemoryTable

T = make_definition("t", "string", 8, 60_000, [Column("gpc0")])
HELLO = b"HAProxyS 2.1\nA\nB 1 1\n"


class Side:
    """One side: its table, what it was told, and its conversation."""

    def __init__(self, name: str, remote: str = "", *, complete: bool = True, minor: int = 1) -> None:
        self.table = MemoryTable(T)
        self.happened: list[str] = []
        self.progress = Progress()
        self.known = {"A", "B"}
        self.busy = False
        listener = Listener(
            greeted=self._greeted,
            talking=lambda: self.happened.append("talking"),
            asked=lambda: self.happened.append("asked"),
            taught=lambda full: self.happened.append(f"taught {full}"),
            notice=self.happened.append,
        )
        self.conversation = Conversation(
            name,
            [self.table],
            listener,
            0,
            remote=remote,
            progress=lambda _: self.progress,
            complete=lambda: complete,
            minor=minor,
        )

    def _greeted(self, name: str) -> Status:
        if self.busy:
            return Status.AGAIN
        return Status.ACCEPTED if name in self.known else Status.PEER

    def counts(self) -> dict[bytes, object]:
        return {key: values["gpc0"] for key, (_, values) in self.table.held.items()}


def exchange(one: Side, other: Side, now: int = 0, size: int = 10**9) -> None:
    """Bytes go to and fro, in pieces of at most `size`, until nobody has more to say."""
    quiet = 0
    sides = [one, other]
    while quiet < 2:
        data = sides[0].conversation.produce(now)
        for at in range(0, len(data), size):
            sides[1].conversation.receive(data[at : at + size], now)
        quiet = 0 if data else quiet + 1
        sides.reverse()


def pair(**options: bool) -> tuple[Side, Side]:
    b, a = Side("B", "A", **options), Side("A")
    exchange(b, a)
    assert (a.happened, b.happened) == (["talking"], ["talking"])
    assert (a.conversation.remote, b.conversation.remote) == ("B", "A")
    return a, b


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_all_at_once_in_pieces(size: int) -> None:
    a, b = Side("A"), Side("B", "A")
    a.table.set(b"old", {"gpc0": 1}, 0, 30_000)
    a.table.journal.forget(1)
    a.progress.acked["t"] = 1
    exchange(b, a, 0, size)
    assert b.counts() == {}
    b.conversation.ask()
    exchange(b, a, 0, size)
    assert b.counts() == {b"old": 1} and b.table.held[b"old"][0] == 30_000
    assert b.happened == ["talking", "taught True"] and a.happened == ["talking", "asked"]
    assert a.conversation.lesson is Lesson.NONE and b.conversation.learning is Learning.NONE
    a.table.set(b"new", {"gpc0": 2}, 0)
    b.table.set(b"other", {"gpc0": 3}, 0)
    exchange(a, b, 0, size)
    assert a.counts() == b.counts() == {b"old": 1, b"new": 2, b"other": 3}
    assert (a.progress.acked, b.progress.acked) == ({"t": 2}, {"t": 1})


def test_a_peer_that_is_not_up_to_date_says_so() -> None:
    a, b = pair(complete=False)
    a.conversation.ask()
    exchange(a, b)
    assert a.happened[1:] == ["taught False"]


def test_both_ask_at_the_same_time() -> None:
    a, b = pair()
    a.table.set(b"a", {"gpc0": 1}, 0)
    b.table.set(b"b", {"gpc0": 2}, 0)
    a.conversation.ask()
    b.conversation.ask()
    exchange(a, b)
    assert a.counts() == b.counts() == {b"a": 1, b"b": 2}
    assert a.conversation.lesson is b.conversation.lesson is Lesson.NONE


def test_nothing_is_told_to_whom_one_learns_from() -> None:
    a, b = pair()
    b.conversation.ask()
    b.table.set(b"b", {"gpc0": 2}, 0)
    said = b.conversation.produce(0)
    assert said == b"\0\0"
    a.conversation.receive(said, 0)
    exchange(a, b)
    assert a.counts() == {b"b": 2}


def test_being_told_without_asking() -> None:
    a, b = pair()
    a.table.set(b"a", {"gpc0": 1}, 0)
    a.conversation.teach()
    exchange(a, b)
    assert b.counts() == {b"a": 1} and b.happened[1:] == ["taught True"]


def test_asking_again_starts_from_the_first_entry() -> None:
    a, b = pair()
    for number in range(100):
        a.table.set(b"%d" % number, {"gpc0": number}, 0)
    b.conversation.ask()
    a.conversation.receive(b.conversation.produce(0), 0)
    b.conversation.receive(a.conversation.produce(0, 100), 0)
    a.conversation.receive(b"\0\0", 0)
    assert a.conversation.lesson is Lesson.GIVING
    exchange(a, b)
    assert len(b.counts()) == 100


def test_heartbeats() -> None:
    a, b = pair()
    assert b.conversation.deadline() == 3000
    for now in range(0, 20_000, 500):
        for side in (a, b):
            side.conversation.tick(now)
        exchange(a, b, now)
    assert not a.conversation.over and a.conversation.heartbeats == b.conversation.heartbeats == 6


def test_no_heartbeats() -> None:
    a, b = pair()
    exchange(a, b, 1000)
    a.conversation.tick(4999)
    assert a.conversation.phase is Phase.TALKING
    a.conversation.tick(5000)
    assert str(a.conversation.over) == "nothing was heard for 5000 ms"
    assert a.conversation.produce(6000) == b""


def test_nobody_greets() -> None:
    a = Side("A")
    a.conversation.tick(5000)
    assert a.conversation.phase is Phase.OVER


def test_messages_that_come_with_the_greeting() -> None:
    a = Side("A")
    a.conversation.receive(HELLO + b"\0\0\0\4", 0)
    assert a.happened == ["talking", "asked"] and a.conversation.heartbeats == 1
    assert a.conversation.produce(0).startswith(b"200\n\x0a\x82")


REFUSED = [
    (b"HAProxyS 2.1\nX\nB 1 1\n", b"503\n"),
    (b"HAProxyS 2.1\nA\nX 1 1\n", b"504\n"),
    (b"HAProxyS 2.1\nA\nB\n", b"501\n"),
    (b"HAProxyS 2.2\nA\nB 1 1\n", b"502\n"),
    (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"501\n"),
]


@pytest.mark.parametrize(("greeting", "answer"), REFUSED)
def test_greetings_that_are_refused(greeting: bytes, answer: bytes) -> None:
    a = Side("A")
    a.conversation.receive(greeting, 0)
    assert (a.conversation.phase, a.conversation.produce(0)) == (Phase.OVER, answer)
    a.conversation.receive(b"more", 0)
    assert a.conversation.produce(9000) == b""


def test_try_again_later() -> None:
    a, b = Side("A"), Side("B", "A")
    a.busy = True
    exchange(b, a)
    assert (b.conversation.phase, b.conversation.refused) == (Phase.OVER, 300)
    assert a.conversation.phase is Phase.OVER


def test_a_peer_of_2_0() -> None:
    a, b = Side("A"), Side("B", "A", minor=0)
    a.table.set(b"a", {"gpc0": 1}, 0, 10)
    exchange(b, a)
    assert b.table.held[b"a"][0] == 60_000, "no times in updates: the table's own"
    assert a.conversation.minor == 0


BROKEN = [
    (b"\xff\5", Complaint.PROTOCOL),
    (b"\x0a\x80\0", Complaint.PROTOCOL),
    (b"\x0a\x82\0", Complaint.PROTOCOL),
    (b"\x4d\x80\xff\xff\xff\x10", Complaint.SIZE),
]


@pytest.mark.parametrize(("data", "complaint"), BROKEN)
def test_broken_messages_are_complained_of(data: bytes, complaint: Complaint) -> None:
    a = Side("A")
    a.conversation.receive(HELLO + data, 0)
    assert a.conversation.phase is Phase.OVER and a.conversation.over
    assert a.conversation.produce(0) == b"200\n" + encode_message(complaint)


def test_a_complaint_ends_it() -> None:
    a = Side("A")
    a.conversation.receive(HELLO + b"\1\1\0\0", 0)
    assert (a.conversation.over, a.happened) == ("it complains: size error", ["talking"])


def test_what_is_not_known_is_passed_over() -> None:
    a = Side("A")
    unknown: list[Message] = [Foreign(77, 129, b"x" * 300), Foreign(0, 9, b""), Foreign(10, 200, b"y"), Ack(99, 5)]
    a.conversation.receive(HELLO + b"".join(map(encode_message, unknown)), 0)
    assert not a.conversation.over and a.conversation.produce(0) == b"200\n"


@settings(max_examples=100)
@given(st.binary(max_size=80), st.booleans(), st.integers(1, 20))
def test_whatever_bytes(data: bytes, greeted: bool, size: int) -> None:
    a = Side("A")
    stream = (HELLO if greeted else b"") + data
    for at in range(0, len(stream), size):
        a.conversation.receive(stream[at : at + size], 0)
        out = a.conversation.produce(0)
        if a.conversation.phase is Phase.TALKING:
            list(MessageReader().feed(out.removeprefix(b"200\n")))


def test_nobody_can_be_asked_too_early() -> None:
    with pytest.raises(ValueError, match="greeting"):
        Side("A").conversation.ask()
    with pytest.raises(ValueError, match="greeting"):
        Side("A").conversation.teach()


def test_moves() -> None:
    assert set(MOVES) == set(Phase) and set(LESSON_MOVES) == set(Lesson)
    a = Side("A")
    with pytest.raises(AssertionError):
        a.conversation._move(Phase.ASKING)
    with pytest.raises(AssertionError):
        a.conversation._turn(Lesson.GIVEN)
    assert Control(4) is Control.HEARTBEAT
