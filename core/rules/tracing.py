"""Running a rule set with an eye on every step: the same tests and actions as in the proxy, one by one.

Owns: the order of steps, jumps and waits as `ruleset` has them, and what is noted of each. Must not know: where a set
belongs, what becomes of its verdict. Invariant: nothing is interpreted here; each test is the compiled condition, each
action the compiled action, called as often as the proxy calls it (but ACLs, which are asked again for their reasons).
"""

from __future__ import annotations

from typing import Any

from .actions import Act
from .condition import Condition, Literal
from .effects import compare, take
from .explanation import ActionTrace, ConditionTrace, RuleTrace, Term
from .offline import notes_of
from .ruleset import Rule, RuleSet
from .scope import Variables
from .verdicts import ANSWER, DROP, REJECT, STOP, SWITCH, TARPIT, Answer, Switch, Verdict, Wait


def trace(rules: RuleSet, x: Any, shared: Variables) -> tuple[list[RuleTrace], Verdict | None]:
    """Run a set over a scope. `shared`: the variables of the process. Returns the lines that were looked at, and the
    verdict: never one that waits, since a wait is taken to last as long as it may."""
    traces = []
    for rule in rules.rules:
        found, verdict = trace_rule(rule, x, shared)
        traces.append(found)
        if verdict is not None:
            return traces, verdict
    return traces, None


def trace_rule(rule: Rule, x: Any, shared: Variables) -> tuple[RuleTrace, Verdict | None]:
    """One line."""
    found = RuleTrace(rule.place.file, rule.place.line, rule.text)
    if rule.condition is not None:
        found.condition = trace_condition(rule.condition, x)
        if not found.condition.holds:
            return found, None
    for number, act in enumerate(rule.actions):
        text = rule.texts[number] if number < len(rule.texts) else ""
        entered = rule.entered[number] if number < len(rule.entered) else None
        if entered is not None:
            action = ActionTrace(text)
            action.entered, verdict = trace(entered, x, shared)
        else:
            action, verdict = trace_action(act, text, x, shared)
        found.actions.append(action)
        if verdict is not None:
            return found, verdict
    return found, None


def trace_action(act: Act, text: str, x: Any, shared: Variables) -> tuple[ActionTrace, Verdict | None]:
    """One action."""
    before = take(x, shared)
    verdict = act(x)
    action = ActionTrace(text, compare(before, take(x, shared)), notes=notes_of(text))
    if isinstance(verdict, Wait):
        verdict = _wait(verdict, x, action)
    if verdict is not None:
        action.verdict = words_of(verdict, x)
    return action, verdict


def _wait(wait: Wait, x: Any, action: ActionTrace) -> Verdict | None:
    if wait.ready(x):
        return None
    delay = wait.delay(x)
    what = "waits for the rest of the body, which is not in the file" if wait.body else "waits"
    action.notes.append(f"{what}, {delay:.0f} ms{' at most' if wait.body else ''}")
    return wait.timed_out


def words_of(verdict: Verdict, x: Any) -> str:
    """A verdict for people."""
    if not isinstance(verdict, Verdict):
        # What `monitor fail` says.
        return "the proxy is to be taken for down"
    kind = verdict.kind
    if kind is STOP:
        return "the rules of this section end here"
    if kind is REJECT:
        return "the connection is closed without a word"
    if kind is DROP:
        return "the connection vanishes, its client is not told"
    if kind is SWITCH:
        assert isinstance(verdict, Switch)
        return f"backend {verdict.name(x).decode('utf-8', 'backslashreplace')}"
    if kind in (ANSWER, TARPIT):
        assert isinstance(verdict, Answer)
        return f"answered with {verdict.status}{' after a while' if kind is TARPIT else ''}"
    return kind.name.lower()


def trace_condition(condition: Condition, x: Any) -> ConditionTrace:
    """A condition and the ACLs that decide it."""
    holds = condition.test(x)
    terms = []
    for group in condition.terms:
        for literal in group:
            term = _term(literal, x)
            terms.append(term)
            if not term.holds:
                break
        else:
            break
    return ConditionTrace(condition.text, holds, terms)


def _term(literal: Literal, x: Any) -> Term:
    acl = literal.acl
    place = acl.place
    return Term(
        literal.text,
        literal.holds(x),
        acl.why(x),
        acl.text,
        place.file if place is not None else "",
        place.line if place is not None else 0,
        notes_of(acl.text),
    )
