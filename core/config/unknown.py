"""What is said of a word that no table of keywords has, or that stands in the wrong section.

Owns: telling HAProxy's words that maniple does not have yet from those that HAProxy removed and from nobody's, and the
nearest known word. Must not know: how lines are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import suggest
from .diagnostics import Diagnostics
from .keywords import GLOBAL_KEYWORDS, OPTIONS, PROXY_KEYWORDS, Table, nearest
from .known import REMOVED
from .lexer import Line, Word
from .model import Place
from .sections import SECTIONS
from .suggest import KEYWORDS_LISTED, offer


def tell_unknown(
    diagnostics: Diagnostics,
    line: Line,
    words: Sequence[Word],
    prefix: str,
    section: str,
    table: Table[Any],
    known: frozenset[str],
) -> None:
    """A first word that is in no table: HAProxy's, removed by HAProxy, or nobody's. `words` begin with it; `prefix` is
    what stands before it, "option " or nothing; `known`: HAProxy's words that maniple does not have yet."""
    first = words[0].text
    both = " ".join(word.text for word in words[:2])
    place, name = Place(line.place_file, line.number, words[0].column), prefix + first
    if name in REMOVED:
        diagnostics.error(place, f"`{name}` was removed from HAProxy", first, REMOVED[name])
        return
    candidate = both if both in known else first
    # Where there is `stick on`, `stick` is no keyword.
    if candidate in known and not (candidate == first and table.followers(first)):
        message = f"HAProxy keyword `{prefix}{candidate}` is not supported by maniple yet"
        diagnostics.error(place, message, first, KEYWORDS_LISTED)
        return
    longer = (other.partition(" ")[2] for other in known if other.startswith(first + " "))
    followers = sorted({*table.followers(first), *longer})
    if followers:
        _tell_second(diagnostics, line, words, name, followers)
        return
    what = f"unknown option '{first}'" if prefix else f"unknown keyword '{first}' in {article(section)} section"
    names = {*table.names(), *known}
    # Of keywords of two words the first may be the mistyped one, with or without a right second (`timout client`).
    pairs = {other for other in names if " " in other}
    hint = (
        (nearest(both, pairs) if len(words) > 1 else "")
        or nearest(first, names | {other.partition(" ")[0] for other in pairs} | ({"option"} if not prefix else set()))
        or _elsewhere(first, prefix)
        or (offer(first, sorted(names), "keywords") if not prefix else "")
        or KEYWORDS_LISTED
    )
    diagnostics.error(place, what, first, hint)


def mistyped_section(words: Sequence[Word], table: Table[Any], known: frozenset[str]) -> str | None:
    """The section that a first word means which no keyword of `table` is nearer to; None where it is not one."""
    first = words[0].text
    if len(words) > 4 or first in known or table.find(words) is not None or table.followers(first):
        return None
    names = {name.partition(" ")[0] for name in (*table.names(), *known)}
    meant = suggest.nearest(first, {*names, *SECTIONS, "no", "default", "option"})
    return meant if meant in SECTIONS else None


def _tell_second(diagnostics: Diagnostics, line: Line, words: Sequence[Word], name: str, followers: list[str]) -> None:
    if len(words) < 2:
        place = Place(line.place_file, line.number, words[0].column)
        message = f"`{name}` expects one of {', '.join(followers)}"
        diagnostics.error(place, message, name, f"such as `{name} {_usual(followers)}`")
        return
    second = words[1]
    hint = nearest(second.text, followers) or f"words are {', '.join(followers)}"
    place = Place(line.place_file, line.number, second.column)
    diagnostics.error(place, f"unknown word '{second.text}' after `{name}`", second.text, hint)


def _usual(followers: Sequence[str]) -> str:
    """One of the words that may follow, the better known where there are such."""
    return next((word for word in ("client", "content", "request", "on") if word in followers), followers[0])


def article(section: str) -> str:
    """How a section is called in a sentence."""
    return f"a {section}" if section != "global" else "the global"


def listed(sections: frozenset[str]) -> str:
    """Sections in a sentence."""
    return " or ".join(section for section in SECTIONS if section in sections)


def misplaced_hint(name: str, section: str, sections: frozenset[str]) -> str:
    """What to do with a keyword in a section that does not take it."""
    partner = {"maxconn": "fullconn", "fullconn": "maxconn"}.get(name)
    return f"maybe `{partner}` is wanted" if partner else f"it belongs in {listed(sections)}"


def _elsewhere(word: str, prefix: str) -> str:
    """Where a word that is unknown here does belong."""
    if prefix:
        return ""
    if word in OPTIONS:
        return f"did you mean `option {word}`?"
    if word in GLOBAL_KEYWORDS:
        return "it belongs in the global section"
    if word in PROXY_KEYWORDS:
        return f"it belongs in {listed(PROXY_KEYWORDS[word].sections)}"
    return ""
