"""The words behind the address of a bind or server line: keyword, its arguments, next keyword.

Owns: cutting such a line into its words, and what is said of one that is unknown, unfinished or not in force. Must not
know: what a word means. Invariant: every wrong word of a line is reported, not the first only.
"""

from __future__ import annotations

import re
from typing import TypeVar

from . import suggest
from .examples import such_as
from .keywords import State, Table
from .known import KNOWN_BIND, KNOWN_SERVER
from .statement import Refusal, Statement

D = TypeVar("D")

_VALUE = re.compile(r"[^a-z-]")
"""In words that are no keywords."""
_KNOWN = {"bind": KNOWN_BIND, "server": KNOWN_SERVER}


def read_phrases(statement: Statement, start: int, table: Table[D], draft: D, kind: str) -> None:
    """Read the words of `statement` from `start` on into `draft`. `kind` is bind or server."""
    index = start
    words = statement.arguments
    while index < len(words):
        word = words[index]
        if word.text not in table:
            index += _unknown(statement, index, table, kind)
            continue
        keyword = table[word.text]
        part = statement.part(word.text, index, keyword.most)
        index += 1 + len(part)
        if len(part) < keyword.least:
            statement.error(f"`{word.text}` expects {keyword.shape}", word, such_as(table, keyword))
            continue
        try:
            keyword.read(part, draft)
        except Refusal as refusal:
            part.refuse(refusal, such_as(table, keyword))
            if part.text(0) in table:  # the argument was forgotten: what stands in its place has one of its own
                index -= len(part)
            continue
        if keyword.state is State.ACCEPTED:
            statement.note(f"`{word.text}` on a {kind} line: {State.ACCEPTED.value}", word)


def _unknown(statement: Statement, index: int, table: Table[D], kind: str) -> int:
    """Complain about a word that is in no table; how many words to skip."""
    word = statement.arguments[index]
    arguments = _KNOWN[kind].get(word.text)
    if arguments is None:
        meant = suggest.nearest(word.text, [*table.names(), *_KNOWN[kind]])
        hint = f"did you mean `{meant}`?" if meant else suggest.KEYWORDS_LISTED
        statement.error(f"unknown word '{word.text}' on a {kind} line", word, hint)
        # The arguments of what was probably meant are no mistakes of their own.
        if meant is not None:
            return 1 + (table[meant].most if meant in table else _KNOWN[kind][meant])
        return 1 + (_VALUE.search(statement.text(index + 1)) is not None)
    statement.error(
        f"HAProxy's {kind} keyword `{word.text}` is not supported by maniple yet", word, suggest.KEYWORDS_LISTED
    )
    return 1 + arguments
