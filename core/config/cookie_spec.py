"""What a `cookie` line of a proxy says (manual 4.2).

Owns: the value, and how it is written again. Must not know: how it is read (cookie), what is done with cookies
(balance).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CookieSpec:
    """The cookie that keeps clients on their servers. `maxidle` and `maxlife` are seconds; 0: no limit."""

    name: str
    mode: str = ""
    """insert, rewrite, prefix, or "": a cookie is only read."""
    indirect: bool = False
    nocache: bool = False
    postonly: bool = False
    preserve: bool = False
    httponly: bool = False
    secure: bool = False
    dynamic: bool = False
    domains: tuple[str, ...] = ()
    maxidle: int = 0
    maxlife: int = 0
    attributes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The line's arguments."""
        flags = ("indirect", "nocache", "postonly", "preserve", "httponly", "secure", "dynamic")
        words = [self.name, *([self.mode] if self.mode else []), *(flag for flag in flags if getattr(self, flag))]
        for domain in self.domains:
            words += ("domain", domain)
        for limit in ("maxidle", "maxlife"):
            if getattr(self, limit):
                words += (limit, str(getattr(self, limit)))
        for attribute in self.attributes:
            words += ("attr", attribute)
        return tuple(words)
