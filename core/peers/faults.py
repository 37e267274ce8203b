"""What can be wrong with a peer's bytes.

Owns: the classes. Must not know: sockets, tables. Invariant: whatever bytes arrive, the modules of this package raise
nothing else because of them.
"""

from __future__ import annotations

from typing import ClassVar

from ..errors import ManipleError


class PeerFault(ManipleError):
    """Bytes of a peer that cannot be used; the connection ends. `kind` is the type of the error message (class 1) that
    the peer is told with before."""

    kind: ClassVar[int] = 0


class MalformedFault(PeerFault):
    """A message that is cut short, too long for what it says, or holds a value that cannot be."""


class SizeFault(PeerFault):
    """A message or a number that is larger than what is taken."""

    kind = 1


class HelloFault(PeerFault):
    """A greeting that is refused. `status` is the answer's number: 501 not the protocol, 502 version, 503 meant for
    somebody else, 504 from somebody unknown."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
