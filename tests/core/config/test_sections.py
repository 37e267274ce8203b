"""The table of sections."""

from __future__ import annotations

import pytest
from maniple.core.config.environment import Environment
from maniple.core.config.parser import load
from maniple.core.config.sections import NAMED_SECTIONS, PROXY_SECTIONS, RULE_SECTIONS, SECTIONS


def test_names() -> None:
    assert len(set(SECTIONS)) == len(SECTIONS)
    assert {"global", "defaults", "listen"} < set(SECTIONS)


@pytest.mark.parametrize("kind", NAMED_SECTIONS)
def test_a_draft_knows_its_section_and_each_of_its_words_is_for_it(kind: str) -> None:
    _, table = NAMED_SECTIONS[kind]
    assert table.names() and table.names() == table.names(kind)


@pytest.mark.parametrize("kind", [*PROXY_SECTIONS, *RULE_SECTIONS, *NAMED_SECTIONS])
def test_all_but_global_and_defaults_need_a_name(kind: str) -> None:
    configuration, said = load([("a.cfg", f"{kind}\n")], Environment({}))
    assert configuration is None and [report.place.line for report in said.errors] == [1]
