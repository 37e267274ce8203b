"""Rule sets: lines of one kind compiled to steps, and how steps are run.

Owns: what a line is made of (action, `if` condition; or `if` condition `then` actions), and running. Must not know:
where a set belongs (proxy_rules), what becomes of a verdict (the relay).

A step is a pair (test or None, act). Most sets are *simple*: nothing in them waits, and they run as one loop (0.06 us
a step besides the closures). Others are run over iterators that the exchange keeps, so that they can go on where they
stopped.

CL8: several actions of one condition are written

    http-request if { path_beg /images/ } then set-header X-Pool images ; use_backend images

where `;` is a word of its own. They run in their order; the condition is looked at once, before the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..config.model import Place, RuleSpec, RuleWord
from ..errors import ConfigError
from .acl_set import AclSet
from .actions import ACTIONS, Act, Ground, Test, Use, find
from .catalogue import Needs
from .condition import Condition, compile_condition
from .fused import describe_beginning, fuse
from .inspecting import CHANGING, inspected
from .quiet import LOUD, is_quiet, may_edit, quiet
from .verdicts import JUMP, WAIT, Jump, Missing, Verdict

Step = tuple[Test | None, Act]

_PREFIXES = {"redirect": "redirect", "use_backend": "use_backend", "use-server": "use-server"}
"""Keywords of lines that are an action themselves."""
_QUIET = frozenset({"tcp-request content", "http-request", "redirect"})
"""Kinds of lines whose sets may be quiet."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line, for whoever explains it."""

    place: Place
    text: str
    condition: Condition | None
    actions: tuple[Act, ...]
    needs: Needs
    waits: bool
    texts: tuple[str, ...] = ()
    """What each action says."""
    entered: tuple[RuleSet | None, ...] = ()
    """For each action the set that it enters, if it is a jump."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The steps of one set. `run(scope)`: the verdict, None where the rules came to their end."""

    steps: tuple[Step, ...]
    rules: tuple[Rule, ...]
    needs: Needs
    simple: bool
    run: Callable[[Any], Verdict | None]


EMPTY = RuleSet((), (), Needs.NOTHING, True, lambda x: None)


def compile_rules(lines: Iterable[RuleSpec], acls: AclSet, ground: Ground, errors: list[ConfigError]) -> list[Rule]:
    """Compile lines of one kind; those that are wrong are left out and reported."""
    rules = []
    for line in lines:
        try:
            rules.append(compile_rule(line, acls, ground))
        except ConfigError as error:
            locate(error, line.place)
            errors.append(error)
        for warning in acls.warnings:
            locate(warning, line.place)
    return rules


def locate(error: ConfigError, place: Place) -> None:
    """Fill in the place where an error knows its column at most."""
    if not error.file:
        error.file, error.line = place.file, place.line
        error.column = error.column or place.column


def compile_rule(line: RuleSpec, acls: AclSet, ground: Ground) -> Rule:
    """One line. Raises ConfigError."""
    acls.known = ground.known_acls
    words: Sequence[RuleWord] = line.words
    prefix = _PREFIXES.get(line.kind)
    if prefix is not None:
        words = (RuleWord(prefix, line.place.column), *words)
    text = f"{line.kind} {' '.join(word.text for word in line.words)}"
    files = dict(line.files)
    if words and words[0].text in ("if", "unless"):
        end = _index_of("then", words)
        if end < 0:
            raise ConfigError(
                f"`{line.kind} {words[0].text} ...` needs a `then`",
                column=words[0].column,
                word=words[0].text,
                hint=f"{line.kind} if <condition> then <action> ; <action>",
            )
        condition = compile_test(words[:end], acls, ground)
        uses = [(part, Use(ground, part, line.place, files)) for part in _parts(words[end + 1 :], words[end])]
    else:
        use = Use(ground, words, line.place, files)
        uses = [(words, use)]
        condition = None
    acts = []
    texts = []
    for part, use in uses:
        acts.append(_make(use, formats=line.kind != "redirect"))
        rest = use.rest
        texts.append(" ".join(word.text for word in part[: len(part) - len(rest)]))
        if rest:
            if condition is not None or rest[0].text not in ("if", "unless"):
                wanted = "`;` or the end" if condition is not None else "`if` or `unless`"
                raise use.error(f"{wanted} is expected instead of '{rest[0].text}'", rest[0], use.usage())
            condition = compile_test(rest, acls, ground)
    needs = Needs.NOTHING if condition is None else condition.needs
    for _, use in uses:
        needs |= use.needs
    waits = any(use.waits for _, use in uses)
    entered = tuple(use.entered for _, use in uses)
    return Rule(line.place, text, condition, tuple(acts), needs, waits, tuple(texts), entered)


def _make(use: Use, *, formats: bool) -> Act:
    if formats:
        entry = find(use)
        act = entry.make(use)
    else:
        from .redirects import read_redirect

        entry = ACTIONS["redirect"]
        act = read_redirect(use, formats=False)
    if entry.quiet and use.ground.kind in _QUIET and not use.waits and not use.needs & LOUD:
        quiet(act, edits=entry.edits)
    return act


def compile_test(words: Sequence[RuleWord], acls: AclSet, ground: Ground) -> Condition:
    """The condition of a line, `if` or `unless` included. Raises ConfigError."""
    acls.known = ground.known_acls
    if acls.known is not None:
        _refuse_later(words, acls)
    return compile_condition(words, acls, ground.site, ground.stage)


def _refuse_later(words: Sequence[RuleWord], acls: AclSet) -> None:
    """An ACL is known from its first line on (as in HAProxy); later lines of it count for the rules above, too."""
    inside = False
    for word in words[1:]:
        if word.text.lstrip("!") == "{":
            inside = True
        elif word.text == "}":
            inside = False
        elif not inside:
            name = word.text.lstrip("!")
            if acls.is_later(name):
                raise ConfigError(
                    f"there is no ACL '{name}' before this line", column=word.column, word=name, hint="move its line up"
                )


def _index_of(text: str, words: Sequence[RuleWord]) -> int:
    inside = False
    for index, word in enumerate(words):
        if word.text.lstrip("!") == "{":
            inside = True
        elif word.text == "}":
            inside = False
        elif word.text == text and not inside:
            return index
    return -1


def _parts(words: Sequence[RuleWord], then: RuleWord) -> list[Sequence[RuleWord]]:
    """The words of each action."""
    parts: list[Sequence[RuleWord]] = []
    start = 0
    for index in range(len(words) + 1):
        if index == len(words) or words[index].text == ";":
            if index == start:
                place = words[index] if index < len(words) else then
                hint = "such as `if TRUE then set-header X-A 1 ; allow`"
                raise ConfigError("an action is expected", column=place.column, word=place.text, hint=hint)
            parts.append(words[start:index])
            start = index + 1
    return parts


# Running.


def make_set(rules: Sequence[Rule], missing: Missing | None = None) -> RuleSet:
    """The rules as one set. `missing`: its verdict where a condition looks at what may still come (inspecting)."""
    if not rules:
        return EMPTY
    needs = Needs.NOTHING
    steps: list[Step] = []
    simple = True
    fusing = True
    for rule in rules:
        needs |= rule.needs
        simple = simple and not rule.waits
        test = None if rule.condition is None else rule.condition.test
        if len(rule.actions) == 1:
            steps.append((test, rule.actions[0]))
        elif rule.waits:
            # One step that enters the actions as a set of their own.
            inner: tuple[Step, ...] = tuple((None, act) for act in rule.actions)
            steps.append((test, _entering(Jump(rule.place, inner))))
        else:
            steps.append((test, in_turn(rule.actions)))
        if missing is not None and rule.condition is not None and rule.condition.needs & CHANGING:
            steps[-1] = (None, inspected(rule.condition, steps[-1][1], missing))
            fusing = False
    fixed = tuple(steps)
    if simple and not fusing:
        run = runner(fixed)
    elif simple:
        run = fuse(
            [(rule.condition, rule.actions) for rule in rules], lambda start, stop=None: runner(fixed[start:stop])
        )
    else:
        run = stepper(fixed)
    if simple and fusing and not needs & LOUD and all(is_quiet(act) for rule in rules for act in rule.actions):
        quiet(run, edits=any(may_edit(act) for rule in rules for act in rule.actions))
        if len(rules) > 1 and rules[0].condition is None and len(rules[0].actions) == 1:
            describe_beginning(run, rules[0].actions[0], lambda: make_set(rules[1:]).run)
    return RuleSet(fixed, tuple(rules), needs, simple, run)


def _entering(jump: Jump) -> Act:
    return lambda x: jump


def in_turn(acts: Sequence[Act]) -> Act:
    """One action for several, up to the first verdict."""
    listed = tuple(acts)

    def act(x: Any) -> Verdict | None:
        for one in listed:
            verdict = one(x)
            if verdict is not None:
                return verdict
        return None

    return act


def runner(steps: tuple[Step, ...]) -> Callable[[Any], Verdict | None]:
    """Run steps of which none waits."""
    if len(steps) == 1 and steps[0][0] is None:
        return steps[0][1]

    def run(x: Any) -> Verdict | None:
        for test, act in steps:
            if test is None or test(x):
                verdict = act(x)
                if verdict is not None:
                    return verdict
        return None

    return run


def stepper(steps: tuple[Step, ...]) -> Callable[[Any], Verdict | None]:
    """Run steps of which some may wait."""

    def run(x: Any) -> Verdict | None:
        x.steps = [iter(steps)]
        return go_on(x)

    return run


def go_on(x: Any) -> Verdict | None:
    """Go on with the steps that the exchange keeps: the innermost set first, then behind each jump."""
    stack = x.steps
    while stack:
        for test, act in stack[-1]:
            if test is None or test(x):
                verdict = act(x)
                if verdict is not None:
                    if verdict.kind is JUMP:
                        stack.append(iter(verdict.steps))
                        break
                    if verdict.kind is not WAIT:
                        x.steps = None
                    return verdict  # type: ignore[no-any-return]
        else:
            stack.pop()
    x.steps = None
    return None
