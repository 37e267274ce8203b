"""Conditions over bytes that are still coming: true, false, or not to be known yet (manual 4.2: tcp-request content).

Owns: the third answer, and how it spreads through `not`, `and`, `or`. Must not know: what it is that comes, who waits.

An ACL that is true is true. One that is not, while something it looked at may still change, is *missing*; so is its
negation. Of ACLs that must all hold the first one that does not hold decides, false or missing; of alternatives one
that holds is enough, and otherwise one that is missing is. A rule whose condition is missing stops the set (`Missing`),
and whoever runs it starts again from its first rule when more has come. Once nothing more can come (`uncertain` is 0 on
the scope), missing is false.

`uncertain` has the bits of Needs whose facts may still change; fetches of bytes set `unsure` themselves, as only they
can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalogue import Needs
from .verdicts import Missing, Verdict

if TYPE_CHECKING:
    from .actions import Act
    from .condition import Condition

CHANGING = Needs.HEAD | Needs.BODY | Needs.PAYLOAD
"""What may still change while bytes come."""
_AS_A_WHOLE = Needs.HEAD | Needs.BODY
"""Of these it is known whether they can change; bytes have fetches that tell it themselves."""


def inspected(condition: Condition, act: Act, missing: Missing) -> Act:
    """The action behind its condition, as an action without one."""
    test = condition.test
    unless = condition.negated
    groups = tuple(
        tuple((one.acl.test, one.negated, int(one.acl.needs & _AS_A_WHOLE)) for one in term) for term in condition.terms
    )

    def run(x: Any) -> Verdict | None:
        uncertain = x.uncertain
        if not uncertain:
            return act(x) if test(x) else None
        unknown = False
        for group in groups:
            for holds, negated, needs in group:
                x.unsure = False
                if holds(x):
                    if negated:
                        break
                elif x.unsure or needs & uncertain:
                    unknown = True
                    break
                elif not negated:
                    break
            else:
                # All of them hold.
                return None if unless else act(x)
        if unknown:
            return missing
        return act(x) if unless else None

    return run
