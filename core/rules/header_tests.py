"""The test of an ACL on a header, in one function: most headers have one line and one value.

Owns: the source of that function. Must not know: ACLs, patterns. The general way (a test that calls `each`, which calls
the fetch, and then the matcher for each value) costs 0.7 us; this one 0.25 us, and calls `each` only where there are
several lines of any name, or a comma in the value. It is made as source since the matcher's part is an expression of
its own (`Matcher.source`), and a call for it would cost a fifth of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .catalogue import HeaderOf
from .matching import Matcher, Test


class HeaderTest(NamedTuple):
    """What a test made here looks at, so that a function for a whole set of rules can do it in its place (fused)."""

    header: HeaderOf
    matcher: Matcher
    several: Test
    """The general way."""


def header_test_of(test: Test) -> HeaderTest | None:
    """What a test is, if it was made here."""
    found: HeaderTest | None = getattr(test, "looked", None)
    return found


_SOURCE = """
def test(x):
    head = x.{attribute}
    if head is None:
        return False
    block = head.block
    value = (block.index or block.make_index()).get(name)
    if value is None:
        return False
    if block.repeats{comma}:
        return several(x)
    return {matches}
"""


def test_header(header: HeaderOf, matcher: Matcher, each: Callable[[Any], Any]) -> Test:
    """The test of all values of a header. `each` gives them where there may be several."""
    source = _SOURCE.format(
        attribute=header.attribute, comma="" if header.full else f" or {ord(',')} in value", matches=matcher.source()
    )
    several = matcher.over_each(each)
    names: dict[str, Any] = {
        "name": header.name,
        "several": several,
        "matcher": matcher,
        "match": matcher.match,
        "table": getattr(matcher, "table", None),
    }
    exec(source, names)
    test: Test = names["test"]
    test.__dict__["looked"] = HeaderTest(header, matcher, several)
    return test
