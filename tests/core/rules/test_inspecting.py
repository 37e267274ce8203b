"""Three answers: all combinations of ACLs against the rule that defines them."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.rules.acl import Acl
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.condition import Condition, Literal, join_terms
from maniple.core.rules.inspecting import inspected
from maniple.core.rules.verdicts import STOP, Missing, Verdict

MISSING = Missing(1000.0, 2)
DONE = Verdict(STOP, None)
FAIL, MISS, PASS = 0, 1, 3
"""As bits, so that `or` is |; not is 3 >> value."""


def literal(answer: int, negated: bool, by_needs: bool) -> Literal:
    def test(x: Any) -> bool:
        if answer == MISS and x.uncertain and not by_needs:
            x.unsure = True
        return answer == PASS

    needs = Needs.BODY if by_needs and answer == MISS else Needs.PAYLOAD
    return Literal(Acl(test, needs, "a", None, "", lambda x: ""), negated)


def condition(terms: list[list[Literal]], unless: bool) -> Condition:
    return Condition(join_terms(terms, unless), Needs.PAYLOAD, "", tuple(map(tuple, terms)), unless)


def expected(terms: list[list[tuple[int, bool]]], unless: bool) -> int:
    found = FAIL
    for term in terms:
        result = PASS
        for answer, negated in term:
            result &= 3 >> answer if negated else answer
            if result != PASS:
                break
        found |= result
        if found == PASS:
            break
    return 3 >> found if unless else found


LITERALS = list(itertools.product((FAIL, MISS, PASS), (False, True)))
SHAPES: list[list[list[tuple[int, bool]]]] = [
    *[[[one]] for one in LITERALS],
    *[[[one, two]] for one, two in itertools.product(LITERALS, LITERALS)],
    *[[[one], [two]] for one, two in itertools.product(LITERALS, LITERALS)],
    *[[[one, two], [three]] for one, two, three in itertools.product(LITERALS, LITERALS, LITERALS)],
]


@pytest.mark.parametrize("unless", [False, True])
@pytest.mark.parametrize("by_needs", [False, True])
def test_all_combinations(unless: bool, by_needs: bool) -> None:
    for shape in SHAPES:
        terms = [[literal(answer, negated, by_needs) for answer, negated in term] for term in shape]
        run = inspected(condition(terms, unless), lambda x: DONE, MISSING)
        x = SimpleNamespace(uncertain=int(Needs.PAYLOAD | Needs.BODY), unsure=False)
        assert run(x) is {FAIL: None, MISS: MISSING, PASS: DONE}[expected(shape, unless)], shape
        # When nothing can come, what is missing is false.
        x.uncertain = 0
        final = [[(FAIL if answer == MISS else answer, negated) for answer, negated in term] for term in shape]
        assert run(x) is (DONE if expected(final, unless) == PASS else None), shape
