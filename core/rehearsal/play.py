"""One request played: bytes go into the relay's own client connection, and what it does is noted and told.

Owns: the order of a play, and how its end is recognised. Must not know: what rules mean (rules do), how it is laid out
(cli). Invariant: no socket is opened, nothing is logged, nobody is dialled.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ClientProtocolError, ServerProtocolError
from ..relay.client import ClientConnection
from ..relay.route import Frontend
from ..relay.tcp import TcpConnection
from ..rules.explanation import Answer, Ending, Explanation, show_bytes
from ..rules.verdicts import DROP
from .message import lines_of, read_message
from .recorder import Recorder
from .stage import Stage
from .still import Endpoint, StillTransport

VERSION = 1
"""Of the document: grows when a field changes its meaning or goes; new fields do not count."""
SHOWN = 200
"""Bytes of an answer's body that are shown."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a client comes in. `source` None: from a unix socket. `listener`: name or number of the bind line."""

    frontend: str
    bind: str
    listener: str
    source: Endpoint | None
    destination: Endpoint | None


def play(stage: Stage, seat: Seat, request: bytes, response: bytes | None = None) -> Explanation:
    """Tell the way of one request (the bytes of a file), and of the server's response if it is given. A stage is for
    one play."""
    return _Play(stage, seat).run(request, response)


class _Play:
    def __init__(self, stage: Stage, seat: Seat) -> None:
        self.stage = stage
        self.frontend: Frontend = stage.frontends[seat.frontend]
        # Explanations show addresses whether rules look at them or not.
        self.frontend.wants_source = self.frontend.wants_packed = True
        self.http = self.frontend.spec.mode == "http"
        self.seat = seat
        self.recorder = Recorder(stage, self.frontend)
        self.transport = StillTransport(seat.source, seat.destination)
        kind = ClientConnection if self.http else TcpConnection
        self.client: ClientConnection | TcpConnection = kind(self.frontend, seat.listener)
        source = "a unix socket" if seat.source is None else _endpoint(seat.source)
        self.told = Explanation(VERSION, seat.frontend, seat.bind, source, [], 0)
        self.told.passes = self.recorder.passes
        self.told.response_passes = self.recorder.response_passes

    def run(self, request: bytes, response: bytes | None) -> Explanation:
        told = self.told
        head, body = b"", request
        if self.http:
            head, body, told.notes = read_message(request)
            told.request = lines_of(head)
        told.body = len(body)
        told.ending = self._request(head, body)
        if told.ending.kind == "forwarded":
            connection = self._connection()
            if not self.http:
                told.notes.append("a TCP frontend: bytes go on as they come, and responses are not looked at")
            elif connection is not None:
                told.sent = lines_of(b"".join(connection.written))
                if response is not None:
                    self._response(response)
        elif response is not None:
            told.notes.append("the response is not looked at: the request never reaches a server")
        choice = told.ending.choice
        if choice is not None and any(server.checked for server in choice.servers):
            told.notes.append("health checks are not asked: servers are taken to be up unless they are disabled")
        return told

    # The request.

    def _request(self, head: bytes, body: bytes) -> Ending:
        client, transport = self.client, self.transport
        client.connection_made(transport)
        if transport.closed:
            return self._closed()
        fault = ""
        if self.http:
            try:
                read = self.frontend.read_request(head)
                if read.length == 0 and body.strip(b"\r\n"):
                    self.told.notes.append(f"{len(body)} bytes behind the head are left out: it announces no body")
                if read.length == 0:
                    self.told.body, body = 0, b""
                elif 0 < read.length < len(body):
                    if body[read.length :].strip(b"\r\n"):
                        rest = len(body) - read.length
                        self.told.notes.append(f"{rest} bytes behind the body are left out: content-length ends it")
                    self.told.body, body = read.length, body[: read.length]
                elif len(body) < read.length:
                    self.told.notes.append(f"the file has {len(body)} bytes of a body of {read.length}")
            except ClientProtocolError as error:
                fault = str(error)
        client.data_received(head + body)
        self._end_waits()
        recorder = self.recorder
        if recorder.placed:
            assert recorder.choice is not None
            return Ending("forwarded", recorder.choice.reason, choice=recorder.choice)
        ending = self._answered(b"".join(transport.written)) if transport.written else self._closed()
        ending.choice = recorder.choice
        ending.by = self._by(f"the request is not valid: {fault}" if fault else "")
        return ending

    def _end_waits(self) -> None:
        """Tarpits, and the time for the first bytes: they last as long as they may."""
        exchange = self.client.exchange
        while exchange is not None and exchange.suspended is not None:
            exchange.suspended.expire(self.stage.relay.now())
            exchange = self.client.exchange

    def _connection(self) -> StillTransport | None:
        """Of the server that the request was sent to."""
        for pools in self.stage.pools.values():
            for pool in pools:
                for connection in pool.taken:
                    assert isinstance(connection.transport, StillTransport)
                    return connection.transport
        return None

    # The response.

    def _response(self, raw: bytes) -> None:
        told, recorder = self.told, self.recorder
        head, body, notes = read_message(raw)
        told.notes += notes
        told.response = lines_of(head)
        exchange = self.client.exchange
        connection = next(one for pools in self.stage.pools.values() for pool in pools for one in pool.taken)
        if exchange is None or exchange.head is None:
            return
        fault = ""
        try:
            exchange.route.read_response(head, exchange.head.method)
        except ServerProtocolError as error:
            fault = str(error)
        recorder.answer_comes()
        self.transport.written.clear()
        connection.data_received(head + body)
        written = b"".join(self.transport.written)
        if not written:
            told.response_ending = self._closed()
        elif fault or recorder.ended is not None:
            told.response_ending = self._answered(written)
            told.response_ending.by = self._by(f"the response is not valid: {fault}" if fault else "")
        else:
            told.returned = lines_of(written)

    # Endings.

    def _closed(self) -> Ending:
        ended = self.recorder.ended
        return Ending("dropped" if ended is not None and ended.kind is DROP else "closed", self._by(""))

    def _answered(self, written: bytes) -> Ending:
        # Early hints and their like come before the answer.
        while True:
            head, _, body = written.partition(b"\r\n\r\n")
            status = int(head[9:12])
            if status >= 200 or not body:
                break
            written = body
        answer = Answer(status, lines_of(head + b"\r\n\r\n"), show_bytes(body[:SHOWN]), len(body))
        return Ending("answered", "", status, answer)

    def _by(self, fault: str) -> str:
        """Who has decided."""
        if fault:
            return fault
        ended = self.recorder.ended
        if ended is not None and ended.place is not None:
            return f"{ended.place.file}:{ended.place.line}"
        if self.recorder.choice is not None:
            return "there is no server to go to"
        return "monitor-uri" if self.frontend.monitor_uri else "the relay"


def _endpoint(address: Endpoint) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
