"""What is asked for, and what can become of it: the words that asking and its users share.

Owns: these two. Must not know: messages: importing this costs nothing (wire imports dnspython).
"""

from __future__ import annotations

from enum import IntEnum


class Family(IntEnum):
    """Which addresses are asked for; the value is the record type's number."""

    IPV4 = 1
    IPV6 = 28


class Status(IntEnum):
    """What became of a question; all but VALID and TRUNCATED are failures."""

    VALID = 0
    TRUNCATED = 1
    NX = 2
    REFUSED = 3
    OTHER = 4
    """Another error of the server's, no address in its answer, or an answer that cannot be read."""
    TIMEOUT = 5
