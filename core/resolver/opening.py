"""Resolvers of a configuration, for one thread; and what stands for one where nobody may be asked.

Owns: both, and when the rest of this package is imported: only where a configuration has sections `resolvers`, because
that imports dnspython. Must not know: rules, the relay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..config.resolver_spec import ResolversSpec
from .status import Family

if TYPE_CHECKING:
    from .flight import Flight
    from .resolver import Resolver


class Unasked:
    """A section in a configuration that is only checked or explained: it knows no name."""

    __slots__ = ()

    def known(self, name: bytes, family: Family) -> bytes | None:
        return None

    def ask(self, name: bytes, family: Family, ended: Callable[[], None] | None = None) -> Flight | None:
        return None


def open_resolvers(specs: Mapping[str, ResolversSpec], loop: asyncio.AbstractEventLoop) -> dict[str, Resolver]:
    """One for each section. No socket is opened before a name is asked for."""
    if not specs:
        return {}
    from .resolver import Resolver

    return {name: Resolver(spec, loop) for name, spec in specs.items()}


def prepare(specs: Mapping[str, ResolversSpec]) -> None:
    """Import what `open_resolvers` will need, before processes are forked that would each do it."""
    if specs:
        from . import resolver  # noqa: F401
