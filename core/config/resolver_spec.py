"""A section `resolvers NAME` as data (manual 5.3.2).

Owns: its fields and their defaults. Must not know: how it is read (resolvers), who asks (core/resolver). All times are
integer milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Place

HOLDS = ("nx", "obsolete", "other", "refused", "timeout", "valid")
"""What `hold` can be said of."""


@dataclass(frozen=True, slots=True)
class NameserverSpec:
    """One name server. `host` is a numeric address; `stream`: it is asked over TCP only (`tcp@`)."""

    place: Place
    name: str
    host: str
    port: int = 53
    stream: bool = False


@dataclass(frozen=True, slots=True)
class ResolversSpec:
    """One section. `place` is that of its name."""

    place: Place
    name: str
    nameservers: tuple[NameserverSpec, ...] = ()
    retries: int = 3
    """Queries for one name before it is given up."""
    timeout_resolve: int = 1000
    """Time between two looks at the name of a server; of no effect while servers are looked up at the start only."""
    timeout_retry: int = 1000
    """How long an answer is waited for."""
    payload: int = 512
    """The largest answer over UDP, bytes, as name servers are told (RFC 6891)."""
    hold_nx: int = 30000
    hold_obsolete: int = 0
    hold_other: int = 30000
    hold_refused: int = 30000
    hold_timeout: int = 30000
    hold_valid: int = 10000
    """How long an address is used without asking again. The other five are about servers that are looked up again."""
