"""The known word that a mistyped one probably means.

Owns: the distance and how far away is too far. Must not know: what the words are for. A suggestion that is plainly
wrong costs more than none: the further the words, the longer they must be.
"""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that needs the fewest typing errors to become `word`, or None where none is near.

    A typing error is a letter too many, too few, wrong, or exchanged with its neighbour; upper case and `_` for `-`
    are half of one. Of equally near ones that with the longer common beginning, then the first in the alphabet."""
    plain = _plain(word)
    limit = _limit(len(word))
    best: tuple[float, int, str] | None = None
    for candidate in candidates:
        if abs(len(candidate) - len(word)) > limit:
            continue
        other = _plain(candidate)
        distance = float(_distance(plain, other, limit))
        if distance > limit:
            continue
        if candidate != word:
            distance += 0.5 * (word != plain or candidate != other)
        rank = (distance, -_common_start(plain, other), candidate)
        if best is None or rank < best:
            best = rank
    return None if best is None else best[2]


MOST_LISTED = 16
"""Words that a hint names at most: nobody reads more."""
KEYWORDS_LISTED = "`maniple check --keywords` lists what there is"
"""The hint for words of which there are too many."""


def offer(word: str, names: Iterable[str], noun: str) -> str:
    """A hint: the known word that was probably meant, or all of them (`noun` is what they are), or "" where there are
    none or too many."""
    known = list(dict.fromkeys(names))
    found = nearest(word, known)
    if found:
        return f"did you mean `{found}`?"
    if not known or len(known) > MOST_LISTED:
        return ""
    return f"{noun} are {', '.join(known)}" if len(known) > 1 else f"there is only `{known[0]}`"


def section(kind: str, name: str, names: Iterable[str]) -> str:
    """The hint for a section that nobody wrote."""
    return offer(name, names, f"sections `{kind}`") or f"it is made by a section `{kind} {name}`"


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")


def _limit(length: int) -> int:
    """Typing errors allowed in a word of that length: one up to five letters, then about one in three, at most four."""
    if length < 3:
        return 0 if length < 2 else 1
    return min(max(1, length // 3), 4)


def _common_start(one: str, other: str) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _distance(one: str, other: str, limit: int) -> int:
    """Optimal string alignment distance (Damerau-Levenshtein without a second edit of an exchanged pair); a number
    above `limit` as soon as it cannot stay within it."""
    if one == other:
        return 0
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        current = [row]
        for column, right in enumerate(other, start=1):
            cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before_last, last = last, current
    return last[-1]
