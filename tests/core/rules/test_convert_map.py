"""Converters of maps: defaults, errors, references; values are compared with HAProxy elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import CONVERTERS, Stage
from maniple.core.rules.convert_map import RESULTS, SOURCES
from maniple.core.rules.expression import compile_text
from maniple.core.rules.samples import INT, IP, STR

assert keywords.MODULES

STAGE = Stage.FRONT_REQUEST


def test_all_combinations_of_the_manual() -> None:
    for method in ("str", "beg", "sub", "dir", "dom", "end", "reg", "int", "ip"):
        for result in ("", "_int", "_ip", "_key"):
            assert f"map_{method}{result}" in CONVERTERS
    assert {"map", "map_regm"} <= set(CONVERTERS)
    assert CONVERTERS["map_ip_int"].source is IP and CONVERTERS["map_ip_int"].result is INT
    assert CONVERTERS["map_int"].source is INT and CONVERTERS["map_int"].result is STR
    assert set(SOURCES.values()) == {STR, INT, IP} and set(RESULTS) == {"str", "int", "ip", "key"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.map").write_text("a 1\nb two\n")
    (tmp_path / "r.map").write_text("^(.)(z)?$ <\\1\\2\\7\\x41\\\\>\n^..$ bad\\\n")
    return tmp_path


VALUES = [
    ("str(a),map(@a.map)", b"1"),
    ("str(c),map(@a.map)", None),
    ("str(c),map(@a.map,)", b""),
    ("str(c),map(@a.map,d)", b"d"),
    ("str(a),map_str_key(@a.map)", b"a"),
    ("str(x),map_regm(@r.map)", b"<xA\\>"),
    ("str(xy),map_regm(@r.map)", b""),
    ("str(xyz),map_regm(@r.map,d)", b"d"),
    ("str(xyz),map_regm(@r.map)", None),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: bytes | None, folder: Path, site: Any) -> None:
    run = compile_text(text.replace("@", f"{folder}/"), site, STAGE).run
    assert run(None) == expected
    assert run(None) == expected


WRONG = [
    ("str(a),map", 8, "misses its argument"),
    ("str(a),map()", 12, "cannot read the file"),
    ("str(a),map(/nonexistent)", 12, "cannot read the file '/nonexistent'"),
    ("str(a),map_str_int(@a.map)", 20, "line 2: 'two' is not an integer"),
    ("str(a),map_str_int(@a.map,x)", -1, "an integer is expected"),
    ("str(a),map_str_ip(@a.map,x)", -1, "an address is expected"),
    ("str(a),map_int(@a.map)", 16, "line 1: 'a' is not a number"),
    ("str(a),map_str_key(@a.map,x)", -1, "at most 1 argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors(text: str, column: int, says: str, folder: Path, site: Any) -> None:
    written = text.replace("@", f"{folder}/")
    with pytest.raises(ConfigError, match=says) as caught:
        compile_text(written, site, STAGE)
    assert caught.value.column == (column if column >= 0 else written.rindex("x)") + 1)
