"""The words of actions: nothing of HAProxy's is forgotten, nothing is both there and missing."""

from __future__ import annotations

import re
import subprocess

from maniple.core.config.keywords import State
from maniple.core.rules.action_vocabulary import ELSEWHERE, REGISTERED, action_terms, render_actions
from maniple.core.rules.actions import ACTIONS
from maniple.tests.core.rules import oracle

assert REGISTERED

_LISTED = re.compile(
    r"^\s*(tcp-request (?:connection|session|content)|tcp-response content|http-request|http-response"
    r"|http-after-response) ([a-z][\w-]*)",
    re.M,
)


def test_each_action_is_shown_once() -> None:
    names = [term.name for term in action_terms()]
    assert len(names) == len(set(names)) and {"deny", "set-header", "track-sc0", "jump"} <= set(names)
    # What only stands on lines of its own is a keyword, not an action.
    assert "use-server" not in names


def test_states() -> None:
    found = {term.name: term for term in action_terms()}
    assert found["deny"].state is State.IN_FORCE and found["deny"].sets == ("http-request", "http-response")
    assert found["cache-use"].state is State.KNOWN and found["cache-use"].sets == ()
    assert "http-request" in found["cache-use"].missing_sets
    assert all(term.usage.startswith(term.name) and term.summary for term in found.values())
    assert found["set-var"].usage.startswith("set-var(<scope>.<name>")


def test_what_is_missing_in_some_sets_is_there_in_others() -> None:
    for name, sets in ELSEWHERE.items():
        term = next(one for one in action_terms() if one.name == name)
        assert term.sets and not set(term.sets) & sets
        assert term.missing_sets == tuple(sets)


def test_text() -> None:
    lines = render_actions().splitlines()
    assert any(re.fullmatch(r"deny +---h-H- +in force +\[.*", line) for line in lines)
    assert any(re.fullmatch(r"cache-use +---h--- +missing", line) for line in lines)
    assert lines[-1].startswith("sets: c tcp-request connection, ")


def test_all_of_haproxy_is_known() -> None:
    program, _ = oracle.find_haproxy()
    listed = subprocess.run([program, "-dKcfg", "-q", "-c", "-f", "/dev/null"], capture_output=True, text=True).stdout
    actions = {(match[2], match[1]) for match in _LISTED.finditer(listed)}
    assert len(actions) > 100
    unknown = {
        (name, kind)
        for name, kind in actions
        if name not in ACTIONS or kind not in ACTIONS[name].sets | ELSEWHERE.get(name, frozenset())
    }
    assert unknown == set()
