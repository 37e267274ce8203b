"""`force-persist` and `ignore-persist`: compiled together, the first true one counts."""

from __future__ import annotations

import pytest
from maniple.core.config.parser import load
from maniple.core.rules.persist_rules import FLAGS
from maniple.core.rules.proxy_rules import Findings, compile_proxy, report_rules
from maniple.core.rules.site import checked_site
from maniple.core.session import FORCED, IGNORED

TEXT = "listen l\n mode http\n bind :1\n timeout client 1s\n"


class Asked:
    persistence = 0


CASES = [
    ("force-persist if TRUE", FORCED),
    ("ignore-persist if TRUE", IGNORED),
    ("force-persist unless TRUE", 0),
    ("ignore-persist unless FALSE\n force-persist if TRUE", IGNORED),
    ("ignore-persist if FALSE\n force-persist if TRUE\n ignore-persist if TRUE", FORCED),
]
BAD = [
    ("force-persist if nope", "nope"),
    ("ignore-persist always TRUE", "expects `if` or `unless`"),
]


@pytest.mark.parametrize(("lines", "flags"), CASES)
def test_flags(lines: str, flags: int) -> None:
    configuration, said = load([("case.cfg", f"{TEXT} {lines}\n")], {})
    assert configuration is not None, said.render()
    found = Findings()
    rules = compile_proxy(configuration.proxies[0], checked_site(configuration), None, found)
    assert not found.errors
    asked = Asked()
    rules.persist.run(asked)
    assert asked.persistence == flags


@pytest.mark.parametrize(("line", "message"), BAD)
def test_bad(line: str, message: str) -> None:
    configuration, said = load([("case.cfg", f"{TEXT} {line}\n")], {})
    assert configuration is not None, said.render()
    report_rules(configuration, said)
    assert message in said.errors[0].message
    assert said.errors[0].place.line == 5


def test_both_kinds() -> None:
    assert set(FLAGS) == {"force-persist", "ignore-persist"}
