"""Rules of TCP proxies that look at bytes for which nothing waits: they would find them by chance.

Owns: these warnings of `maniple check`. Must not know: how anything waits (relay/inspection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError
from .catalogue import Needs

if TYPE_CHECKING:
    from ..config.model import ProxySpec
    from .proxy_rules import ProxyRules
    from .ruleset import RuleSet

_BYTES = Needs.PAYLOAD | Needs.HEAD | Needs.BODY
_WAIT = "tcp-request inspect-delay 5s"
_ACCEPT = "tcp-request content accept if { req.ssl_hello_type 1 }"


def unawaited(spec: ProxySpec, rules: ProxyRules) -> list[ConfigError]:
    """One warning for each kind of lines, at the first one concerned."""
    if spec.mode != "tcp":
        return []
    found = []
    for looking, delay, what, hint in (
        (rules.content, spec.request_inspect_delay, "the client", _WAIT),
        (rules.response_content, spec.response_inspect_delay, "the server", "tcp-response inspect-delay 5s"),
    ):
        if not delay:
            found += _first(looking, what, hint)
    if spec.has_frontend and not (rules.content.needs & _BYTES and spec.request_inspect_delay):
        found += _first(rules.backends, "the client", f"{_WAIT}, and {_ACCEPT}")
    return found


def _first(rules: RuleSet, what: str, hint: str) -> list[ConfigError]:
    for rule in rules.rules:
        if rule.needs & _BYTES:
            place = rule.place
            message = f"this looks at what {what} says, and nothing waits for it: it finds it by chance"
            return [ConfigError(message, file=place.file, line=place.line, column=place.column, hint=hint)]
    return []
