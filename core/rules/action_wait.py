"""Actions that suspend the rules (manual 4.2: wait-for-body, pause).

Owns: what is waited for. Must not know: who wakes up (the relay asks `ready` again when something has come).
"""

from __future__ import annotations

from typing import Any

from ..units import parse_size, parse_time
from .action_answer import giving
from .actions import REQUEST, RESPONSE, Act, Use, action
from .samples import Type
from .verdicts import Answer, Verdict, Wait


def _time(use: Use) -> int:
    word = use.take("a time")
    try:
        return parse_time(word.text)
    except ValueError as error:
        raise use.unreadable(error, word) from None


@action(
    "wait-for-body",
    REQUEST | RESPONSE,
    "time <time> [at-least <size>]",
    "Wait until the body, or the start of it, is here",
)
def _wait_for_body(use: Use) -> Act:
    time: int | None = None
    least = 0
    while not use.ended():
        word = use.take("a word")
        if word.text == "time":
            time = _time(use)
        elif word.text == "at-least":
            size = use.take("a size")
            try:
                least = parse_size(size.text)
            except ValueError as error:
                raise use.unreadable(error, size) from None
        else:
            raise use.error(f"unknown word '{word.text}'", word, use.usage())
    if time is None:
        use.take_nothing("time <time>")
    delay = float(time or 0)
    use.waits = True
    if not use.ground.request:
        return _for_response(use, least, delay)
    late = Answer(use.place, 408, page=True, termination=b"cR")
    wait = Wait(use.place, lambda x: x.has_body(least), lambda x: delay, late, body=True)

    def act(x: Any) -> Verdict | None:
        return None if x.has_body(least) else wait

    return act


def _for_response(use: Use, least: int, delay: float) -> Act:
    late = Answer(use.place, 504, page=True, termination=b"sR")
    wait = Wait(use.place, lambda x: x.has_response_body(least), lambda x: delay, late)

    def act(x: Any) -> Verdict | None:
        return None if x.has_response_body(least) else wait

    return act


@action("pause", REQUEST | RESPONSE, "{<time>|<expression>}", "Go on after a while")
def _pause(use: Use) -> Act:
    if use.ended():
        use.take_nothing("a time")
    use.waits = True
    if use.rest[0].text[:1].isdigit():
        fixed = float(_time(use))
        return giving(Wait(use.place, lambda x: False, lambda x: fixed))
    run = use.expression(Type.INT).run
    wait = Wait(use.place, lambda x: False, lambda x: float(run(x)))

    def act(x: Any) -> Verdict | None:
        value = run(x)
        return wait if value is not None and value > 0 else None

    return act
