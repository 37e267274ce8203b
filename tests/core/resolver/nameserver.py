"""A name server on loopback, UDP and TCP on one port, that does what a script says: the truth, lies, or nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Reaction = Callable[[dns.message.QueryMessage, bool], Sequence[bytes]]
"""(question, over TCP) -> the messages that go back, in their order."""
TTL = 60


def answer(question: dns.message.Message, *rows: str, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> dns.message.Message:
    """A message that answers; rows are `name type content`."""
    message = dns.message.make_response(question)
    message.set_rcode(code)
    for row in rows:
        name, kind, *contents = row.split()
        contents = [f"{one.rstrip('.')}." if kind == "CNAME" else one for one in contents]
        message.answer.append(dns.rrset.from_text(f"{name.rstrip('.')}.", TTL, "IN", kind, *contents))
    return message


def addresses(*texts: str) -> Reaction:
    """These addresses for the name that was asked for, as far as they are of the kind that was."""

    def react(question: dns.message.QueryMessage, stream: bool) -> Sequence[bytes]:
        asked = question.question[0]
        wanted = [text for text in texts if (":" in text) == (asked.rdtype == dns.rdatatype.AAAA)]
        rows = [f"{asked.name} {dns.rdatatype.to_text(asked.rdtype)} {' '.join(wanted)}"] if wanted else []
        return [answer(question, *rows).to_wire(max_size=65535)]

    return react


def rows(*texts: str) -> Reaction:
    """These records, whatever was asked for."""
    return lambda question, stream: [answer(question, *texts).to_wire()]


def code(value: dns.rcode.Rcode) -> Reaction:
    return lambda question, stream: [answer(question, code=value).to_wire()]


NX = code(dns.rcode.NXDOMAIN)
REFUSED = code(dns.rcode.REFUSED)
SERVFAIL = code(dns.rcode.SERVFAIL)


def silence(question: dns.message.QueryMessage, stream: bool) -> Sequence[bytes]:
    return []


def truncated(whole: Reaction) -> Reaction:
    """Too large for a datagram: the whole over TCP only."""

    def react(question: dns.message.QueryMessage, stream: bool) -> Sequence[bytes]:
        if stream:
            return whole(question, stream)
        message = answer(question)
        message.flags |= dns.flags.TC
        return [message.to_wire()]

    return react


class NameServer:
    """`script`: (name without the last dot, type) or name -> reactions, one for each question; the last one stays. What
    is not in it does not exist. `asked`: (name, type, over TCP), in the order of arrival. Close it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.script: dict[tuple[str, str] | str, list[Reaction]] = {}
        self.asked: list[tuple[str, str, bool]] = []
        self.payloads: list[int] = []
        self.numbers: list[int] = []
        self.peers: list[tuple[str, int]] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = host
        for _ in range(50):
            self._stream = socket.create_server((host, 0), family=family)
            self.port = self._stream.getsockname()[1]
            self._datagram = socket.socket(family, socket.SOCK_DGRAM)
            try:
                self._datagram.bind((host, self.port))
                break
            except OSError:
                # Somebody has the port for datagrams.
                self._stream.close()
                self._datagram.close()
        self._closed = False
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._datagrams, self._streams)]
        for thread in self._threads:
            thread.start()

    def put(self, name: str, *reactions: Reaction, kind: str = "") -> None:
        """What the next questions for a name meet; of one record type only, or of any."""
        self.script[(name, kind) if kind else name] = list(reactions)

    def _react(self, packet: bytes, peer: tuple[str, int], stream: bool) -> Sequence[bytes]:
        try:
            question = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            # HAProxy sends what is no question for names that are none.
            return []
        assert isinstance(question, dns.message.QueryMessage)
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind, stream))
        self.payloads.append(question.payload)
        self.numbers.append(question.id)
        self.peers.append(peer)
        script = self.script.get((name.lower(), kind)) or self.script.get(name.lower())
        if not script:
            return NX(question, stream)
        return (script.pop(0) if len(script) > 1 else script[0])(question, stream)

    def _datagrams(self) -> None:
        while not self._closed:
            try:
                packet, peer = self._datagram.recvfrom(65535)
            except OSError:
                return
            if self._closed:
                return
            for reply in self._react(packet, peer[:2], False):
                with suppress(OSError):
                    self._datagram.sendto(reply, peer)

    def _streams(self) -> None:
        while not self._closed:
            try:
                connection, peer = self._stream.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(2)
                while not self._closed:
                    length = connection.recv(2, socket.MSG_WAITALL)
                    if len(length) < 2:
                        break
                    packet = connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
                    replies = self._react(packet, peer[:2], True)
                    if not replies:
                        break
                    for reply in replies:
                        connection.sendall(len(reply).to_bytes(2, "big") + reply)

    def close(self) -> None:
        self._closed = True
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (self.host, self.port))
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        for thread in self._threads:
            thread.join(5)
        self._datagram.close()
