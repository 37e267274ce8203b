"""Whole files and what reading them says and gives: NAME.cfg and NAME.expected in tests/config_cases.

NAME.expected is what `maniple check` reports, and below a line of dashes the configuration as a dump where there is no
error. MANIPLE_WRITE_EXPECTED=1 writes the files anew, to be looked at before they are committed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from maniple.core.config.dump import dump
from maniple.core.config.parser import load

FOLDER = Path(__file__).parents[2] / "config_cases"
RULE = "-" * 40 + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.cfg")), ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    configuration, diagnostics = load([(path.name, path.read_text())], {})
    found = diagnostics.render()
    if configuration is not None:
        found += RULE + dump(configuration)
    expected = path.with_suffix(".expected")
    if os.environ.get("MANIPLE_WRITE_EXPECTED"):
        expected.write_text(found)
    assert found == expected.read_text()
