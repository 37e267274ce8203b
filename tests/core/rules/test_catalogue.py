"""The registries."""

from __future__ import annotations

import pytest
from maniple.core.rules import catalogue
from maniple.core.rules.catalogue import BACK, CONVERTERS, FETCHES, REQUEST, Stage, converter, entries, plain_fetch
from maniple.core.rules.samples import STR


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        plain_fetch("one_x one_x", STR, REQUEST, "")(lambda x: None)
    with pytest.raises(ValueError, match="twice"):
        converter("one_y one_y", STR, STR, "")(lambda call: str)
    del FETCHES["one_x"], CONVERTERS["one_y"]


def test_stages() -> None:
    assert Stage.FRONT_CONTENT in REQUEST and Stage.SOURCE in REQUEST and Stage.LOG not in REQUEST
    assert Stage.FRONT_REQUEST not in BACK and Stage.LOG in BACK and Stage.CHECK in BACK
    assert Stage.PARSER in catalogue.ANYWHERE and Stage.PARSER not in catalogue.RUNNING


def test_every_entry_says_what_it_is() -> None:
    for entry in entries():
        assert entry.summary and not entry.summary.endswith("."), entry.name
        assert entry.usage.startswith(entry.name)
