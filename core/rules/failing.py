"""Rewrites that fail, and `strict-mode`, which says whether that is an error (manual 4.2).

Owns: both. Must not know: rewrites.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .actions import HTTP, Act, Use, action
from .verdicts import Answer, Verdict


def failure(use: Use) -> Callable[[Any], Verdict | None]:
    """What a rewrite that failed returns: 500, unless strict mode is off for this pass."""
    status = 500 if use.ground.request else 502
    answer = Answer(use.place, status, page=True, termination=b"PR", denied=False)

    def failed(x: Any) -> Verdict | None:
        return None if x.lenient else answer

    return failed


@action("strict-mode", HTTP, "{on|off}", "Whether a rewrite that fails is an error; on at the start of each pass")
def _strict_mode(use: Use) -> Act:
    word = use.take("on or off")
    if word.text not in ("on", "off"):
        raise use.error("it is on or off", word)
    lenient = word.text == "off"

    def act(x: Any) -> None:
        x.lenient = lenient

    return act
