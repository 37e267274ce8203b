"""Edits worked out once: the same as the same edits one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.http.edit import EditedBlock, edit_request, with_block, with_response_block
from maniple.core.http.head import HeadReader, RequestHead, ResponseHead
from maniple.core.http.limits import Limits
from maniple.core.http.line_edits import Edit, LineEdits

NAMES = [b"a", b"b", b"c", b"accept"]
names = st.sampled_from(NAMES)
values = st.sampled_from([b"", b"1", b"x, y"])
EDITS = st.lists(st.tuples(st.sampled_from(["set", "add", "delete"]), names, values), max_size=6)
LINES = st.lists(
    st.tuples(st.sampled_from([*NAMES, b"connection"]), st.sampled_from([b"1", b"close", b"z"])), max_size=5
)


def read(lines: bytes) -> RequestHead:
    return HeadReader(Limits()).read_request(b"GET /a HTTP/1.1\r\nHost: h\r\n%b\r\n" % lines)


def one_by_one(head: RequestHead, edits: list[Edit]) -> EditedBlock:
    block = edit_request(head).block
    assert isinstance(block, EditedBlock)
    for kind, name, value in edits:
        if kind == "set":
            block.set(name, value)
        elif kind == "add":
            block.add(name, value)
        else:
            block.delete(name)
    block.seal()
    return block


@given(LINES, EDITS, EDITS)
def test_like_one_by_one(
    lines: list[tuple[bytes, bytes]], first: list[tuple[str, bytes, bytes]], second: list[tuple[str, bytes, bytes]]
) -> None:
    head = read(b"".join([b"%b: %b\r\n" % pair for pair in lines]))
    for edits in [Edit(*edit) for edit in first], [Edit(*edit) for edit in second]:
        before = head.block.wire, dict(head.block.index or head.block.make_index())
        assert head.block.index is not None
        made = LineEdits(edits).apply(head.block, head.block.index.copy())
        wanted = one_by_one(head, edits)
        assert made.wire == wanted.wire
        assert made.index == wanted.index
        assert made.seen() == wanted.seen()
        assert made.repeats or len(made.seen()) == len(wanted.index)
        assert (made.host, made.edited) == (b"h", False)
        assert [made.get(name) for name in NAMES] == [wanted.get(name) for name in NAMES]
        assert (head.block.wire, head.block.index) == before, "the original stays"
        # What was made is edited on like what was read.
        head = with_block(head, made)


def test_the_head_is_a_copy() -> None:
    head = read(b"A: 1\r\n")
    made = LineEdits([Edit("add", b"b", b"2")]).apply(head.block, head.block.make_index().copy())
    copy = with_block(head, made)
    assert copy is not head
    for name in RequestHead.__slots__ + RequestHead.__mro__[1].__slots__:  # type: ignore[attr-defined]
        if name != "block":
            assert getattr(copy, name) == getattr(head, name)
    assert (copy.block.wire, head.block.wire) == (b"host: h\r\na: 1\r\nb: 2\r\n", b"host: h\r\na: 1\r\n")


def test_the_head_of_a_response_is_one_too() -> None:
    head = HeadReader(Limits()).read_response(b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\n\r\n", b"GET")
    made = LineEdits([Edit("add", b"b", b"2")]).apply(head.block, head.block.make_index().copy())
    copy = with_response_block(head, made)
    for name in ResponseHead.__slots__ + ResponseHead.__mro__[1].__slots__:  # type: ignore[attr-defined]
        if name != "block":
            assert getattr(copy, name) == getattr(head, name)
    assert copy.block.wire == b"a: 1\r\ncontent-length: 0\r\nb: 2\r\n"


@pytest.mark.parametrize("name", [b"content-length", b"transfer-encoding", b"connection", b"host"])
def test_names_that_the_proxy_looks_at_are_not_suitable(name: bytes) -> None:
    assert not Edit("set", name, b"x").suitable
    assert Edit("set", b"x-" + name, b"x").suitable
