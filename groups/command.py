"""One runtime command: its row in the table, and the levels that rows name.

Owns: the form. Must not know: any command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .steering import Answer, Steering

LEVELS = {"user": 0, "operator": 1, "admin": 2}


class Payload(str):
    """What a client has sent on the lines behind a command that ends with `<<`: the last of its words."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One row. `words` begin the line; `run` gets those behind them. `payload`: it can take one; those that cannot
    never see it."""

    words: tuple[str, ...]
    usage: str
    summary: str
    level: str
    run: Callable[[Steering, Sequence[str], Answer], None]
    payload: bool = False


def refuse(answer: Answer, text: str) -> None:
    """Ends the answer: it was not done."""
    answer.line(text)
    answer.end(False)
