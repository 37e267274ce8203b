"""The names that sections, servers and peers may have.

Owns: which characters they have, and what is said of others. Must not know: whose name it is.
"""

from __future__ import annotations

import re

from .lexer import Word
from .statement import Refusal

LETTERS = "a name has letters, digits, '-', '_', '.' and ':'"
TWICE = "give one of them another name, or join them"
"""The hint for two sections of one name."""
_NAME = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)


def checked_name(word: Word, what: str) -> str:
    """The text of `word`; Refusal where it is no name. `what`: whose it is, such as `server`."""
    if not _NAME.fullmatch(word.text):
        bad = next((character for character in word.text if not _NAME.fullmatch(character)), "")
        raise Refusal(f"character '{bad}' is not permitted in the {what} name '{word.text}'", word, LETTERS)
    return word.text
