"""Where sets of patterns are found in a configuration; HAProxy's numbers are compared in tests/wire."""

from __future__ import annotations

from pathlib import Path

import pytest
from maniple.core.rules.pattern_sources import PatternSource, pattern_sources
from maniple.tests.core.rules.lines import read

LINES = [
    ("acl a path /x /y", [("", "acl 'path'", 2)]),
    ("acl a path -i /x", [("", "acl 'path'", 1)]),
    ("acl a path -m found", [("", "acl 'path'", 0)]),
    ("acl a path -f $f /z", [("$f", "used by acl", 2), ("", "acl 'path'", 1)]),
    ("acl a path -M -f $m", [("$m", "used by map", 1), ("", "acl 'path'", 0)]),
    ("acl a path -u 7 /x", [("#7", "acl 'path'", 1)]),
    ("acl a hdr_cnt(x) gt 3 lt 1", [("", "acl 'hdr_cnt'", 2)]),
    ("acl a path,length gt 3", [("", "acl 'path'", 2)]),
    ("acl a path,map($m) -m str one", [("$m", "used by map", 1), ("", "acl 'path'", 1)]),
    ("acl a uri == /x", [("", "acl 'uri'", 1)]),
    ("http-request deny if { path /x } !{ path_beg /y /z }", [("", "acl 'path'", 1), ("", "acl 'path_beg'", 2)]),
    ("http-request deny if METH_GET or METH_GET !HTTP_1.1", [("", "acl 'method'", 2), ("", "acl 'req.ver'", 1)]),
    ("http-request set-header METH_GET %[path,map_beg($m)]", [("$m", "used by map", 1)]),
    ("http-request set-map($m) %[path] x", []),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f").write_text("/a\n/b\n")
    (tmp_path / "m").write_text("/a 1\n")
    return tmp_path


def sources(line: str, folder: Path) -> list[PatternSource]:
    return pattern_sources(read(line.replace("$", f"{folder}/")))


@pytest.mark.parametrize(("line", "found"), LINES, ids=[line for line, _ in LINES])
def test_found(folder: Path, line: str, found: list[tuple[str, str, int]]) -> None:
    sets = sources(line, folder)
    assert [one.name for one in sets] == [name.replace("$", f"{folder}/") for name, _, _ in found]
    assert [len(one.spec.entries) for one in sets] == [count for _, _, count in found]
    for one, (_, says, _) in zip(sets, found, strict=True):
        assert says in one.description and one.description.endswith("file 'case.cfg' line 8")


def test_numbers_leave_out_those_that_are_taken(folder: Path) -> None:
    lines = "acl a path -u 1 /x\nacl b path /y\nacl c path -f $f\nacl d path -f $f"
    sets = sources(lines, folder)
    assert [(one.number, one.name, one.file) for one in sets] == [
        (0, "", ""),
        (1, "#1", ""),
        (2, f"{folder}/f", f"{folder}/f"),
        (3, "", ""),
        (4, "", ""),
    ]
    assert sets[2].description == (
        f"pattern loaded from file '{folder}/f' used by acl at file 'case.cfg' line 10,"
        " by acl at file 'case.cfg' line 11"
    )
    assert (sets[2].of_acl, sets[2].of_map) == (True, False)


def test_what_is_wrong_is_left_to_the_build(folder: Path) -> None:
    assert sources("acl a path -x", folder) == []
