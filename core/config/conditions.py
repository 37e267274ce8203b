"""Conditional blocks and messages between the lines of a configuration (manual 2.4).

Owns: `.if .elif .else .endif`, their nesting, and `.notice .warning .alert .diag`. Must not know: the grammar of an
expression (expressions.py), nor any other keyword. Invariants: a line of a block that is not taken is never seen by
the parser, though its quotes must be right; a condition that cannot be read takes no branch, so that one mistake is
one error; a block ends in the file in which it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from .diagnostics import Diagnostics
from .expressions import ConditionError as ConditionError
from .expressions import ConditionFacts as ConditionFacts
from .expressions import evaluate as evaluate
from .expressions import evaluate_text as evaluate_text
from .expressions import source_column
from .lexer import Line
from .model import Place
from .suggest import nearest

MAX_NESTING = 99
"""Blocks in blocks, as HAProxy 3.0."""

DIRECTIVES = (".if", ".elif", ".else", ".endif", ".notice", ".warning", ".alert", ".diag")


class _Branch(Enum):
    TAKEN = "these lines count"
    SOUGHT = "these do not, a later branch may"
    SKIPPED = "these do not, nor does any later branch"


@dataclass(slots=True)
class _Block:
    """An open `.if`. `place` is the directive's own."""

    place: Place
    branch: _Branch
    after_else: bool = False


_SUCH_AS = "such as `.if version_atleast(3.0) && defined(STAGE)`"
_BLOCK = "a block is '.if <condition>', any '.elif <condition>', maybe '.else', and '.endif'"


def select_lines(lines: Iterable[Line], facts: ConditionFacts, diagnostics: Diagnostics) -> Iterator[Line]:
    """The lines of one file that count, without the directives; the next of `lines` is asked for only when needed."""
    blocks: list[_Block] = []
    for line in lines:
        name = line.words[0].text
        taken = not blocks or blocks[-1].branch is _Branch.TAKEN
        if name == ".if":
            if len(blocks) >= MAX_NESTING:
                diagnostics.error(line.place(), f"too many nested '.if', at most {MAX_NESTING}", name, _BLOCK)
                return  # as HAProxy: from here on no line's block is known
            branch = _branch(line, facts, diagnostics) if taken else _Branch.SKIPPED
            blocks.append(_Block(line.place(), branch))
        elif name in (".elif", ".else", ".endif"):
            _move_on(name, line, blocks, facts, diagnostics)
        elif not taken:
            continue
        elif name.startswith("."):
            _speak(name, line, facts, diagnostics)
        else:
            yield line
    for block in blocks:
        diagnostics.error(block.place, "this '.if' has no '.endif'", ".if", "close it before the end of the file")


def _branch(line: Line, facts: ConditionFacts, diagnostics: Diagnostics) -> _Branch:
    """Which lines the condition of an `.if` or `.elif` selects."""
    conditions = line.words[1:]
    try:
        truth = evaluate(" ".join(word.text for word in conditions), facts)
    except ConditionError as error:
        column = source_column(conditions, line.text, error.position)
        place = Place(line.place_file, line.number, column)
        diagnostics.error(place, error.message, hint=error.hint or _SUCH_AS)
        return _Branch.SKIPPED
    return _Branch.TAKEN if truth else _Branch.SOUGHT


def _move_on(name: str, line: Line, blocks: list[_Block], facts: ConditionFacts, diagnostics: Diagnostics) -> None:
    """`.elif`, `.else` or `.endif`: the innermost block changes or ends."""
    if not blocks:
        diagnostics.error(line.place(), f"'{name}' without '.if'", name, _BLOCK)
        return
    block = blocks[-1]
    if name != ".elif" and len(line.words) > 1:
        hint = "a condition belongs to '.if' and '.elif'"
        diagnostics.error(line.place(1), f"unexpected word after '{name}'", line.words[1].text, hint)
    if name == ".endif":
        blocks.pop()
        return
    if block.after_else:
        diagnostics.error(line.place(), f"'{name}' after '.else' is not permitted", name, _BLOCK)
        block.branch = _Branch.SKIPPED
        return
    block.after_else = name == ".else"
    if block.branch is not _Branch.SOUGHT:
        block.branch = _Branch.SKIPPED
    elif name == ".else":
        block.branch = _Branch.TAKEN
    else:
        block.branch = _branch(line, facts, diagnostics)


def _speak(name: str, line: Line, facts: ConditionFacts, diagnostics: Diagnostics) -> None:
    """`.notice`, `.warning`, `.alert` or `.diag`; any other word with a dot is an error."""
    if name not in DIRECTIVES:
        near = nearest(name, DIRECTIVES)
        hint = f"did you mean '{near}'?" if near else _BLOCK
        diagnostics.error(line.place(), f"unknown directive '{name}'", name, hint)
        return
    if len(line.words) > 2:
        diagnostics.error(
            line.place(2),
            f"unexpected word after the message of '{name}'",
            line.words[2].text,
            "use quotes if the message should contain blanks",
        )
        return
    message = line.words[1].text if len(line.words) > 1 else ""
    place = line.place()
    if name == ".alert":
        diagnostics.error(place, message)
    elif name == ".warning":
        diagnostics.warning(place, message)
    elif name == ".notice" or facts.diagnostic_mode:
        diagnostics.notice(place, message)
