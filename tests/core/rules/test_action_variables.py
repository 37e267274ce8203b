"""Setting and forgetting variables."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.action_variables import CONDITIONS, is_empty
from maniple.core.rules.proxy_rules import check_rules
from maniple.core.rules.samples import BIN, BOOL, INT, IP, METH, STR
from maniple.core.rules.variables import Pair
from maniple.tests.core.rules.lines import (
    FRONT_LINE,
    compile_at,
    compile_lines,
    mistake,
    read,
    run_request,
    run_response,
)

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
RESPONSE = b"HTTP/1.1 404 Not Found\r\n\r\n"

SET = (
    ("set-var(txn.a) path", (STR, b"/a")),
    ("set-var(txn.a) int(5)", (INT, 5)),
    ("set-var(txn.a) bool(true)", (BOOL, True)),
    ("set-var(txn.a) src", (IP, bytes((192, 0, 2, 7)))),
    ("set-var(txn.a) method", (METH, b"GET")),
    ("set-var(txn.a) path,sha1,hex,length", (INT, 40)),
    ("set-var(txn.a) hdr(none)", None),
    ("set-var-fmt(txn.a) <%[path]>", (STR, b"</a>")),
    ("set-var-fmt(txn.a) %[hdr(none)]", (STR, b"")),
    ("set-var(txn.a,ifexists) int(1)", None),
    ("set-var(txn.a,ifset) int(1)", None),
    ("set-var(txn.a,ifnotexists) int(1)", (INT, 1)),
    ("set-var(txn.a,ifnotset,ifempty) int(1)", None),
    ("set-var(txn.a,ifempty) str()", (STR, b"")),
    ("set-var(txn.a,ifnotempty) str()", None),
    ("set-var(txn.a,ifgt) int(-1)", (INT, -1)),
)


@pytest.mark.parametrize(("line", "pair"), SET, ids=[line for line, _ in SET])
def test_set(make_scope: Any, line: str, pair: Pair | None) -> None:
    x = make_scope(request=REQUEST)
    assert run_request(line, x) is None
    assert (x.variables or {}).get("a") == pair


def test_conditions_look_at_what_is_there(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    for line, value in (
        ("set-var(txn.n) int(5)", 5),
        # Set where the old value is greater than the new one.
        ("set-var(txn.n,ifgt) int(6)", 5),
        ("set-var(txn.n,ifgt) int(5)", 5),
        ("set-var(txn.n,ifgt) int(4)", 4),
        ("set-var(txn.n,iflt) int(2)", 4),
        ("set-var(txn.n,iflt) int(7)", 7),
        ("set-var(txn.n,ifnotexists) int(9)", 7),
        ("set-var(txn.n,ifexists,iflt) int(9)", 9),
        ("unset-var(txn.m)", 9),
    ):
        run_request(line, x)
        assert x.variables["n"] == (INT, value), line
    run_request("unset-var(txn.n)", x)
    assert "n" not in x.variables


def test_scopes(make_scope: Any) -> None:
    x = make_scope(request=REQUEST, response=RESPONSE)
    lines = "\n".join(f"http-request set-var({scope}.v) str({scope})" for scope in ("proc", "sess", "txn", "req"))
    rules, site = compile_at(lines)
    assert rules.request.run(x) is None
    assert site.variables["v"] == (STR, b"proc")
    assert x.session.variables["v"] == (STR, b"sess")
    assert x.variables["v"] == (STR, b"txn")
    assert x.request_variables["v"] == (STR, b"req")
    run_response("set-var(res.v) status", x)
    assert x.response_variables["v"] == (INT, 404)


def test_kind_of_the_last_value_counts(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    run_request("set-var(txn.a) int(5)\nhttp-request set-var(txn.b) var(txn.a)\nhttp-request set-var(txn.a) path", x)
    assert x.variables == {"a": (STR, b"/a"), "b": (INT, 5)}


@pytest.mark.parametrize("kind", ["connection", "session"])
def test_before_any_request(make_scope: Any, kind: str) -> None:
    x = make_scope()
    getattr(compile_lines(f"tcp-request {kind} set-var(sess.p) src_port"), kind).run(x)
    assert x.session.variables == {"p": (INT, 40000)}


@pytest.mark.parametrize(
    ("pair", "empty"), [((STR, b""), True), ((BIN, b"x"), False), ((INT, 0), False), ((METH, b""), True)]
)
def test_empty(pair: Pair, empty: bool) -> None:
    assert is_empty(pair) is empty


@pytest.mark.parametrize("name", ["ifgt", "iflt"])
def test_what_is_no_number_is_not_compared(name: str) -> None:
    assert CONDITIONS[name]((STR, b"9"), (STR, b"1"))
    assert CONDITIONS[name]((INT, 9), (STR, b"1"))


@pytest.mark.parametrize("kind", ["connection", "session"])
@pytest.mark.parametrize("line", ["set-var(txn.a) src", "set-var-fmt(req.a,ifexists) %[src]", "unset-var(res.a)"])
def test_what_nobody_could_read_earns_a_warning(make_scope: Any, kind: str, line: str) -> None:
    """HAProxy takes such lines."""
    found = check_rules(read(f"tcp-request {kind} {line}"))
    (warning,) = found.warnings
    assert found.errors == [] and "is lost, and the line does nothing" in warning.message
    assert warning.line == FRONT_LINE and warning.hint == "use sess. or proc."
    x = make_scope()
    assert getattr(compile_lines(f"tcp-request {kind} {line}"), kind).run(x) is None
    assert not x.session.variables and not x.variables


WRONG = (
    ("http-request set-var path", "the name of a variable is expected"),
    ("http-request set-var() path", "the name of a variable is expected"),
    ("http-request set-var(a) path", "'a'"),
    ("http-request set-var(foo.a) path", "foo"),
    ("http-request set-var(txn.a,ifmaybe) path", "unknown condition 'ifmaybe'"),
    ("http-request set-var(txn.a)", "`set-var` expects a sample expression"),
    ("http-request set-var(res.a) path", "there is no response yet"),
    ("http-response set-var(req.a) status", "the request is gone"),
    ("http-request unset-var(txn.a,ifexists)", "unset-var takes a name only"),
    ("http-request set-var(txn.a) nope", "unknown fetch 'nope'"),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(line)
