"""Sinks on real pipes, files and sockets: whole lines, no blocking, no flags changed on what others share."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.core.report.sinks import KEPT, PIPE_BUF, DatagramSink, FileSink, StreamSink


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        if end >= 0:
            os.close(end)


def read_all(descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    received = b""
    while True:
        try:
            block = os.read(descriptor, 65536)
        except BlockingIOError:
            return received
        received += block


def fill(descriptor: int) -> None:
    """Make a pipe full, through an open file of our own."""
    own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(own, b"x" * PIPE_BUF)
    except BlockingIOError:
        os.close(own)


def test_pipe_gets_whole_lines_in_writes_of_a_page(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = pipe
    sink = StreamSink(writer)
    sizes: list[int] = []
    write = os.write

    def watched(descriptor: int, block: bytes) -> int:
        sizes.append(len(block))
        assert block.endswith(b"\n")
        return write(descriptor, block)

    monkeypatch.setattr(os, "write", watched)
    lines = [b"%04d %s\n" % (number, b"x" * (number % 300)) for number in range(200)]
    sink.pending.extend(lines)
    assert sink.flush() is False
    assert read_all(reader) == b"".join(lines)
    assert max(sizes) <= PIPE_BUF
    assert len(sizes) < 12
    assert (sink.written, sink.dropped, sink.pending) == (200, 0, [])
    sink.close()


def test_shared_open_file_stays_blocking(pipe: tuple[int, int]) -> None:
    _reader, writer = pipe
    sink = StreamSink(writer)
    sink.pending.append(b"line\n")
    sink.flush()
    assert not fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK
    sink.close()


@pytest.mark.parametrize("reopened", [True, False])
def test_full_pipe_does_not_block(reopened: bool, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = pipe
    if not reopened:
        # As where another user owns the pipe: then poll decides.
        def refused(*arguments: object) -> int:
            raise PermissionError

        monkeypatch.setattr(os, "open", refused)
    sink = StreamSink(writer)
    monkeypatch.undo()
    fill(writer)
    sink.pending.append(b"waits\n")
    assert sink.flush() is True
    assert (sink.pending, sink.dropped) == ([b"waits\n"], 0)
    read_all(reader)
    assert sink.flush() is False
    assert read_all(reader) == b"waits\n"
    sink.close()


def test_what_waits_is_bounded(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer)
    fill(writer)
    sink.pending.extend(b"%d\n" % number + b"x" * 997 + b"\n" for number in range(1000))
    assert sink.flush() is True
    assert sum(map(len, sink.pending)) <= KEPT
    assert sink.pending[0].startswith(b"0\n")
    assert len(sink.pending) + sink.dropped == 1000
    read_all(reader)
    while sink.flush():
        read_all(reader)
    assert sink.written + sink.dropped == 1000
    sink.close()


def test_reader_gone() -> None:
    reader, writer = os.pipe()
    sink = StreamSink(writer)
    os.close(reader)
    sink.pending.extend([b"a\n", b"b\n"])
    assert sink.flush() is False
    assert (sink.dropped, sink.pending) == (2, [])
    sink.close()
    os.close(writer)


def test_long_message_goes_alone_and_whole(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer)
    long = b"y" * 200_000 + b"\n"
    sink.pending.extend([b"before\n", long, b"after\n"])
    received = b""
    again = True
    while again:
        again = sink.flush()
        received += read_all(reader)
    assert received == b"before\n" + long + b"after\n"
    sink.close()


def test_stream_socket_as_stdout() -> None:
    ours, theirs = socket.socketpair()
    sink = StreamSink(ours.fileno())
    while True:
        sink.pending.append(b"z" * 9999 + b"\n")
        if sink.flush():
            break
    assert not fcntl.fcntl(ours.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
    received = b""
    theirs.setblocking(False)
    while sink.pending or not received.endswith(b"\n"):
        received += theirs.recv(1 << 20)
        sink.flush()
    assert set(received.split(b"\n")) == {b"z" * 9999, b""}
    sink.close()
    ours.close()
    theirs.close()


def test_regular_file_shares_its_offset(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    sink = StreamSink(descriptor)
    os.write(descriptor, b"by another\n")
    sink.pending.append(b"ours\n")
    sink.flush()
    os.write(descriptor, b"by another again\n")
    assert (tmp_path / "out").read_bytes() == b"by another\nours\nby another again\n"
    sink.close()
    os.close(descriptor)


def test_file_is_appended_to_and_follows_rotation(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"old\n")
    sink = FileSink(str(path))
    sink.pending.extend([b"1\n", b"2\n"])
    assert sink.flush() is False
    assert path.read_bytes() == b"old\n1\n2\n"
    path.rename(tmp_path / "log.1")
    sink.pending.append(b"3\n")
    sink.flush()
    assert path.read_bytes() == b"3\n"
    path.unlink()
    sink.pending.append(b"4\n")
    sink.flush()
    assert path.read_bytes() == b"4\n"
    assert (sink.written, sink.dropped) == (4, 0)
    sink.close()


def test_file_that_cannot_be_made_anew_drops(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = FileSink(str(folder / "log"))
    (folder / "log").unlink()
    folder.rmdir()
    sink.pending.append(b"lost\n")
    assert sink.flush() is False
    assert (sink.dropped, sink.pending) == (1, [])
    folder.mkdir()
    sink.pending.append(b"back\n")
    sink.flush()
    assert (folder / "log").read_bytes() == b"back\n"
    sink.close()


def test_missing_folder_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileSink(str(tmp_path / "no" / "log"))


def test_udp_one_message_a_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sink = DatagramSink(socket.AF_INET, receiver.getsockname())
        sink.pending.extend([b"one\n", b"two\n"])
        assert sink.flush() is False
        assert [receiver.recv(99), receiver.recv(99)] == [b"one\n", b"two\n"]
        assert (sink.written, sink.dropped) == (2, 0)
        sink.close()


def test_message_that_never_fits_is_dropped_alone() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sink = DatagramSink(socket.AF_INET, receiver.getsockname())
        sink.pending.extend([b"x" * 70_000, b"fits\n"])
        while sink.flush():
            pass
        assert receiver.recv(99) == b"fits\n"
        assert (sink.written, sink.dropped) == (1, 1)
        sink.close()


def test_unix_socket_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    path = str(tmp_path / "log.sock")
    sink = DatagramSink(socket.AF_UNIX, path)

    def sent(message: bytes) -> None:
        sink.pending.append(message)
        assert sink.flush() is False

    sent(b"nobody there\n")
    assert sink.dropped == 1
    for turn in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(path)
            receiver.settimeout(5)
            sent(b"turn %d\n" % turn)
            assert receiver.recv(99) == b"turn %d\n" % turn
        sent(b"closed\n")
        os.unlink(path)
        sent(b"gone\n")
    assert (sink.written, sink.dropped) == (2, 5)
    sink.close()


def test_full_unix_socket_keeps_messages(tmp_path: Path) -> None:
    path = str(tmp_path / "log.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        sink = DatagramSink(socket.AF_UNIX, path)
        total = 5000
        sink.pending.extend(b"%d\n" % number for number in range(total))
        received: list[bytes] = []
        while sink.flush():
            received.append(receiver.recv(99))
        receiver.setblocking(False)
        while len(received) < total:
            received.append(receiver.recv(99))
        assert received == [b"%d\n" % number for number in range(total)]
        assert (sink.written, sink.dropped) == (total, 0)
        sink.close()
