from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from maniple.core.config.model import GlobalSpec, LogSpec
from maniple.core.errors import ConfigError
from maniple.core.report.senders import Senders, append_all, open_sink, sent_host
from maniple.core.report.syslog_header import DEBUG, EMERG, ERR, INFO, NOTICE, WARNING

MakeSpec = Callable[..., LogSpec]


class Loop:
    """Stands for the event loop: what was armed, and a clock."""

    def __init__(self) -> None:
        self.armed: list[Callable[[], None]] = []
        self.now = 1233918854.25

    def arm(self, callback: Callable[[], None]) -> None:
        self.armed.append(callback)

    def run(self) -> None:
        due, self.armed = self.armed, []
        for callback in due:
            callback()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def senders(loop: Loop) -> Iterator[Senders]:
    made = Senders(loop.arm, 77, clock=lambda: loop.now)
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        yield made


@pytest.fixture
def udp(receiver: socket.socket, log_spec: MakeSpec) -> Callable[..., LogSpec]:
    return lambda **words: log_spec("udp", f"127.0.0.1:{receiver.getsockname()[1]}", **words)


def received(receiver: socket.socket) -> list[bytes]:
    receiver.setblocking(False)
    messages = []
    while True:
        try:
            messages.append(receiver.recv(65536))
        except BlockingIOError:
            return messages


def test_batch_is_armed_once_and_leaves_at_the_flush(
    loop: Loop, senders: Senders, udp: MakeSpec, receiver: socket.socket
) -> None:
    first = senders.sender(udp(format="raw"), "tag")
    second = senders.sender(udp(format="short"), "tag")
    for sender in (first, second, first):
        sender.append(INFO, b"text")
    assert len(loop.armed) == 1
    assert received(receiver) == []
    loop.run()
    assert received(receiver) == [b"text\n", b"<6>text\n", b"text\n"]
    assert loop.armed == []
    first.append(INFO, b"again")
    assert len(loop.armed) == 1


@pytest.mark.parametrize(
    ("words", "severity", "sent"),
    [
        ({}, DEBUG, b"<7>"),
        ({"level": NOTICE}, INFO, None),
        ({"level": NOTICE}, NOTICE, b"<5>"),
        ({"level": NOTICE}, EMERG, b"<0>"),
        ({"level": INFO, "minlevel": ERR}, EMERG, b"<3>"),
        ({"level": INFO, "minlevel": ERR}, WARNING, b"<4>"),
        ({"level": ERR, "minlevel": NOTICE}, ERR, b"<5>"),
    ],
)
def test_levels(
    words: dict[str, int],
    severity: int,
    sent: bytes | None,
    loop: Loop,
    senders: Senders,
    udp: MakeSpec,
    receiver: socket.socket,
) -> None:
    senders.sender(udp(format="short", **words), "tag").append(severity, b"text")
    loop.run()
    assert received(receiver) == ([] if sent is None else [sent + b"text\n"])


@pytest.mark.parametrize(
    ("sample", "size", "sent"),
    [(((1, 1),), 2, "0 2 4 6 8"), (((2, 3),), 4, "1 2 5 6 9"), (((1, 1), (3, 4)), 4, "0 2 3 4 6 7 8"), ((), 0, "all")],
)
def test_samples(
    sample: Any, size: int, sent: str, loop: Loop, senders: Senders, udp: MakeSpec, receiver: socket.socket
) -> None:
    sender = senders.sender(udp(format="raw", sample=sample, sample_size=size), "tag")
    for number in range(10):
        sender.append(INFO, b"%d" % number)
    loop.run()
    expected = [str(number) for number in range(10)] if sent == "all" else sent.split()
    assert [message.decode().strip() for message in received(receiver)] == expected


def test_length_includes_the_header_of_a_datagram(
    loop: Loop, senders: Senders, udp: MakeSpec, receiver: socket.socket
) -> None:
    senders.sender(udp(format="short", length=80), "tag").append(INFO, b"x" * 100)
    loop.run()
    assert received(receiver) == [b"<6>" + b"x" * 77 + b"\n"]


def test_length_as_haproxy(
    fresh_oracle: Any, haproxy_program: str, senders: Senders, loop: Loop, udp: MakeSpec, receiver: socket.socket
) -> None:
    """A datagram has its line end beyond the length. The manual says that standard output is not cut, but it is."""
    text = "y" * 120
    fresh_oracle.listener("web")
    reader, writer = os.pipe()
    fresh_oracle.start(
        f"listen web\n mode tcp\n bind fd@{fresh_oracle.listeners['web'].fileno()}\n timeout client 2s\n"
        f' timeout server 2s\n timeout connect 1s\n log-format "{text}"\n log stdout len 80 format short local0\n'
        f" log 127.0.0.1:{fresh_oracle.log_port} len 80 format short local0\n"
        f" server s1 127.0.0.1:{fresh_oracle.origin_port}\n",
        haproxy_program,
        stdout=writer,
    )
    os.close(writer)
    fresh_oracle.ask("web", b"GET / HTTP/1.1\r\n\r\n")
    senders.sender(udp(format="short", length=80), "tag").append(INFO, text.encode())
    loop.run()
    assert received(receiver) == [fresh_oracle.line()]
    with os.fdopen(reader, "rb") as theirs:
        their_line = theirs.readline()
    our_reader, our_writer = os.pipe()
    spec = udp(format="short", length=80)
    fd_spec = LogSpec(spec.place, "fd", str(our_writer), format="short", length=80)
    senders.sender(fd_spec, "tag").append(INFO, text.encode())
    loop.run()
    os.close(our_writer)
    with os.fdopen(our_reader, "rb") as ours:
        assert ours.readline() == their_line


def test_default_format_has_the_host_only_if_it_is_sent(
    loop: Loop, senders: Senders, udp: MakeSpec, receiver: socket.socket
) -> None:
    senders.sender(udp(), "tag").append(INFO, b"text")
    senders.sender(udp(), "tag", "host").append(INFO, b"text")
    loop.run()
    shapes = [re.sub(rb"[A-Z][a-z][a-z]  ?\d+ [\d:]{8}", b"DATE", message) for message in received(receiver)]
    assert shapes == [b"<134>DATE tag[77]: text\n", b"<134>DATE host tag[77]: text\n"]


def test_unix_and_abstract_targets(loop: Loop, senders: Senders, log_spec: MakeSpec, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    name = f"maniple-test-{os.getpid()}"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as plain,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract,
    ):
        plain.bind(path)
        abstract.bind("\0" + name)
        for address in (path, "\0" + name):
            senders.sender(log_spec("unix", address, format="raw"), "tag").append(INFO, b"text")
        loop.run()
        assert received(plain) == received(abstract) == [b"text\n"]


def test_slow_target_is_tried_again(loop: Loop, senders: Senders, log_spec: MakeSpec) -> None:
    reader, writer = os.pipe()
    sender = senders.sender(log_spec("fd", str(writer), format="raw", length=65535), "tag")
    for _ in range(100):
        sender.append(INFO, b"x" * 1000)
    loop.run()
    assert len(loop.armed) == 1
    total = 0
    while loop.armed:
        total += len(os.read(reader, 1 << 20))
        loop.run()
    os.set_blocking(reader, False)
    total += len(os.read(reader, 1 << 20))
    assert total == 100 * 1001
    assert senders.dropped == 0
    os.close(reader)
    os.close(writer)


def test_drops_are_counted_and_told_from_time_to_time(
    loop: Loop, senders: Senders, log_spec: MakeSpec, tmp_path: Any
) -> None:
    path = str(tmp_path / "log")
    sender = senders.sender(log_spec("unix", path, format="short"), "tag")
    sender.append(INFO, b"lost")
    sender.append(INFO, b"lost")
    loop.run()
    assert senders.dropped == 2
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        loop.run()
        sender.append(INFO, b"text")
        loop.run()
        loop.run()
        messages = received(receiver)
        assert b"<6>text\n" in messages
        assert b"<4>2 log messages were dropped\n" in messages
        loop.now += 5
        sender.append(INFO, b"more")
        loop.run()
        assert received(receiver) == [b"<6>more\n"]
    assert loop.armed == []


def test_target_that_cannot_be_opened_is_an_error_with_its_place(senders: Senders, log_spec: MakeSpec) -> None:
    for spec in (log_spec("file", "/nonexistent/x"), log_spec("fd", "987"), log_spec("ring", "x")):
        with pytest.raises(ConfigError) as caught:
            senders.sender(spec, "tag")
        assert (caught.value.file, caught.value.line, caught.value.column) == ("test.cfg", 3, 5)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:1514", "[::1]:514", "localhost:1"])
def test_udp_addresses(address: str, log_spec: MakeSpec) -> None:
    open_sink(log_spec("udp", address)).close()


def test_sent_host() -> None:
    assert sent_host(GlobalSpec()) == ""
    assert sent_host(GlobalSpec(log_send_hostname="")) == socket.gethostname()
    assert sent_host(GlobalSpec(log_send_hostname="other")) == "other"


def test_event_to_all(loop: Loop, senders: Senders, udp: MakeSpec, receiver: socket.socket) -> None:
    append_all([senders.sender(udp(format="short"), "t"), senders.sender(udp(format="raw"), "t")], NOTICE, "é!")
    loop.run()
    assert received(receiver) == ["<5>é!\n".encode(), "é!\n".encode()]
