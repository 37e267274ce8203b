"""Texts of actions, which may be the same for all exchanges: actions ask, since a constant costs less.

Owns: telling constant texts apart. Must not know: the syntax of formats (text_format).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .catalogue import Needs, Stage
from .text_format import read_text_format

if TYPE_CHECKING:
    from .scope import Site


class Constant:
    """A text that is the same for every scope. Called for whoever does not look at `value`."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        self.value = value

    def __call__(self, x: Any) -> bytes:
        return self.value


def constant_of(text: Callable[[Any], bytes]) -> bytes | None:
    """The value of a text that never changes, else None."""
    return text.value if isinstance(text, Constant) else None


def compile_format(
    text: str, site: Site, stage: Stage, column: int, *, encoded: bool = True
) -> tuple[Callable[[Any], bytes], Needs]:
    """A function of the scope, and what it needs. `encoded`: it goes into a message. Raises ConfigError."""
    found = read_text_format(text, site, stage, column, encoded=encoded)
    if found.constant is not None:
        return Constant(found.constant), found.needs
    return found.run, found.needs
