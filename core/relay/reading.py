"""What the next bytes of a client are: the state of the reading side of its connection.

Owns: the names. Moves: HEAD -> BODY -> AHEAD for a request with a body, HEAD -> AHEAD for one without; AHEAD -> HEAD
when it is answered; anything -> DRAIN when the connection is to end.
"""

from __future__ import annotations

from enum import IntEnum


class Reading(IntEnum):
    """What the next bytes of the client are."""

    HEAD = 0
    BODY = 1
    AHEAD = 2
    """Sent before the answer to the current request: kept for later."""
    DRAIN = 3
    """Not wanted any more."""


HEAD, BODY, AHEAD, DRAIN = Reading
