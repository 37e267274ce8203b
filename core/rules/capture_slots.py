"""Slots for captured values: which lines make one, and their lengths.

Owns: the numbers of slots, which are those of HAProxy: the lines that make one, in the order of the file. Must not
know: who fills them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..config.model import Place, ProxySpec, RuleSpec


@dataclass(frozen=True, slots=True)
class Slot:
    """One captured value of a request, or of a response. `header`: the one that fills it, in lower case; b"" if rules
    do."""

    place: Place
    length: int
    header: bytes = b""


def slots_of(spec: ProxySpec, *, request: bool) -> tuple[Slot, ...]:
    """The slots of a frontend. Lines with mistakes are passed over: whoever compiles them tells."""
    side = "request" if request else "response"
    found = []
    for line in spec.rules if spec.has_frontend else ():
        slot = _slot_of(line, side)
        if slot is not None:
            found.append(slot)
    return tuple(found)


def _slot_of(line: RuleSpec, side: str) -> Slot | None:
    words = [word.text for word in line.words]
    if line.kind == f"capture {side} header" and len(words) > 2 and words[2].isdigit():
        return Slot(line.place, int(words[2]), words[0].lower().encode())
    if line.kind == "declare capture" and words[0] == side and len(words) > 2 and words[2].isdigit():
        return Slot(line.place, int(words[2]))
    if side == "request" and line.kind in ("http-request", "tcp-request content") and words[0] == "capture":
        for word, following in pairwise(words):
            if word in ("if", "unless"):
                break
            if word == "len" and following.isdigit():
                return Slot(line.place, int(following))
    return None


def slot_at(spec: ProxySpec, place: Place) -> int:
    """The number of the request's slot that the line at `place` makes; -1 for none."""
    for number, slot in enumerate(slots_of(spec, request=True)):
        if slot.place == place:
            return number
    return -1
