"""What the `sticky` lines of a backend say.

Owns: the values, and how they are written again. Must not know: how they are read (sticky), what is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..units import format_time

DEFAULT_OPTIONS = "HttpOnly"
NEVER = -1
ALWAYS = 0
IDLE = 1_800_000
"""Milliseconds without a request after which a session's entry goes where no lifetime is written."""


@dataclass(frozen=True, slots=True)
class StickySpec:
    """`sticky cookie|learn|header`. `lifetime` ms, 0: no limit; `size`: sessions that are remembered."""

    source: str
    """cookie: one of ours; learn cookie, learn header: what the server's response names; header: the request's."""
    name: str
    lifetime: int = 0
    size: int = 100_000
    enforce: bool = False
    max_misses: int = 1
    """Requests a second without a valid cookie that a client is answered with one."""
    bind_ip: bool = False
    bind_ua: bool = False
    options: str = DEFAULT_OPTIONS

    @property
    def own(self) -> bool:
        """The cookie is ours."""
        return self.source == "cookie"

    @property
    def table(self) -> str:
        """The table with its sessions' pins."""
        return f"sticky/{self.name}"

    @property
    def misses(self) -> str:
        """The table in which clients without a valid cookie are counted, where it is enforced."""
        return f"sticky/{self.name}/misses"

    @property
    def words(self) -> tuple[str, ...]:
        """The line's arguments."""
        words = [*self.source.split(), self.name]
        if self.enforce:
            words += ("enforce", "max-misses", str(self.max_misses))
        if self.lifetime:
            words += ("lifetime", format_time(self.lifetime))
        if self.own:
            # Not at the end: an empty word there is none.
            words += ("options", self.options)
        words += ["bind-ip"] * self.bind_ip + ["bind-ua"] * self.bind_ua
        return (*words, "size", str(self.size))


def return_words(value: int) -> tuple[str, ...]:
    """The arguments of `sticky-return`, of the model's number."""
    if value == NEVER:
        return ("never",)
    return ("always",) if value == ALWAYS else ("idle", format_time(value))
