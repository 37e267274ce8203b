"""A rig whose listen section has rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maniple.core.build_rules import install
from maniple.core.config.model import Configuration, RuleSpec
from maniple.core.config.parser import load
from maniple.tests.core.relay.rig import Rig


def rule_lines(lines: str) -> tuple[RuleSpec, ...]:
    """Lines as a listen section has them, parted by line feeds."""
    text = "listen px\n    mode http\n    timeout client 1s\n"
    text += "".join(f"    {line.strip()}\n" for line in lines.strip().split("\n"))
    configuration, said = load([("case.cfg", text)], {})
    assert configuration is not None, said.render()
    return configuration.proxies[0].rules


def ruled(make_rig: Callable[..., Rig], lines: str, **words: Any) -> Rig:
    """A rig with these rules."""
    rig = make_rig(rules=rule_lines(lines), **words)
    install(Configuration(proxies=(rig.spec,)), {"px": rig.frontend}, {"px": rig.backend}, rig.relay)
    return rig
