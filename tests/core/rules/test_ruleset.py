"""Rule sets: how lines become steps, in which order they run, and several actions of one condition (CL8)."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.ruleset import EMPTY, go_on, in_turn, runner, stepper
from maniple.core.rules.verdicts import ANSWER, JUMP, STOP, SWITCH, WAIT, Jump, Switch, Verdict
from maniple.tests.core.rules.lines import compile_lines, mistake, run_request, sent

REQUEST = b"GET /images/a HTTP/1.1\r\nHost: h\r\n\r\n"


def added(x: Any) -> list[str]:
    """Values of the lines `o: ` that rules added."""
    return [value.decode() for name, value in x.head.block.fields if name == b"o"]


def rules(*lines: str) -> str:
    return "\n".join(f"http-request {line}" for line in lines)


ORDERS: tuple[tuple[tuple[str, ...], list[str], Any], ...] = (
    (("add-header O 1", "add-header O 2"), ["1", "2"], None),
    (("add-header O 1 if FALSE", "add-header O 2 unless FALSE"), ["2"], None),
    (("add-header O 1", "allow", "add-header O 2"), ["1"], STOP),
    (("add-header O 1", "allow if FALSE", "add-header O 2"), ["1", "2"], None),
    (("deny", "add-header O 1"), [], ANSWER),
    # Conditions see what rules before them did.
    (("add-header O 1", "add-header O 2 if { hdr(o) 1 }", "add-header O 3 if { hdr_cnt(o) 2 }"), ["1", "2", "3"], None),
    # CL8.
    (("if { path_beg /images/ } then add-header O 1 ; add-header O 2",), ["1", "2"], None),
    (("unless { path_beg /images/ } then add-header O 1 ; add-header O 2",), [], None),
    (("if { path_beg /images/ } then set-path /new ; add-header O %[path]", "add-header O 3"), ["/new", "3"], None),
    (("if TRUE then add-header O 1 ; deny ; add-header O 2", "add-header O 3"), ["1"], ANSWER),
    (("if TRUE then add-header O 1 ; allow", "add-header O 3"), ["1"], STOP),
    (("if { path /images/a } METH_GET or FALSE then add-header O 1",), ["1"], None),
    (("if FALSE or { str(then) then } then add-header O then",), ["then"], None),
    (("if TRUE then add-header O a;b ; add-header O c",), ["a;b", "c"], None),
)


@pytest.mark.parametrize(("lines", "values", "kind"), ORDERS, ids=[" | ".join(row[0]) for row in ORDERS])
def test_order(make_scope: Any, lines: tuple[str, ...], values: list[str], kind: Any) -> None:
    x = make_scope(request=REQUEST)
    verdict = compile_lines(rules(*lines)).request.run(x)
    assert (verdict.kind if verdict else None) == kind
    assert added(x) == values


def test_condition_of_several_actions_is_looked_at_once(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    run_request("if { path /images/a } then set-path /x ; add-header O 1 ; add-header O 2", x)
    assert added(x) == ["1", "2"] and sent(x).startswith(b"GET /x ")


def test_choosing_a_backend_within_the_rules(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    verdict = run_request("if { path_beg /images/ } then set-header X-Pool images ; use_backend c", x)
    assert isinstance(verdict, Switch) and verdict.name(x) == b"c"


def test_what_a_set_knows_of_itself() -> None:
    found = compile_lines(rules("set-header A b if { src 10.0.0.1 }", "if TRUE then allow ; deny")).request
    assert [rule.text for rule in found.rules] == [
        "http-request set-header A b if { src 10.0.0.1 }",
        "http-request if TRUE then allow ; deny",
    ]
    assert [rule.place.line for rule in found.rules] == [8, 9]
    assert [len(rule.actions) for rule in found.rules] == [1, 2]
    assert found.needs & Needs.CONNECTION and found.simple and len(found.steps) == 2


def test_no_rules() -> None:
    assert EMPTY.run(None) is None and EMPTY.simple and not EMPTY.steps
    assert compile_lines("http-response allow").request is EMPTY


# Sets that wait.


def test_waits_in_the_midst_of_several_actions(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    found = compile_lines(
        rules("if TRUE then add-header O 1 ; pause 5ms ; add-header O 2 ; pause 5ms ; add-header O 3", "add-header O 4")
    ).request
    assert not found.simple
    seen = []
    verdict = found.run(x)
    while verdict is not None:
        assert verdict.kind is WAIT
        seen.append(added(x))
        verdict = go_on(x)
    assert seen == [["1"], ["1", "2"]]
    assert added(x) == ["1", "2", "3", "4"]
    assert x.steps is None


def test_verdict_after_a_wait_ends_the_set(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    found = compile_lines(rules("if TRUE then pause 5ms ; allow ; add-header O 1", "add-header O 2")).request
    first, second = found.run(x), go_on(x)
    assert first is not None and first.kind is WAIT
    assert second is not None and second.kind is STOP
    assert added(x) == [] and x.steps is None and go_on(x) is None


class Scope:
    """Steps that note in which order they were run."""

    def __init__(self) -> None:
        self.steps: Any = None
        self.ran: list[str] = []


def noting(name: str, verdict: Verdict | None = None) -> Any:
    def act(x: Scope) -> Verdict | None:
        x.ran.append(name)
        return verdict

    return act


def test_jumps_nest() -> None:
    wait = Verdict(WAIT, None)
    inner = Jump(None, ((None, noting("d", wait)), (None, noting("e"))))
    outer = Jump(None, ((None, noting("b")), (None, noting("c", inner)), (None, noting("f"))))
    run = stepper(((None, noting("a", outer)), (lambda x: False, noting("never")), (None, noting("g"))))
    x = Scope()
    assert run(x) is wait and x.ran == ["a", "b", "c", "d"]
    assert go_on(x) is None and "".join(x.ran) == "abcdefg" and x.steps is None


@pytest.mark.parametrize("make", [runner, stepper])
def test_both_ways_to_run_agree(make: Any) -> None:
    stop = Verdict(STOP, None)
    for tests in ((None, None, None), (lambda x: False, None, lambda x: True), (None, lambda x: False, None)):
        x = Scope()
        run = make(((tests[0], noting("a")), (tests[1], noting("b", stop)), (tests[2], noting("c"))))
        verdict = run(x)
        wanted = [name for name, test in zip("abc", tests, strict=True) if test is None or test(x)]
        if "b" in wanted:
            assert verdict is stop
            wanted = wanted[: wanted.index("b") + 1]
        else:
            assert verdict is None
        assert x.ran == wanted and x.steps is None


def test_in_turn() -> None:
    stop = Verdict(STOP, None)
    x = Scope()
    assert in_turn([noting("a"), noting("b", stop), noting("c")])(x) is stop and x.ran == ["a", "b"]
    assert in_turn([noting("d")])(x) is None


WRONG = (
    ("http-request if TRUE deny", "18 `http-request if ...` needs a `then`"),
    ("http-request if TRUE then", "26 an action is expected"),
    ("http-request if TRUE then deny ;", "26 an action is expected"),
    ("http-request if TRUE then ; deny", "31 an action is expected"),
    ("http-request if TRUE then deny ; ; allow", "38 an action is expected"),
    ("http-request if TRUE then deny if FALSE", "36 `deny`: `;` or the end is expected instead of 'if'"),
    ("http-request deny if", ""),
    ("http-request deny if nothing", "nothing"),
    ("http-request deny if { path", ""),
    ("http-request deny if later\\nacl later path /", "26 there is no ACL 'later' before this line"),
    ("http-request if later then deny\\nacl later path /", "21 there is no ACL 'later' before this line"),
    ("monitor-uri /m\\nmonitor fail if later\\nacl later path /", "21 there is no ACL 'later' before this line"),
    ("http-request deny foo if TRUE", "foo"),
    ("http-request allow if TRUE then deny", ""),
)


@pytest.mark.parametrize(("lines", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(lines: str, message: str) -> None:
    assert message in mistake(lines.replace("\\n", "\n"))


def test_acls_are_known_from_their_first_line_on(make_scope: Any) -> None:
    """Their later lines count for earlier rules, too."""
    x = make_scope(request=REQUEST)
    compile_lines("acl a path /no\nhttp-request add-header O 1 if a\nacl a path /images/a").request.run(x)
    assert added(x) == ["1"]


def test_kinds_of_jump_and_switch_are_known() -> None:
    assert (JUMP, SWITCH) == (6, 7)
