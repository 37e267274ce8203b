"""Variables of the process: values, errors with their places, once for all threads."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from maniple.core.config.parser import load
from maniple.core.rules.proxy_rules import check_rules
from maniple.core.rules.samples import INT, IP, STR, pack_ip


def found(*lines: str) -> tuple[Any, Any]:
    """The configuration of these global lines, examined, and what was found."""
    text = "global\n" + "".join(f"    {line}\n" for line in lines)
    configuration, diagnostics = load([("case.cfg", text)], {})
    assert configuration is not None, diagnostics.render()
    return configuration, check_rules(configuration)


GOOD: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("set-var proc.a str(x),upper",), {"a": (STR, b"X")}),
    (("set-var proc.a int(200)", "set-var proc.b int(5),sub(proc.a)"), {"a": (INT, 200), "b": (INT, -195)}),
    (("set-var proc.a ipv4(10.1.2.3)", "set-var proc.b var(proc.a)"), dict.fromkeys("ab", (IP, pack_ip(b"10.1.2.3")))),
    (("set-var proc.a int(5) add(3)",), {"a": (INT, 8)}),
    (("set-var proc.a int(1)", "set-var proc.a int(2)"), {"a": (INT, 2)}),
    (("set-var-fmt proc.a primary",), {"a": (STR, b"primary")}),
    (("set-var proc.a int(7)", 'set-var-fmt proc.b "<%[var(proc.a)]>%%"'), {"a": (INT, 7), "b": (STR, b"<7>%")}),
    (("set-var proc.a var(proc.none)", "set-var proc.b var(txn.none)"), {}),
    (("set-var proc.a str(x),json_query('$.y')",), {}),
]


@pytest.mark.parametrize(("lines", "values"), GOOD)
def test_values(lines: tuple[str, ...], values: dict[str, Any]) -> None:
    configuration, findings = found(*lines)
    assert not findings.errors
    assert configuration.variables == values


def test_the_manuals_identifier() -> None:
    configuration, findings = found('set-var-fmt proc.bootid "%pid|%t|%Ts"', "set-var proc.u uuid()")
    assert not findings.errors
    pattern = rb"\d+\|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\|\d+"
    kind, value = configuration.variables["bootid"]
    assert kind is STR and re.fullmatch(pattern, value) and value.startswith(b"%d|" % os.getpid())
    assert len(configuration.variables["u"][1]) == 36


WRONG: list[tuple[str, int, str]] = [
    ("set-var txn.a int(1)", 13, "variables of the process only"),
    ("set-var a int(1)", 13, "no variable's name"),
    ("set-var proc.a nonsense", 20, "nonsense"),
    ("set-var proc.a src", 20, "nothing to say here"),
    ("set-var proc.a fe_conn(f)", 20, "nothing to say here"),
    ("set-var proc.a int(1) if TRUE", 27, "one word too many"),
    ("set-var-fmt proc.a %[src]", 26, "nothing to say here"),
    ("set-var-fmt proc.a %ci", 24, "in a connection only"),
    ("set-var-fmt proc.a %zz", 24, "zz"),
]


@pytest.mark.parametrize(("line", "column", "says"), WRONG)
def test_errors(line: str, column: int, says: str) -> None:
    configuration, findings = found("set-var proc.ok int(1)", line)
    (error,) = findings.errors
    assert says in error.message and (error.file, error.line, error.column) == ("case.cfg", 3, column)
    # What is right is there all the same.
    assert configuration.variables == {"ok": (INT, 1)}


def test_limits_hold(make_site: Any) -> None:
    from maniple.core.rules.process_variables import evaluate
    from maniple.core.rules.variables import Limits

    configuration, _ = found("set-var proc.a str(abc)", "set-var proc.b str(abcdef)")
    site = make_site(limits=Limits(proc=60))
    errors: list[Any] = []
    assert evaluate(configuration.globals.variables, site, errors) == {"a": (STR, b"abc")}
    assert "no room for 'proc.b'" in errors[0].message


def test_a_fetch_that_asks_for_a_connection_is_told_what_there_is() -> None:
    (error,) = found("set-var proc.z src")[1].errors
    assert error.hint.startswith("it is worked out at the start: `env(NAME)`")
    assert error.message == "'src' has nothing to say here: there is no connection at the start"
