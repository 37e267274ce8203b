"""Bad messages kept for `show errors` (S21): the last requests and responses of a proxy that could not be read.

Owns: a bounded ring of captured messages and their dump. Must not know: sockets, who asks.

Invariants: at most `limit` messages of at most `bufsize` bytes each are kept, the oldest goes first; a message is
copied, so that no buffer of a connection is held. What is kept may hold passwords: it is shown to operators only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import ExchangeError, ServerProtocolError
from ..rules.stamps import MILLISECONDS, local_date
from ..session import Exchange, Session

_NAMED = {9: "\\t", 10: "\\n", 13: "\\r", 27: "\\e", 92: "\\\\"}
_BYTES = tuple(_NAMED.get(code) or (chr(code) if 32 <= code < 127 else f"\\x{code:02x}") for code in range(256))
_WIDTH = 70
"""Characters of a dump's line, after its position."""


@dataclass(frozen=True, slots=True)
class CapturedMessage:
    """One message that could not be read."""

    number: int
    """Counts the proxy's captures, from 0."""
    date: float
    """Seconds since the epoch."""
    is_response: bool
    source: str
    """The client, `host:port`; also for a response."""
    backend: str
    server: str
    reason: str
    position: int
    """Offset in `data` of the first byte that is wrong, -1 where that is not known."""
    data: bytes
    length: int
    """Bytes that there were; `data` may have less."""


class Captures:
    """The captured messages of one frontend, or of all backends behind it."""

    __slots__ = ("_bufsize", "_clock", "_ring", "total")

    def __init__(self, limit: int = 8, bufsize: int = 16384, *, clock: Callable[[], float] = time.time) -> None:
        self._ring: deque[CapturedMessage] = deque(maxlen=limit)
        self._bufsize = bufsize
        self._clock = clock
        self.total = 0
        """Messages captured, ever."""

    def __len__(self) -> int:
        return len(self._ring)

    def keep(
        self, session: Session, exchange: Exchange | None, data: bytes | bytearray | memoryview, error: ExchangeError
    ) -> None:
        """Keep a copy of a bad message: a response if the error is a ServerProtocolError."""
        is_response = isinstance(error, ServerProtocolError)
        known = exchange is not None and is_response
        self._ring.append(
            CapturedMessage(
                number=self.total,
                date=self._clock(),
                is_response=is_response,
                source=f"{session.client_host}:{session.client_port}",
                backend=exchange.backend_name if exchange is not None and known else "<NONE>",
                server=exchange.server_name if exchange is not None and known else "<NONE>",
                reason=str(error),
                position=getattr(error, "position", -1),
                data=bytes(data[: self._bufsize]),
                length=len(data),
            )
        )
        self.total += 1

    def messages(self) -> tuple[CapturedMessage, ...]:
        """What is kept, oldest first."""
        return tuple(self._ring)

    def clear(self) -> None:
        """Forget what is kept; the count goes on."""
        self._ring.clear()


def dump(captures: Mapping[str, Captures], now: float) -> str:
    """The answer to `show errors`: the captures of all frontends by their names."""
    parts = [f"Total events captured on [{_stamp(now)}] : {sum(kept.total for kept in captures.values())}\n"]
    for name, kept in captures.items():
        parts += [dump_message(name, message) for message in kept.messages()]
    return "".join(parts) + "\n"


def dump_message(frontend: str, message: CapturedMessage) -> str:
    """One message: a head with the circumstances, then its bytes with their positions."""
    kind = "response" if message.is_response else "request"
    first = f"backend {message.backend}" if message.is_response else f"frontend {frontend}"
    where = f"error at position {message.position}" if message.position >= 0 else "position of the error unknown"
    cut = f", {message.length - len(message.data)} more not kept" if message.length > len(message.data) else ""
    return (
        f" \n[{_stamp(message.date)}] {first}: invalid {kind}\n"
        f"  frontend {frontend}, backend {message.backend}, server {message.server}, event #{message.number},"
        f" src {message.source}\n"
        f"  {message.reason or 'not understood'}\n"
        f"  len {len(message.data)}{cut}, {where}:\n  \n{dump_bytes(message.data)}"
    )


def dump_bytes(data: bytes) -> str:
    """Lines of `  00000  text`: each ends after a line feed or when it is full; a `+` marks one that goes on
    another."""
    lines: list[str] = []
    text: list[str] = []
    width = start = 0
    continued = False
    for at, code in enumerate(data):
        shown = _BYTES[code]
        if width + len(shown) > _WIDTH:
            lines.append(f"  {start:05d}{'+' if continued else ' '} {''.join(text)}\n")
            text.clear()
            width, start, continued = 0, at, True
        text.append(shown)
        width += len(shown)
        if code == 10:
            lines.append(f"  {start:05d}{'+' if continued else ' '} {''.join(text)}\n")
            text.clear()
            width, start, continued = 0, at + 1, False
    if text:
        lines.append(f"  {start:05d}{'+' if continued else ' '} {''.join(text)}\n")
    return "".join(lines)


def _stamp(date: float) -> str:
    stamp = int(date * 1000)
    return f"{local_date(stamp // 1000)}.{MILLISECONDS[stamp % 1000]}"
