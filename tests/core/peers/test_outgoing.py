"""What a peer is told: order, numbers, lessons in pieces, what is told again after a break."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.peers.dictionary import ReceivedTexts
from maniple.core.peers.entries import decode_entry
from maniple.core.peers.messages import Ack, Definition, MessageReader, Switch, Update
from maniple.core.peers.outgoing import Outgoing
from maniple.core.peers.sharing import Progress
from maniple.core.peers.tables import Column, make_definition
from maniple.tests.core.peers.memory import MemoryTable

T = make_definition("t", "string", 8, 60_000, [Column("gpc0")])
U = replace(T, name="u", expire=0)


def told(data: bytes) -> list[str]:
    """The messages in short: `t(1)` a definition, `/1` a switch, `5:k=2+900` an update: number, key, value, time."""
    found, texts = [], ReceivedTexts()
    for message in MessageReader().feed(data):
        if isinstance(message, Definition):
            found.append(f"{message.name}({message.number})")
        elif isinstance(message, Switch):
            found.append(f"/{message.number}")
        else:
            assert isinstance(message, Update)
            key, values = decode_entry(T, message.body, 0, texts)
            number = "" if message.update is None else str(message.update)
            left = "" if message.expire is None else f"+{message.expire}"
            count = values["gpc0"]
            assert isinstance(count, int)
            found.append(f"{number}:{key.decode()}={count}{left}")
    return found


def test_changes_in_their_order() -> None:
    t, u = MemoryTable(T), MemoryTable(U)
    t.set(b"a", {"gpc0": 1}, 0)
    t.set(b"b", {"gpc0": 2}, 0)
    t.set(b"a", {"gpc0": 3}, 1000)
    u.set(b"c", {"gpc0": 4}, 0)
    outgoing = Outgoing([t, u], Progress(), True)
    assert told(outgoing.changes(1000, 9999)) == ["t(1)", "2:b=2+59000", ":a=3+60000", "u(2)", "1:c=4+0"]
    assert outgoing.changes(1000, 9999) == b""
    t.set(b"b", {"gpc0": 9}, 1000)
    assert told(outgoing.changes(1000, 9999)) == ["/1", "4:b=9+60000"]
    t.set(b"b", {"gpc0": 8}, 1000)
    assert told(outgoing.changes(1000, 9999)) == [":b=8+60000"]
    assert outgoing.updates == 5


def test_a_peer_of_2_0_is_told_no_times() -> None:
    t = MemoryTable(T)
    t.set(b"a", {"gpc0": 1}, 0)
    assert told(Outgoing([t], Progress(), False).changes(0, 9999)) == ["t(1)", "1:a=1"]


def test_what_is_gone_is_not_told() -> None:
    t = MemoryTable(T)
    t.set(b"a", {"gpc0": 1}, 0)
    outgoing = Outgoing([t], Progress(), True)
    assert outgoing.changes(60_000, 9999) == b""
    assert told(outgoing.lesson(60_000, 9999)[0]) == []


def test_a_lesson_tells_tables_without_entries_too() -> None:
    t, u = MemoryTable(T), MemoryTable(U)
    t.set(b"a", {"gpc0": 1}, 0)
    outgoing = Outgoing([t, u], Progress(), True)
    outgoing.begin_lesson()
    data, whole = outgoing.lesson(0, 9999)
    assert (told(data), whole) == (["t(1)", "0:a=1+60000", "u(2)"], True)
    assert outgoing.changes(0, 9999) == b""


def test_a_new_connection_goes_on_after_what_was_acknowledged() -> None:
    t, progress = MemoryTable(T), Progress()
    for number, key in enumerate((b"a", b"b", b"c"), 1):
        t.set(key, {"gpc0": number}, 0)
    first = Outgoing([t], progress, True)
    first.changes(0, 9999)
    first.acknowledge(Ack(1, 2))
    first.acknowledge(Ack(1, 1))
    first.acknowledge(Ack(1, 77))
    first.acknowledge(Ack(9, 3))
    assert progress.acked == {"t": 2}
    assert told(Outgoing([t], progress, True).changes(0, 9999)) == ["t(1)", "3:c=3+60000"]


def test_numbers_of_32_bits() -> None:
    t, progress = MemoryTable(T), Progress()
    t.journal.head = (1 << 32) - 2
    progress.acked["t"] = (1 << 32) - 2
    outgoing = Outgoing([t], progress, True)
    for key in (b"a", b"b", b"c"):
        t.set(key, {}, 0)
    assert told(outgoing.changes(0, 9999)) == ["t(1)", f"{(1 << 32) - 1}:a=0+60000", ":b=0+60000", ":c=0+60000"]
    outgoing.acknowledge(Ack(1, 0))
    assert progress.acked["t"] == 1 << 32


def test_forgotten_changes_have_the_table_told_whole() -> None:
    t = MemoryTable(T)
    for key in (b"a", b"b", b"c"):
        t.set(key, {}, 0)
    t.journal.forget(2)
    outgoing = Outgoing([t], Progress(), True)
    assert told(outgoing.changes(0, 9999)) == ["t(1)", "0:a=0+60000", "0:b=0+60000", "0:c=0+60000"]
    assert outgoing.changes(0, 9999) == b""


def test_a_table_that_was_made_anew() -> None:
    t, progress = MemoryTable(T), Progress({"t": 500})
    outgoing = Outgoing([t], progress, True)
    t.set(b"a", {}, 0)
    assert told(outgoing.changes(0, 9999)) == ["t(1)", "1:a=0+60000"]


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["t", "u"]).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 9))), max_size=40),
    st.integers(1, 200),
    st.data(),
)
def test_whatever_happens_the_peer_has_all_in_the_end(
    changes: list[tuple[str, int]], room: int, data: st.DataObject
) -> None:
    """Changes, lessons and breaks of the connection in any order: in the end the receiver has what we have."""
    tables = {"t": MemoryTable(T), "u": MemoryTable(U)}
    progress, has = Progress(), {"t": dict[bytes, int](), "u": dict[bytes, int]()}
    outgoing = Outgoing(list(tables.values()), progress, True)
    lesson = False

    def hear(stream: bytes, acknowledged: bool) -> None:
        current, number, texts = "", 0, ReceivedTexts()
        for message in MessageReader().feed(stream):
            if isinstance(message, Definition):
                current = message.name
            elif isinstance(message, Switch):
                current = "tu"[message.number - 1]
            else:
                assert isinstance(message, Update)
                key, values = decode_entry(T, message.body, 0, texts)
                count = values["gpc0"]
                assert isinstance(count, int)
                has[current][key] = count
                number = number + 1 if message.update is None else message.update
                if acknowledged:
                    outgoing.acknowledge(Ack("tu".index(current) + 1, number))

    streams = b""
    for name, number in changes:
        tables[name].set(b"k%d" % number, {"gpc0": data.draw(st.integers(0, 99))}, 0)
        step = data.draw(st.sampled_from(["tell", "nothing", "lesson", "break"]))
        if step == "lesson":
            outgoing.begin_lesson()
            lesson = True
        if step == "break":
            hear(streams, data.draw(st.booleans()))
            outgoing, streams, lesson = Outgoing(list(tables.values()), progress, True), b"", False
        if step == "tell":
            if lesson:
                piece, whole = outgoing.lesson(0, room)
                lesson = not whole
            else:
                piece = outgoing.changes(0, room)
            streams += piece
    while lesson:
        piece, whole = outgoing.lesson(0, room)
        streams, lesson = streams + piece, not whole
    while piece := outgoing.changes(0, room):
        streams += piece
    hear(streams, True)
    for name, table in tables.items():
        assert has[name] == {key: values["gpc0"] for key, (_, values) in table.held.items()}
