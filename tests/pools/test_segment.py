from __future__ import annotations

import os

import pytest
from maniple.pools.segment import LAYOUT_VERSION, MAGIC, Segment, SegmentError


def test_body_is_shared_with_whoever_attaches() -> None:
    segment = Segment.create("counters", 1000, b"shape")
    other = Segment.attach(os.dup(segment.fd))
    assert (other.name, other.shape, len(other.body)) == ("counters", b"shape", 1000)
    assert bytes(segment.body) == bytes(1000)
    segment.body[7] = 42
    assert other.body[7] == 42
    other.body[999] = 1
    assert segment.body[999] == 1
    segment.close()
    other.close()
    other.close()
    assert repr(other) == "<Segment counters fd -1>"


def test_body_is_shared_over_a_fork() -> None:
    segment = Segment.create("counters", 8)
    pid = os.fork()
    if not pid:
        segment.body[0] = 9
        os._exit(0)
    os.waitpid(pid, 0)
    assert segment.body[0] == 9
    segment.close()


def test_size_is_sealed() -> None:
    segment = Segment.create("counters", 100)
    for size in (0, 10, 1 << 20):
        with pytest.raises(PermissionError):
            os.ftruncate(segment.fd, size)
    segment.close()


def test_a_long_shape_takes_more_pages() -> None:
    shape = bytes(range(256)) * 100
    segment = Segment.create("é", 16, shape)
    other = Segment.attach(os.dup(segment.fd))
    assert (other.name, other.shape, len(other.body)) == ("é", shape, 16)
    segment.close()
    other.close()


def test_a_view_outlives_close() -> None:
    segment = Segment.create("counters", 16)
    view = segment.body[:8]
    segment.close()
    view[0] = 1
    assert view[0] == 1


def test_an_empty_body_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a body"):
        Segment.create("x", 0)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "too few"),
        (b"x" * 8192, "wrong magic"),
        (MAGIC + (LAYOUT_VERSION + 1).to_bytes(4, "little") + bytes(8180), "layout 2"),
        (MAGIC + LAYOUT_VERSION.to_bytes(4, "little") + bytes(8180), "contradict"),
    ],
)
def test_what_is_no_segment_is_refused(raw: bytes, text: str) -> None:
    fd = os.memfd_create("test")
    os.write(fd, raw)
    with pytest.raises(SegmentError, match=text):
        Segment.attach(fd)
    os.close(fd)


def test_a_name_that_is_not_text_is_refused() -> None:
    segment = Segment.create("abc", 16)
    raw = bytearray(os.pread(segment.fd, 8192, 0))
    raw[raw.index(b"abc")] = 0xFF
    fd = os.memfd_create("test")
    os.write(fd, raw)
    with pytest.raises(SegmentError, match="not text"):
        Segment.attach(fd)
    os.close(fd)
    segment.close()


def test_a_private_segment_has_no_descriptor() -> None:
    segment = Segment.private("x", 4096, b"shape")
    segment.body[0] = 7
    assert (segment.fd, segment.start, segment.shape, segment.mapping[:1]) == (-1, 0, b"shape", b"\7")
    segment.close()
