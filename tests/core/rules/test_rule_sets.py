"""Named rule sets: what a jump does, where it may stand (matrix CL12), and that none leads back to itself."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.ruleset import go_on
from maniple.core.rules.verdicts import ANSWER, STOP, SWITCH, WAIT
from maniple.tests.core.rules.lines import compile_lines, mistakes

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\n"


def added(head: Any) -> list[str]:
    return [value.decode() for name, value in head.block.fields if name == b"o"]


def section(name: str, *lines: str, kind: str = "request") -> str:
    return f"{kind}-rules {name}\n" + "".join(f"    {line}\n" for line in lines)


ADD = "http-request add-header O"
AROUND = f"{ADD} 1\nhttp-request jump s\n{ADD} 3"
RUNS = (
    (section("s", f"{ADD} 2"), ["1", "2", "3"], None),
    (section("s"), ["1", "3"], None),
    (section("s", f"{ADD} 2 if FALSE"), ["1", "3"], None),
    (section("s", f"{ADD} 2", "http-request deny", f"{ADD} no"), ["1", "2"], ANSWER),
    (section("s", f"{ADD} 2", "http-request allow", f"{ADD} no"), ["1", "2"], STOP),
    (section("s", "use_backend c if { path /a }", f"{ADD} no"), ["1"], SWITCH),
    (section("s", "use_backend c if { path /b }", f"{ADD} 2"), ["1", "2", "3"], None),
    (section("s", "acl here path /a", f"{ADD} 2 if here", f"{ADD} no if !here"), ["1", "2", "3"], None),
    (
        section("s", f"{ADD} 2", "http-request jump t", f"{ADD} 2c") + section("t", f"{ADD} 2b"),
        ["1", "2", "2b", "2c", "3"],
        None,
    ),
    (section("s", "http-request jump t", "http-request jump t") + section("t", f"{ADD} t"), ["1", "t", "t", "3"], None),
    (
        section("s", "http-request if TRUE then add-header O 2 ; jump t ; add-header O 4") + section("t", f"{ADD} t"),
        ["1", "2", "t", "4", "3"],
        None,
    ),
)


@pytest.mark.parametrize(("more", "values", "kind"), RUNS, ids=[row[0].replace("\n", "") for row in RUNS])
def test_runs(make_scope: Any, more: str, values: list[str], kind: Any) -> None:
    x = make_scope(request=REQUEST)
    verdict = compile_lines(AROUND, more=more).request.run(x)
    assert added(x.head) == values
    assert (verdict.kind if verdict else None) == kind


def test_sets_that_wait(make_scope: Any) -> None:
    more = section("s", f"{ADD} 2", "http-request jump t", f"{ADD} 5") + section(
        "t", "http-request pause 5ms", f"{ADD} 4"
    )
    x = make_scope(request=REQUEST)
    found = compile_lines(AROUND, more=more).request
    verdict = found.run(x)
    assert verdict is not None and verdict.kind is WAIT and added(x.head) == ["1", "2"]
    assert go_on(x) is None and added(x.head) == ["1", "2", "4", "5", "3"]


def test_responses(make_scope: Any) -> None:
    x = make_scope(request=REQUEST, response=RESPONSE)
    line = "http-response add-header O"
    more = section("s", f"{line} 2", "http-response jump t", kind="response") + section(
        "t", f"{line} t", kind="response"
    )
    compile_lines(back=f"{line} 1\nhttp-response jump s\n{line} 3", more=more).response.run(x)
    assert added(x.answer) == ["1", "2", "t", "3"]


def test_jumps_have_conditions(make_scope: Any) -> None:
    found = compile_lines(f"http-request jump s if {{ path /a }}\n{ADD} 3", more=section("s", f"{ADD} 2")).request
    for request, values in ((REQUEST, ["2", "3"]), (b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n", ["3"])):
        x = make_scope(request=request)
        found.run(x)
        assert added(x.head) == values


# The matrix.

IN = section("s", "http-request allow")
OUT = section("s", "http-response allow", kind="response")
MATRIX = (
    # (where, its line, set, allowed)
    ("front", "http-request jump s", IN, True),
    ("both", "http-request jump s", IN, True),
    ("back", "http-request jump s", IN, False),
    ("front", "http-request jump s", OUT, False),
    ("both", "http-request jump s", OUT, False),
    ("back", "http-request jump s", OUT, False),
    ("front", "http-response jump s", OUT, False),
    ("both", "http-response jump s", OUT, False),
    ("back", "http-response jump s", OUT, True),
    ("back", "http-response jump s", IN, False),
    ("front", "http-response jump s", IN, False),
    ("front", "http-after-response jump s", OUT, False),
    ("back", "http-after-response jump s", OUT, False),
    ("front", "tcp-request content jump s", IN, False),
    ("front", "jump s", IN, False),
)


@pytest.mark.parametrize(
    ("where", "line", "more", "allowed"), MATRIX, ids=[f"{row[0]} {row[1]} {row[2][:9]}" for row in MATRIX]
)
def test_matrix(where: str, line: str, more: str, allowed: bool) -> None:
    if line == "jump s":
        # No keyword of a proxy.
        with pytest.raises(AssertionError, match="unknown keyword 'jump'"):
            mistakes(**{where: line}, more=more)
        return
    assert (mistakes(**{where: line}, more=more) == []) is allowed


@pytest.mark.parametrize(
    ("kind", "line", "ok"),
    [
        ("request", "http-request jump t", True),
        ("response", "http-response jump t", True),
    ],
)
def test_matrix_between_sets(kind: str, line: str, ok: bool) -> None:
    same = section("s", line, kind=kind) + section("t", kind=kind)
    assert (mistakes(more=same) == []) is ok
    other = section("s", line, kind=kind) + section("t", kind="response" if kind == "request" else "request")
    (error,) = mistakes(more=other)
    assert "cannot enter it" in error.message


RINGS = (
    (section("s", "http-request jump s"), "'s' leads back to itself: s -> s"),
    (section("s", "http-request jump t") + section("t", "http-request jump s"), "leads back to itself"),
    (
        section("s", "http-request jump t")
        + section("t", f"{ADD} 1", "http-request if FALSE then jump u")
        + section("u", "http-request jump s unless TRUE"),
        "leads back to itself",
    ),
    (section("s", "http-response jump s", kind="response"), "'s' leads back to itself: s -> s"),
)


@pytest.mark.parametrize(("more", "message"), RINGS, ids=[row[0].replace("\n", "") for row in RINGS])
@pytest.mark.parametrize("entered", [False, True])
def test_rings(more: str, message: str, entered: bool) -> None:
    request = more.startswith("request")
    words = ({"front": "http-request jump s"} if request else {"back": "http-response jump s"}) if entered else {}
    errors = mistakes(**words, more=more)
    assert errors and message in errors[0].message and errors[0].line and errors[0].column


def test_two_ways_to_one_set_are_no_ring() -> None:
    more = section("s", "http-request jump u") + section("t", "http-request jump u") + section("u", f"{ADD} 1")
    assert mistakes("http-request jump s\nhttp-request jump t\nhttp-request jump u", more=more) == []


# Errors.


def test_mistakes_are_told_once_whoever_enters() -> None:
    more = section("s", "http-request nonsense", "http-request set-header A: b")
    errors = mistakes("http-request jump s", both="http-request jump s\nhttp-request jump s", more=more)
    assert [error.message for error in errors] == [
        "`http-request` has no action 'nonsense'",
        "`set-header`: 'A:' is no name of a header",
    ]


def test_mistakes_of_sets_that_nobody_enters() -> None:
    assert len(mistakes(more=section("s", "http-request nonsense") + section("t", "acl a nonsense"))) == 2


def test_unknown_names_have_a_hint() -> None:
    (error,) = mistakes("http-request jump sett", more=section("set1"))
    assert error.message == "`jump`: there is no rule set 'sett'"
    assert error.hint == "did you mean `set1`?"
    (error,) = mistakes("http-request jump")
    assert "expects the name of a rule set" in error.message


def test_a_set_sees_its_own_acls_only() -> None:
    (error,) = mistakes("acl mine path /a\nhttp-request jump s", more=section("s", f"{ADD} 2 if mine"))
    assert "mine" in error.message
    (error,) = mistakes("http-request jump s\nhttp-request deny if its", more=section("s", "acl its path /a"))
    assert "its" in error.message
