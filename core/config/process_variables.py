"""`set-var` and `set-var-fmt` of the global section (manual 3.1): variables of the process.

Owns: that these lines are kept. Must not know: expressions and formats: `rules` reads the words (process_variables).
"""

from __future__ import annotations

from .drafts import GlobalDraft
from .keywords import GLOBAL
from .keywords import GLOBAL_KEYWORDS as TABLE
from .model import RuleSpec, RuleWord
from .statement import Statement


def _keep(statement: Statement, draft: GlobalDraft) -> None:
    words = tuple(RuleWord(word.text, word.start) for word in statement.arguments)
    draft.set("variables", (*draft.spec.variables, RuleSpec(statement.place, statement.name, words)))


TABLE.keyword(
    "set-var", GLOBAL, "<proc.name> <expression>", "Set a variable of the process.", reader="rules", arity=(2, -1)
)(_keep)
TABLE.keyword(
    "set-var-fmt", GLOBAL, "<proc.name> <format>", "Set one of the process to a text.", reader="rules", arity=(2, 2)
)(_keep)
