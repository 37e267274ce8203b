"""`http-err-codes` and `http-fail-codes` of the global section (manual 3.2): which answers stick tables count as errors
of clients and as failures of servers.

Owns: their syntax, the defaults, how they are written out. Must not know: who counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .drafts import GlobalDraft
from .global_spec import ERROR_CODES, FAILURE_CODES, GlobalSpec
from .keywords import GLOBAL
from .keywords import GLOBAL_KEYWORDS as TABLE
from .lexer import Word
from .statement import Refusal, Statement

_FIELDS = {"http-err-codes": "error_codes", "http-fail-codes": "failure_codes"}
_RANGE = re.compile(r"([0-9]{3})(?:-([0-9]{3}))?", re.ASCII)


def _read_ranges(word: Word, text: str) -> frozenset[int]:
    found: set[int] = set()
    for piece in text.split(","):
        match = _RANGE.fullmatch(piece)
        first, last = (int(match[1]), int(match[2] or match[1])) if match is not None else (0, 0)
        if not 100 <= first <= last <= 599:
            raise Refusal(
                f"'{piece}' is no status and no range of them", word, "statuses are 100 to 599, a range is 400-499"
            )
        found.update(range(first, last + 1))
    return frozenset(found)


def _codes(statement: Statement, draft: GlobalDraft) -> None:
    field = _FIELDS[statement.name]
    codes: frozenset[int] = getattr(draft.spec, field)
    for word in statement.arguments:
        sign = word.text[:1]
        ranges = _read_ranges(word, word.text[1:] if sign in ("+", "-") else word.text)
        codes = codes | ranges if sign == "+" else codes - ranges if sign == "-" else ranges
    draft.set(field, codes)


for _name, _what in (("http-err-codes", "errors of clients"), ("http-fail-codes", "failures of servers")):
    TABLE.keyword(
        _name,
        GLOBAL,
        "[+-]<range>[,...] ...",
        f"Statuses of servers that stick tables count as {_what}.",
        reader="rules",
        arity=(1, -1),
    )(_codes)


def show_ranges(codes: frozenset[int]) -> str:
    """`400-449,451`; no codes at all are all taken away from those that there were."""
    pieces = []
    for code in sorted(codes):
        if code - 1 not in codes:
            last = code
            while last + 1 in codes:
                last += 1
            pieces.append(str(code) if last == code else f"{code}-{last}")
    return ",".join(pieces) or "-100-599"


def lines(spec: GlobalSpec) -> Iterator[str]:
    """The lines that say what is not the default."""
    for name, field, usual in (
        ("http-err-codes", "error_codes", ERROR_CODES),
        ("http-fail-codes", "failure_codes", FAILURE_CODES),
    ):
        codes = getattr(spec, field)
        if codes != usual:
            yield f"{name} {show_ranges(codes)}"
