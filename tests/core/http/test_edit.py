"""Edited heads: against a simple model, a list of pairs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.http.edit import EditedBlock, edit_request, edit_response, is_value
from maniple.core.http.head import HeadReader, RequestHead
from maniple.core.http.limits import Limits

START = b"POST /a HTTP/1.1\r\n"
LINES = b"Host: h\r\nA: 1\r\nB: 2, 3\r\na: 4\r\nConnection: keep-alive\r\nContent-Length: 0\r\nC:\r\n"


def read(lines: bytes = LINES) -> RequestHead:
    return HeadReader(Limits()).read_request(START + lines + b"\r\n")


def edited(lines: bytes = LINES) -> EditedBlock:
    block = edit_request(read(lines)).block
    assert isinstance(block, EditedBlock)
    return block


def double(value: bytes) -> bytes:
    return value + value


def set_twice(block: EditedBlock) -> None:
    block.set(b"a", b"5")
    block.set(b"a", b"6")


def edit_added(block: EditedBlock) -> None:
    block.add(b"x", b"1")
    block.add(b"x", b"2")
    block.edit_lines(b"x", lambda value: None if value == b"1" else b"3")


# ruff: noqa: E501 (a case a line)
CASES: list[tuple[str, Callable[[EditedBlock], None], bytes]] = [
    ("nothing", lambda b: None, b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\n"),
    ("add", lambda b: b.add(b"x", b"y"), b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\nx: y\r\n"),
    ("add again", lambda b: b.add(b"a", b"5"), b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\na: 5\r\n"),
    ("set", lambda b: b.set(b"a", b"5"), b"host: h\r\nb: 2, 3\r\ncontent-length: 0\r\nc: \r\na: 5\r\n"),
    ("set twice", set_twice, b"host: h\r\nb: 2, 3\r\ncontent-length: 0\r\nc: \r\na: 6\r\n"),
    ("delete", lambda b: b.delete(b"a"), b"host: h\r\nb: 2, 3\r\ncontent-length: 0\r\nc: \r\n"),
    ("delete host", lambda b: b.delete(b"host"), b"a: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\n"),
    ("delete absent", lambda b: b.delete(b"x"), b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\n"),
    ("framing stays", lambda b: b.delete(b"content-length"), b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\n"),
    ("framing is not set", lambda b: b.set(b"content-length", b"7"), b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\n"),
    ("delete where", lambda b: b.delete_where(lambda n: len(n) == 1), b"host: h\r\ncontent-length: 0\r\n"),
    ("edit lines", lambda b: b.edit_lines(b"a", lambda v: None if v == b"1" else v + v), b"host: h\r\nb: 2, 3\r\na: 44\r\ncontent-length: 0\r\nc: \r\n"),
    ("edit lines away", lambda b: b.edit_lines(b"a", lambda v: None), b"host: h\r\nb: 2, 3\r\ncontent-length: 0\r\nc: \r\n"),
    ("edit added lines", edit_added, b"host: h\r\na: 1\r\nb: 2, 3\r\na: 4\r\ncontent-length: 0\r\nc: \r\nx: 3\r\n"),
    ("replace lines", lambda b: b.replace_lines(b"a", double), b"host: h\r\na: 11\r\nb: 2, 3\r\na: 44\r\ncontent-length: 0\r\nc: \r\n"),
    ("replace values", lambda b: b.replace_values(b"b", double), b"host: h\r\na: 1\r\nb: 22,33\r\na: 4\r\ncontent-length: 0\r\nc: \r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "wire"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_wire(edit: Callable[[EditedBlock], None], wire: bytes) -> None:
    block = edited()
    edit(block)
    block.seal()
    assert block.wire == wire
    block.seal()
    assert block.wire == wire


def test_the_original_stays() -> None:
    head = read()
    before = (head.block.wire, head.block.fields)
    block = edit_request(head).block
    assert isinstance(block, EditedBlock)
    block.delete(b"host")
    block.replace_lines(b"a", double)
    block.add(b"x", b"y")
    block.seal()
    assert (head.block.wire, head.block.fields) == before and head.block.host == b"h" and block.host is None


HOP: list[tuple[bytes, list[bytes], bytes]] = [
    (b"Connection: keep-alive\r\n", [], b""),
    (b"Connection: keep-alive, X\r\n", [b"X"], b"connection: X\r\n"),
    (b"Connection: close\r\nConnection: a ,,b\r\n", [b"a, b"], b"connection: a, b\r\n"),
]


@pytest.mark.parametrize(("lines", "seen", "wire"), HOP)
def test_what_is_between_client_and_proxy_is_not_seen(lines: bytes, seen: list[bytes], wire: bytes) -> None:
    original = read(b"Host: h\r\n" + lines).block
    block = edited(b"Host: h\r\n" + lines)
    for one in (original, block):
        assert (one.index or one.make_index()).get(b"connection") == (seen[-1] if seen else None)
        assert one.values(b"connection") == seen
    block.replace_lines(b"connection", lambda value: value)
    block.seal()
    assert block.wire == b"host: h\r\n" + wire
    assert block.values(b"connection") == seen
    block.delete(b"connection")
    block.seal()
    assert block.wire == b"host: h\r\n" and not block.values(b"connection")


def test_host_follows() -> None:
    block = edited()
    block.set(b"host", b"other")
    assert block.host == b"other"
    block.replace_lines(b"host", double)
    assert block.host == b"otherother" and block.values(b"host") == [b"otherother"]


def test_copies_are_made_once() -> None:
    head = edit_request(read())
    assert edit_request(head) is head
    answer = HeadReader(Limits()).read_response(b"HTTP/1.1 200 OK\r\nA: 1\r\ncontent-length: 0\r\n\r\n", b"GET")
    copy = edit_response(answer)
    assert copy is not answer and edit_response(copy) is copy
    assert (copy.status, copy.length, copy.ordinary, copy.reason) == (200, 0, True, answer.reason)


NAMES = st.sampled_from([b"a", b"b", b"c", b"host"])
VALUES = st.sampled_from([b"1", b"", b"a", b"2, 3"])
EDITS = st.lists(st.tuples(st.sampled_from(["add", "set", "delete", "replace_lines"]), NAMES, VALUES), max_size=8)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), EDITS)
def test_like_a_list(lines: list[tuple[bytes, bytes]], edits: list[tuple[str, bytes, bytes]]) -> None:
    lines = [(b"host", b"h"), *[line for line in lines if line[0] != b"host"]]
    block = edited(b"".join([b"%b: %b\r\n" % line for line in lines]))
    model = list(lines)
    for what, name, value in edits:
        if what == "add":
            block.add(name, value)
            model.append((name, value))
        elif what == "set":
            block.set(name, value)
            model = [*[pair for pair in model if pair[0] != name], (name, value)]
        elif what == "delete":
            block.delete(name)
            model = [pair for pair in model if pair[0] != name]
        else:
            block.replace_lines(name, double)
            model = [(found, double(old) if found == name else old) for found, old in model]
        assert block.fields == tuple(model)
        assert block.index == dict(model)
        assert block.get(name) == next((v for n, v in model if n == name), None)
    block.seal()
    assert block.wire == b"".join([b"%b: %b\r\n" % pair for pair in model])


def test_values() -> None:
    assert is_value(b"a b\t") and not is_value(b"a\nb") and not is_value(b"\0") and not is_value(b"\r")


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"content-length"),
        (b"Content-Length: 5\r\nContent-Length: 5\r\nConnection: x, close\r\n", b"content-length: 5\r\ncontent-length"),
        (b"Host: h\r\nConnection: close\r\n", b"host: h\r\nhost"),
    ],
)
def test_what_reading_took_out_does_not_come_back(lines: bytes, gone: bytes) -> None:
    """A request must not be framed otherwise for the server because a rule has dropped some other line."""
    head = read(b"Host: h\r\nA: 1\r\n" + lines)
    assert gone not in head.block.wire
    block = edit_request(head).block
    assert isinstance(block, EditedBlock)
    block.set(b"a", b"2")
    block.seal()
    assert block.wire == head.block.wire.replace(b"a: 1\r\n", b"") + b"a: 2\r\n"


def test_a_response_without_content_stays_so() -> None:
    reader = HeadReader(Limits())
    head = reader.read_response(b"HTTP/1.1 204 No Content\r\nA: 1\r\nContent-Length: 5\r\n\r\n", b"GET")
    assert head.block.wire == b"a: 1\r\n"
    block = edit_response(head).block
    assert isinstance(block, EditedBlock)
    block.set(b"a", b"2")
    block.seal()
    assert block.wire == b"a: 2\r\n"


def test_host_without_the_default_port_stays_so() -> None:
    reader = HeadReader(Limits())
    head = reader.read_request(b"GET http://h:80/ HTTP/1.1\r\nHost: h:80\r\nA: 1\r\n\r\n")
    assert head.block.wire == b"host: h\r\na: 1\r\n"
    block = edit_request(head).block
    assert isinstance(block, EditedBlock)
    block.set(b"a", b"2")
    block.seal()
    assert block.wire == b"host: h\r\na: 2\r\n"
