"""The action that asks name servers: do-resolve (manual 4.2).

Owns: its words. Must not know: how names are asked for (core/resolver, by way of the site), nor who wakes up rules that
wait. Invariant: a name that is known does not wait; a failure leaves the variable as it is, and the rules go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config import suggest
from ..resolver.status import Family
from . import variables
from .action_variables import refuse_scope
from .actions import CONTENT, REQUEST, Act, Use, action
from .samples import Type
from .verdicts import Verdict, Wait

if TYPE_CHECKING:
    from ..config.model import RuleWord
    from .variables import Name

FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
"""Which one is asked for first; the other one where there is none of it. Without a word: IPv6, as HAProxy."""
NEVER = float("inf")


def _words(use: Use) -> tuple[Name, RuleWord, str, Family]:
    """The variable, the argument, the section, the family."""
    word = use.argument
    usage = "do-resolve(<var>,<resolvers>[,{ipv4|ipv6}]) <expression>"
    parts = [part.strip() for part in word.text.split(",")] if word is not None else []
    if word is None or not 2 <= len(parts) <= 3 or not parts[1]:
        raise use.error("a variable and a section of resolvers are expected", word, f"usage: {usage}")
    try:
        name = variables.parse_name(parts[0])
    except ValueError as error:
        raise use.unreadable(error, word) from None
    refuse_scope(use, name, word)
    family = FAMILIES["ipv6"]
    if len(parts) == 3:
        if parts[2] not in FAMILIES:
            raise use.error(f"unknown preference '{parts[2]}'", word, "it is ipv4 or ipv6")
        family = FAMILIES[parts[2]]
    return name, word, parts[1], family


@action(
    "do-resolve",
    CONTENT | REQUEST,
    "<expression>",
    "Ask name servers for a name, and keep its address in a variable",
    argument="<var>,<resolvers>[,{ipv4|ipv6}]",
)
def _do_resolve(use: Use) -> Act:
    name, word, section, family = _words(use)
    resolvers = use.ground.site.resolvers
    resolver = resolvers.get(section)
    if resolver is None:
        hint = suggest.section("resolvers", section, resolvers)
        raise use.error(f"there is no resolvers '{section}'", word, hint)
    run = use.expression(Type.STR).run
    write = variables.writer(name, use.ground.site)
    known, ask, place = resolver.known, resolver.ask, use.place
    use.waits = True

    def act(x: Any) -> Verdict | None:
        host = run(x)
        if not host:
            return None
        host = host.lower()
        address = known(host, family)
        if address is not None:
            write(x, (Type.IP, address))
            return None
        flight = ask(host, family)
        if flight is None:
            return None

        def ready(x: Any) -> bool:
            if flight.status is None:
                return False
            if flight.addresses:
                write(x, (Type.IP, flight.addresses[0]))
            return True

        # Made for this one wait: who does not wait pays nothing for it.
        return Wait(place, ready, lambda x: NEVER, started=flight.waiting.append)

    return act
