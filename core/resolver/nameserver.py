"""One name server as one thread asks it: questions that are under way, and which message answers which.

Owns: the socket, the numbers of questions, the change to TCP for an answer that was cut. Must not know: how often a
question is repeated, what becomes of an answer.

Against forgery (RFC 5452): the socket is connected, so the kernel drops what comes from elsewhere; it is opened for the
first question and closed behind the last one, so its port changes; numbers come from the system's random source; what
does not repeat the question is dropped. Invariant: no socket without a question.

A server that is not there (ICMP) is one that says nothing: it may be there for the next try.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from secrets import randbelow

from ..config.resolver_spec import NameserverSpec
from .status import Status
from .stream import Stream
from .wire import Question, number_of, read_answer

Received = Callable[["Nameserver", Status, tuple[bytes, ...]], None]
"""(who, what, packed addresses): the one answer to a question."""

MOST = 32768
"""Questions under way: more would make numbers easy to guess."""
BURST = 64
"""Datagrams that are read in one turn of the loop."""
DATAGRAM = 65535


class Nameserver:
    """`close` it."""

    __slots__ = ("_asked", "_loop", "_socket", "_streams", "address", "spec")

    def __init__(self, spec: NameserverSpec, loop: asyncio.AbstractEventLoop) -> None:
        self.spec = spec
        self.address = (spec.host, spec.port)
        self._loop = loop
        self._socket: socket.socket | None = None
        self._asked: dict[int, tuple[Question, Received]] = {}
        self._streams: dict[int, Stream] = {}

    def __len__(self) -> int:
        """Questions that are under way."""
        return len(self._asked)

    def ask(self, question: Question, received: Received) -> int:
        """Ask; `received` is not called before this returns. The question's number, for `forget`; -1: there are too
        many under way."""
        if len(self._asked) >= MOST:
            return -1
        number = randbelow(65536)
        while number in self._asked:
            number = randbelow(65536)
        self._asked[number] = (question, received)
        if self.spec.stream:
            self._ask_again(number, question)
        else:
            self._send(question.packet(number))
        return number

    def forget(self, number: int) -> None:
        """No answer is wanted any more. Nothing happens if it is here."""
        self._asked.pop(number, None)
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.close()
        if not self._asked:
            self._hang_up()

    def close(self) -> None:
        for number in list(self._asked):
            self.forget(number)

    def _hang_up(self) -> None:
        sock = self._socket
        if sock is not None:
            self._socket = None
            self._loop.remove_reader(sock)
            sock.close()

    # Datagrams.

    def _send(self, packet: bytes) -> None:
        try:
            if self._socket is None:
                self._open()
            assert self._socket is not None
            self._socket.send(packet)
        except OSError:
            # No answer will come, and the question is repeated in its time.
            return

    def _open(self) -> None:
        family = socket.AF_INET6 if ":" in self.spec.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        self._socket = sock
        self._loop.add_reader(sock, self._read)

    def _read(self) -> None:
        for _ in range(BURST):
            sock = self._socket
            if sock is None:
                return
            try:
                packet = sock.recv(DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue
            number = number_of(packet)
            asked = self._asked.get(number)
            # Who has gone over to TCP waits for nothing here.
            if asked is not None and number not in self._streams:
                self._answered(number, asked, packet)

    def _answered(self, number: int, asked: tuple[Question, Received], packet: bytes) -> bool:
        """Is it the answer? Then it is handed over."""
        question, received = asked
        answer = read_answer(question, packet)
        if answer is None:
            return False
        status, addresses = answer
        if status is Status.TRUNCATED:
            if number not in self._streams:
                self._ask_again(number, question)
                return False
            status = Status.OTHER
        self._streams.pop(number, None)
        self.forget(number)
        received(self, status, addresses)
        return True

    # TCP.

    def _ask_again(self, number: int, question: Question) -> None:
        def came(packet: bytes) -> bool:
            asked = self._asked.get(number)
            return asked is None or (number_of(packet) == number and self._answered(number, asked, packet))

        def failed() -> None:
            self._streams.pop(number, None)
            asked = self._asked.get(number)
            if asked is not None and not self.spec.stream:
                # It has answered, but what it says cannot be had.
                self.forget(number)
                asked[1](self, Status.OTHER, ())

        try:
            self._streams[number] = Stream(self._loop, self.address, question.packet(number), came, failed)
        except OSError:
            self._loop.call_soon(failed)
