"""One function for a whole set of rules: conditions on headers in its own text, actions called in their place.

Owns: the source of that function. Must not know: the syntax of rules. It does what the plain loop over the set's steps
does (a test holds that), which stays beside it for explanations, and for what the function leaves to it: messages that
have a name on several lines, and such sets as wait.

Two forms. *Mixed* ones go through their rules with the block's index at hand: a test of a header costs 0.1 us instead
of 0.4. *Pure* ones only look at headers and only make edits that are the same for all: for them a block determines the
outcome, which is kept with the block (`HeaderBlock.ruled`), so that a client's next request costs 0.5 us whatever the
number of rules. A set that begins with such rules is made of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..http.edit import with_block
from ..http.line_edits import Edit, LineEdits
from .acl import Acl
from .actions import Act
from .catalogue import HeaderOf
from .condition import Condition
from .header_tests import header_test_of
from .matching import Exact, Matcher, Presence
from .searching import FEW, Prefixes, Substrings, Suffixes
from .verdicts import Verdict

Run = Callable[[Any], Verdict | None]
Light = Callable[[Any, Callable[[Any, float], None]], Callable[[Any, float], None]]
"""(route, onward) to a function (exchange, now) that notes the route, runs the set, and goes on."""
Rules = Sequence[tuple[Condition | None, Sequence[Act]]]
"""Of each rule its condition and its actions."""

MOST = 200
"""Rules in a set that is made as one function; larger ones are looped over."""
KEPT = 1024
"""Combinations of edits that are kept for a pure set."""
COMMA = ord(",")

_PURE = """
def run(x):
    head = x.head
    block = head.block
    if block.edited:
        return general(x)
    ruled = block.ruled
    if ruled is None or ruled[0] is not mark:
        known = block.index
        index = known or block.make_index()
        if block.repeats:
            done = slowly(x)
        else:
            done = 0
            get = index.get
{rules}
        if done:
            edits = combined.get(done) or combine(done)
            if known is None and ruled is None:
                # A block that was never seen before, as most that are not seen again: its index is taken, not copied.
                block.index = None
                block.ruled = seen
                x.head = with_block(head, edits.apply(block, index))
                return
            new = edits.apply(block, index.copy())
            x.head = with_block(head, new)
            block.ruled = mark, new, None, None
        else:
            block.ruled = mark, None, None, None
    elif ruled[2] is head:
        x.head = ruled[3]
    elif ruled[1] is not None:
        # The block was here, so it is remembered, as its request mostly is: each keeps the other.
        new = x.head = with_block(head, ruled[1])
        block.ruled = mark, ruled[1], head, new
"""

_REFRESH = """\
{indent}block = x.{attribute}.block
{indent}if block.repeats:
{indent}    return {rest}(x)
{indent}get = (block.index or block.make_index()).get
"""


def describe_edit(act: Act, edit: Edit) -> Act:
    """Note that the action makes this edit, the same for all requests, and nothing else."""
    if edit.suitable:
        act.__dict__["edit"] = edit
    return act


def edit_of(act: Act) -> Edit | None:
    """What `describe_edit` noted."""
    edit: Edit | None = getattr(act, "edit", None)
    return edit


class Names:
    """The names that a generated function uses, and what they stand for."""

    def __init__(self) -> None:
        self.table: dict[str, Any] = {}

    def bind(self, value: Any) -> str:
        """A new name for a value."""
        name = f"n{len(self.table)}"
        self.table[name] = value
        return name


class Part(Protocol):
    """The plain loop over the steps of a set from one to another."""

    def __call__(self, start: int, stop: int | None = None) -> Run: ...


def fuse(rules: Rules, part: Part) -> Run:
    """The function of a set."""
    if len(rules) > MOST:
        return part(0)
    pure = _pure_rules(rules)
    if pure == len(rules):
        return _pure(rules, part(0))
    if pure < 2:
        pure = 0
    after = pure + 1 == len(rules) and rules[pure][0] is None and len(rules[pure][1]) == 1
    last = part(pure) if after else _mixed(rules[pure:], lambda start, stop=None: part(pure + start, stop))
    if not pure:
        return last
    first = _pure(rules[:pure], part(0, pure))

    def run(x: Any) -> Verdict | None:
        first(x)
        return last(x)

    return run


def _literals(condition: Condition | None) -> list[Acl]:
    return [] if condition is None else [literal.acl for term in condition.terms for literal in term]


def _pure_rules(rules: Rules) -> int:
    """The number of rules at the beginning that are pure together."""
    edited: set[bytes] = set()
    for number, (condition, acts) in enumerate(rules):
        for acl in _literals(condition):
            looked = header_test_of(acl.test)
            if looked is None or not acl.fixed or looked.header.attribute != "head" or looked.header.name in edited:
                return number
        for act in acts:
            edit = edit_of(act)
            if edit is None:
                return number
            edited.add(edit.name)
    return len(rules)


def _pure(rules: Rules, general: Run) -> Run:
    names = Names()
    lines = []
    edits = [[edit for act in acts if (edit := edit_of(act)) is not None] for _, acts in rules]
    always = 0
    for number, (condition, _) in enumerate(rules):
        if condition is None:
            always |= 1 << number
            continue
        lines.append(f"            if {_text_of(condition, names, 'head')}:")
        lines.append(f"                done |= {1 << number}")
    if always:
        lines.append(f"            done |= {always}")
    combined: dict[int, LineEdits] = {}

    def combine(done: int) -> LineEdits:
        if len(combined) >= KEPT:
            combined.clear()
        found = combined[done] = LineEdits(
            [edit for number, listed in enumerate(edits) if done >> number & 1 for edit in listed]
        )
        return found

    tests = [None if condition is None else condition.test for condition, _ in rules]

    def slowly(x: Any) -> int:
        done = 0
        for number, test in enumerate(tests):
            if test is None or test(x):
                done |= 1 << number
        return done

    names.table |= {
        "combine": combine,
        "combined": combined,
        "general": general,
        "mark": object(),
        "seen": (None, None),
        "slowly": slowly,
        "with_block": with_block,
    }
    run = _make(_PURE.format(rules="\n".join(lines)), names)
    run.__dict__["pure"] = True
    return run


def is_pure(run: Run) -> bool:
    """Does it only look at a request's headers, and only make edits, so that it never gives a verdict? It leaves no
    block edited that was not, so that there is nothing to seal."""
    return getattr(run, "pure", False)


def light_of(run: Run) -> Light | None:
    """Of a set whose one action leaves nothing behind that the next request would have to be restored from, and gives
    no verdict: what makes a straight way of it (relay/straight); None for all others."""
    if not is_pure(run):
        return getattr(run, "light", None)

    def light(route: Any, onward: Callable[[Any, float], None]) -> Callable[[Any, float], None]:
        def go(x: Any, now: float) -> None:
            x.route = route
            run(x)
            onward(x, now)

        return go

    return light


def describe_beginning(run: Run, act: Act, rest: Callable[[], Run]) -> None:
    """Note that the set begins with this action, in any case, if that is light; `rest` makes what runs the others."""
    light = getattr(act, "light", None)
    if light is not None:
        run.__dict__["beginning"] = light, rest()


def beginning_of(run: Run) -> tuple[Light, Run] | None:
    """Of a set that begins with an action as `light_of` has them: what makes a straight way of that, and the rest."""
    return getattr(run, "beginning", None)


def _mixed(rules: Rules, part: Part) -> Run:
    names = Names()
    looked = [test for condition, _ in rules for acl in _literals(condition) if (test := header_test_of(acl.test))]
    attribute = looked[0].header.attribute if looked else ""
    last = -1
    for number, (condition, _) in enumerate(rules):
        if any(_in_text(acl, attribute) for acl in _literals(condition)):
            last = number
    lines = ["def run(x):"]
    if last >= 0:
        names.table["general"] = part(0)
        lines += [
            f"    head = x.{attribute}",
            "    if head is None:",
            "        return general(x)",
            "    block = head.block",
            "    get = (block.index or block.make_index()).get",
            "    if block.repeats:",
            "        return general(x)",
        ]
    for number, (condition, acts) in enumerate(rules):
        indent = "    "
        if condition is not None:
            lines.append(f"    if {_text_of(condition, names, attribute)}:")
            indent += "    "
        for act in acts:
            name = names.bind(act)
            if edit_of(act) is not None:
                lines.append(f"{indent}{name}(x)")
            else:
                lines += [f"{indent}verdict = {name}(x)", f"{indent}if verdict is not None:"]
                lines.append(f"{indent}    return verdict")
        if number < last:
            lines.append(_REFRESH.format(indent=indent, attribute=attribute, rest=names.bind(part(number + 1))))
    lines.append("    return None")
    return _make("\n".join(lines), names)


def _make(source: str, names: Names) -> Run:
    exec(source, names.table)
    run: Run = names.table["run"]
    return run


# Conditions as text. `get` is the index's, of a block without repeated names.


def _text_of(condition: Condition, names: Names, attribute: str) -> str:
    terms = []
    for term in condition.terms:
        literals = []
        for literal in term:
            text = _test_text(literal.acl, names, attribute)
            literals.append(f"not {text}" if literal.negated else text)
        terms.append(" and ".join(literals))
    text = " or ".join(terms)
    return f"not ({text})" if condition.negated else text


def _in_text(acl: Acl, attribute: str) -> bool:
    looked = header_test_of(acl.test)
    return looked is not None and looked.header.attribute == attribute


def _test_text(acl: Acl, names: Names, attribute: str) -> str:
    looked = header_test_of(acl.test)
    if looked is None or looked.header.attribute != attribute:
        return f"{names.bind(acl.test)}(x)"
    several = names.bind(looked.several)
    text = _special(looked.header, looked.matcher, several) if acl.fixed else ""
    if text:
        return text
    match = names.bind(looked.matcher.match)
    if looked.header.full:
        return f"((v := get({looked.header.name!r})) is not None and {match}(v))"
    return f"((v := get({looked.header.name!r})) is not None and ({several}(x) if {COMMA} in v else {match}(v)))"


def _special(header: HeaderOf, matcher: Matcher, several: str) -> str:
    """The expression for patterns that will not change, which calls `several` where values are to be looked at one by
    one; "" where there is none. A pattern without a comma, and without blanks at its ends, that the whole value begins
    with, ends with, contains or equals does so to one of the value's parts, and parts contain none that the whole does
    not."""
    name = header.name
    kind = type(matcher)
    if kind is Presence:
        return f"(get({name!r}) is not None)"
    texts = _texts(matcher)
    if not 0 < len(texts) <= FEW or b"" in texts:
        return ""
    if not header.full:
        for text in texts:
            if COMMA in text or text != text.strip(b" \t"):
                return ""
    lower = ".lower()" if getattr(matcher, "fold", False) else ""
    parted = "" if header.full else f" or {COMMA} in v and {several}(x)"
    if kind is Exact:
        one = f"== {texts[0]!r}" if len(texts) == 1 else f"in {{{', '.join(map(repr, texts))}}}"
        if lower:
            return f"((v := get({name!r}, b'')).lower() {one}{parted})"
        return f"((v := get({name!r}, b'')) {one}{parted})" if parted else f"(get({name!r}) {one})"
    if kind is Prefixes or kind is Suffixes:
        call = "startswith" if kind is Prefixes else "endswith"
        what = repr(texts[0] if len(texts) == 1 else texts)
        return f"((v := get({name!r}, b'')){lower}.{call}({what}){parted})"
    if kind is Substrings:
        value = f"get({name!r}, b''){lower}"
        if len(texts) == 1:
            return f"({value}.find({texts[0]!r}) >= 0)"
        return (
            f"((v := {value}).find({texts[0]!r}) >= 0{''.join([f' or v.find({text!r}) >= 0' for text in texts[1:]])})"
        )
    return ""


def _texts(matcher: Matcher) -> tuple[bytes, ...]:
    if isinstance(matcher, Exact | Substrings):
        return tuple(matcher.table)
    if isinstance(matcher, Prefixes | Suffixes):
        return tuple(matcher.texts)
    return ()
