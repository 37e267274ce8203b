"""The ways out of log messages: one Sender for each `log` line of a proxy, and the batch that they share.

Owns: which messages a `log` line takes (level, minlevel, sample), how long they may be, their header, and when batches
leave. Must not know: exchanges, formats of access logs, the event loop (it gives us `arm`).

Invariants: a message is bytes in a list until `flush`; `arm` is called once when the first message since the last flush
comes, and its callback must run within 10 ms; a flush never blocks. The number of the process in the headers is the
supervisor's, so that all groups speak as one program.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence

from ..config.model import GlobalSpec, LogSpec
from ..errors import ConfigError
from .sinks import DatagramSink, FileSink, Sink, StreamSink
from .syslog_header import WARNING, make_header

Arm = Callable[[Callable[[], None]], None]

TOLD_EVERY = 10.0
"""Seconds between two messages about messages that were dropped."""


class Senders:
    """All senders of a thread, sharing sinks by target. `arm(callback)` must have `callback` called within 10 ms."""

    def __init__(
        self,
        arm: Arm,
        pid: int,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._arm = arm
        self.pid = pid
        self.clock = clock
        self._armed = False
        self._sinks: dict[tuple[str, str], Sink] = {}
        self._first: dict[Sink, Sender] = {}
        self._told: dict[Sink, int] = {}
        self._next_tell = 0.0

    def sender(self, spec: LogSpec, tag: str, host: str = "", *, structured: bool = False) -> Sender:
        """The sender of one `log` line. `host` is "" where none is sent; `structured`: messages begin with structured
        data of their own (RFC 5424). Raises ConfigError (the line's place) where
        the target cannot be opened."""
        key = (spec.target, spec.address)
        sink = self._sinks.get(key)
        if sink is None:
            try:
                sink = self._sinks[key] = open_sink(spec)
            except (OSError, ValueError) as error:
                place = spec.place
                raise ConfigError(
                    f"the log target cannot be opened: {error}",
                    file=place.file,
                    line=place.line,
                    column=place.column,
                    word=spec.address or spec.target,
                ) from error
        sender = Sender(self, sink, spec, tag, host, structured=structured)
        self._first.setdefault(sink, sender)
        return sender

    @property
    def dropped(self) -> int:
        """Messages lost by all sinks, ever (`DroppedLogs`)."""
        return sum(sink.dropped for sink in self._sinks.values())

    def wake(self) -> None:
        """A batch is no longer empty."""
        if not self._armed:
            self._armed = True
            self._arm(self.flush)

    def flush(self) -> None:
        """Send all batches, as far as that goes without waiting."""
        self._armed = False
        again = False
        for sink in self._sinks.values():
            if sink.pending:
                again |= sink.flush()
            if sink.dropped != self._told.get(sink, 0):
                self._tell(sink)
        if again or any(sink.pending for sink in self._sinks.values()):
            self.wake()

    def close(self) -> None:
        """The last flush, and all targets given back."""
        self.flush()
        for sink in self._sinks.values():
            sink.close()
        self._sinks.clear()

    def _tell(self, sink: Sink) -> None:
        """Say in the log itself that messages were lost, from time to time, once the target takes messages again."""
        now = self.clock()
        if sink.pending or now < self._next_tell:
            return
        lost = sink.dropped - self._told.get(sink, 0)
        self._told[sink] = sink.dropped
        self._next_tell = now + TOLD_EVERY
        self._first[sink].append(WARNING, b"%d log messages were dropped" % lost)


class Sender:
    """What one `log` line does with a message."""

    __slots__ = ("_clock", "_header", "_length", "_level", "_minlevel", "_pending", "_position", "_sample", "_senders")

    def __init__(
        self, senders: Senders, sink: Sink, spec: LogSpec, tag: str, host: str, *, structured: bool = False
    ) -> None:
        self._senders = senders
        self._clock = senders.clock
        self._pending = sink.pending
        form = spec.format or ("rfc3164" if host else "local")
        # None saves 0.2 us a line where there is nothing to put before it.
        self._header = (
            None if form == "raw" else make_header(form, spec.facility, tag, host, senders.pid, structured=structured)
        )
        self._level = spec.level
        self._minlevel = spec.minlevel
        # As HAProxy counts: with the header; a datagram's line end comes on top, a stream's is included.
        self._length = spec.length if spec.target in ("udp", "unix") else spec.length - 1
        self._sample = _sampled(spec)
        self._position = 0

    def append(self, severity: int, text: bytes) -> None:
        """Take a message of that severity (0..7). Its text has no line end."""
        if severity > self._level:
            return
        if self._sample is not None:
            position = self._position
            self._position = position + 1 if position + 1 < len(self._sample) else 0
            if not self._sample[position]:
                return
        if severity < self._minlevel:
            severity = self._minlevel
        header = self._header
        message = text if header is None else header(severity, self._clock()) + text
        if len(message) > self._length:
            message = message[: self._length]
        pending = self._pending
        if not pending:
            self._senders.wake()
        pending.append(message + b"\n")


def _sampled(spec: LogSpec) -> tuple[bool, ...] | None:
    """For each position of the sample whether this line takes it; None: all."""
    if not spec.sample_size:
        return None
    return tuple(any(low <= at <= high for low, high in spec.sample) for at in range(1, spec.sample_size + 1))


def open_sink(spec: LogSpec) -> Sink:
    """Raises OSError, and ValueError for a target that is none."""
    if spec.target == "stdout":
        return StreamSink(1)
    if spec.target == "stderr":
        return StreamSink(2)
    if spec.target == "fd":
        return StreamSink(int(spec.address))
    if spec.target == "file":
        return FileSink(spec.address)
    if spec.target == "unix":
        path = spec.address
        return DatagramSink(socket.AF_UNIX, "\0" + path[5:] if path.startswith("abns@") else path)
    if spec.target == "udp":
        host, port = _host_and_port(spec.address)
        family, _type, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        return DatagramSink(family, address)  # type: ignore[arg-type]
    raise ValueError(f"'{spec.target}' is not a log target")


def _host_and_port(address: str) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]:port` and `v6:port`; 514 where no port is written."""
    host, separator, port = address.rpartition(":")
    if not separator:
        return address, 514
    return host.strip("[]"), int(port or 514)


def sent_host(spec: GlobalSpec) -> str:
    """The host of the headers: "" where `log-send-hostname` is not set."""
    if spec.log_send_hostname is None:
        return ""
    return spec.log_send_hostname or socket.gethostname()


def append_all(senders: Sequence[Sender], severity: int, text: str) -> None:
    """One event to several senders."""
    encoded = text.encode("utf-8", "replace")
    for sender in senders:
        sender.append(severity, encoded)
