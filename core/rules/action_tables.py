"""Actions on stick tables (manual 4.2: `track-sc0`, `sc-inc-gpc`, `sc-add-gpc`, `sc-set-gpt` and their kin).

Owns: their words, and what tracking begins with. Must not know: how it ends (relay/tracking), what a table stores
(trackers).

The first `track-scN` that finds its key counts, for the session or for the exchange; the entry is held until that ends.
A rule of requests counts the request, too, and one of responses also what its status says; those of `tcp-request
content` stand before requests are counted (relay/tracking).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...pools.table_spot import Memory
from ..config.model import RuleWord
from ..config.suggest import offer
from .actions import ALL, CONTENT, EARLY, REQUEST, RESPONSE, Act, Use, action
from .catalogue import Needs, Stage
from .samples import INT
from .table_keys import key_maker
from .trackers import Tracked, Tracker, Tracking, found_in, remember, tracked_of

if TYPE_CHECKING:
    from .scope import Site

_KEY = "<key> [table <table>]"
_MASK = 0xFFFFFFFF


def _tracker(use: Use) -> Tracker:
    """The table that is named, or the proxy's own."""
    site = use.ground.site
    word = None
    name = site.proxy
    if use.skip("table"):
        word = use.take("the name of a table")
        name = word.text
    if name not in site.trackers.tables:
        if word is None:
            what = f"'{name}' has no stick table" if name else "a rule set has no stick table"
            raise use.error(what, None, "name one: `table <table>`")
        raise use.error(
            f"there is no stick table '{name}'",
            word,
            offer(name, site.trackers.tables, "tables") or "a section has one by a `stick-table` line",
        )
    return site.trackers.find(name)  # type: ignore[no-any-return]


@action(
    "track-sc0 track-sc1 track-sc2 track-sc",
    EARLY | CONTENT | REQUEST | RESPONSE,
    _KEY,
    "Track an entry of a stick table",
    quiet=True,
)
def _track(use: Use) -> Act:
    digits = use.name.removeprefix("track-sc")
    number = int(digits) if digits else 0
    sets = use.ground.site.trackers.number
    if number >= sets:
        raise use.error(f"sets of counters are 0 to {sets - 1}", None, "`tune.stick-counters` says how many there are")
    compiled = use.expression()
    tracker = _tracker(use)
    shape = tracker.table.shape
    make = key_maker(shape, compiled.type)
    if make is None:
        raise use.error(
            f"a value of type {compiled.type.value} is no key of table '{tracker.table.name}' ({shape.key})"
        )
    use.needs |= Needs.TRACKING
    run, kind = compiled.run, use.ground.kind
    clock = use.ground.site.process.clock
    late = kind == "tcp-request content" and use.ground.stage is Stage.BACK_CONTENT
    enter = tracker.enter_request if kind.startswith("http-") else tracker.enter

    if kind in EARLY:

        def act_early(x: Any) -> None:
            session = x.session
            tracked: Tracked | None = session.tracked
            if found_in(tracked, number) is not None:
                return
            value = run(x)
            key = None if value is None else make(value)
            if key is not None:
                slot = enter(key, int(clock() * 1000.0))
                if slot:
                    session.tracked = (*(tracked or ()), Tracking(tracker, number, slot))

        return act_early
    judge = _judge(tracker, use.ground.site) if kind == "http-response" else None
    known: Memory[tuple[Tracking]] = Memory()
    remembers = kind == "http-request"

    def begin(x: Any, value: Any) -> None:
        key = None if value is None else make(value)
        if key is not None:
            now = int(clock() * 1000.0)
            slot = enter(key, now)
            if slot:
                entry = Tracking(tracker, number, slot, key, late)
                tracked: Tracked | None = x.tracked
                x.tracked = (entry,) if tracked is None else (*tracked, entry)
                if judge is not None:
                    judge(x, slot, now)
                if remembers and x.request_number:
                    # A connection that is kept: it will ask again.
                    remember(known, value, entry)

    def act(x: Any) -> None:
        if tracked_of(x, number) is None:
            begin(x, run(x))

    if not remembers:
        return act
    return tracker.again(run, clock, known, begin, act, light=not compiled.needs & Needs.LEAVES)


def _judge(tracker: Tracker, site: Site) -> Callable[[Any, int, int], None] | None:
    """What the status of the response counts as: it came before it was tracked."""
    if not tracker.hears_responses:
        return None

    errors, failures = site.error_codes, site.failure_codes

    def judge(x: Any, slot: int, now: int) -> None:
        status = x.answer.status
        if status in errors:
            tracker.error(slot, now)
        if status in failures:
            tracker.failure(slot, now)

    return judge


# Counters and tags of what is tracked.


def _numbers(use: Use, *names: str) -> list[int]:
    """The numbers in the parentheses; the last one is a set of counters, one before it an element of an array."""
    word = use.argument
    usage = f"{use.name}({','.join(f'<{name}>' for name in names)})"
    texts = [text.strip() for text in word.text.split(",")] if word is not None else []
    if len(texts) != len(names) or not all(re.fullmatch(r"[0-9]+", text) for text in texts):
        raise use.error(f"expected is {usage}", word)
    numbers = [int(text) for text in texts]
    sets = use.ground.site.trackers.number
    if numbers[-1] >= sets:
        raise use.error(f"sets of counters are 0 to {sets - 1}", word, "`tune.stick-counters` says how many there are")
    if len(numbers) > 1 and numbers[0] > 99:
        raise use.error("elements of arrays are 0 to 99", word)
    return numbers


def _value(use: Use) -> Callable[[Any], int | None]:
    """A number, or an expression that gives one."""
    if re.fullmatch(r"[+-]?[0-9]+", use.peek()):
        number = int(use.take("a number").text)
        return lambda x: number
    return use.expression(INT).run


def _increase(use: Use, name: str, element: int, number: int, amount: Callable[[Any], int | None] | None) -> Act:
    places = (name, element), (f"{name}_rate", element)
    clock = use.ground.site.process.clock

    def act(x: Any) -> None:
        found = tracked_of(x, number)
        if found is not None:
            more = 1 if amount is None else amount(x)
            if more:
                found.tracker.increase(places, more & _MASK, found.slot, int(clock() * 1000.0))

    return act


@action("sc-inc-gpc", ALL, "", "Increase a counter of a tracked entry", argument="<index>,<set>", quiet=True)
def _increase_element(use: Use) -> Act:
    element, number = _numbers(use, "index", "set")
    return _increase(use, "gpc", element, number, None)


@action("sc-inc-gpc0 sc-inc-gpc1", ALL, "", "Increase a counter of a tracked entry", argument="<set>", quiet=True)
def _increase_single(use: Use) -> Act:
    if use.argument is None or not use.argument.text:
        # As HAProxy: the first set.
        use.argument = RuleWord("0", 0)
    (number,) = _numbers(use, "set")
    return _increase(use, use.name.removeprefix("sc-inc-"), 0, number, None)


@action(
    "sc-add-gpc",
    ALL,
    "{<number>|<expression>}",
    "Add to a counter of a tracked entry",
    argument="<index>,<set>",
    quiet=True,
)
def _add(use: Use) -> Act:
    element, number = _numbers(use, "index", "set")
    return _increase(use, "gpc", element, number, _value(use))


@action(
    "sc-set-gpt", ALL, "{<number>|<expression>}", "Set a tag of a tracked entry", argument="<index>,<set>", quiet=True
)
def _set_element(use: Use) -> Act:
    element, number = _numbers(use, "index", "set")
    return _set(use, ("gpt", element), number)


@action("sc-set-gpt0", ALL, "{<number>|<expression>}", "Set the tag of a tracked entry", argument="<set>", quiet=True)
def _set_single(use: Use) -> Act:
    (number,) = _numbers(use, "set")
    return _set(use, ("gpt0", 0), number)


def _set(use: Use, place: tuple[str, int], number: int) -> Act:
    value_of = _value(use)
    clock = use.ground.site.process.clock

    def act(x: Any) -> None:
        found = tracked_of(x, number)
        if found is not None:
            value = value_of(x)
            cell = found.tracker.cells.get(place)
            if value is not None and cell is not None:
                cell.set(found.slot, value & _MASK, int(clock() * 1000.0))
                found.tracker.table.mark(found.slot)

    return act
