"""The words of a line of the control socket.

Owns: how a line is parted into commands and words (management 9.3). Must not know: commands, connections.
"""

from __future__ import annotations

_ESCAPED = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def split_commands(line: str) -> list[list[str]]:
    """The words of each command of a line. A backslash takes the meaning away from `;`, space and itself."""
    found: list[list[str]] = [[]]
    word: list[str] | None = None
    escaped = False
    for character in line:
        if escaped:
            escaped = False
            word = [*(word or ()), _ESCAPED.get(character, character)]
        elif character == "\\":
            escaped = True
        elif character in " \t;":
            if word is not None:
                found[-1].append("".join(word))
                word = None
            if character == ";":
                found.append([])
        else:
            word = [*(word or ()), character]
    if word is not None:
        found[-1].append("".join(word))
    return found
