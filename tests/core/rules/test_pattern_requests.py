"""What a thread answers about its patterns; the lines themselves are compared in tests/wire/test_pattern_commands."""

from __future__ import annotations

import json

import pytest
from maniple.core.config.model import PatternFileSpec
from maniple.core.rules.pattern_changes import Change, write_changes
from maniple.core.rules.pattern_files import PatternFiles
from maniple.core.rules.pattern_requests import answer


@pytest.fixture
def files() -> PatternFiles:
    found = PatternFiles(
        {
            "m": PatternFileSpec("m", True, {b"/a": b"1", b"/ab": b"2"}),
            "n": PatternFileSpec("n", False, {b"10.0.0.0/8": b"10.0.0.0/8"}),
        }
    )
    for method, fold, payload in (("str", False, "str"), ("beg", False, "int"), ("str", True, "key")):
        found.file("m", True).patterns(method, fold, True, payload)
    found.file("m", True).patterns("reg", False, True, "str", "regm")
    found.file("n", False).patterns("ip", False, True, "key")
    return found


GET = [
    (
        "m",
        True,
        "/abc",
        [
            "type=str, case=sensitive, found=no",
            'type=beg, case=sensitive, found=yes, idx=tree, key="/ab", value="2", type="sint"',
            "type=str, case=insensitive, found=no",
            'type=regm, case=sensitive, found=yes, idx=list, key="/a", value="1", type="str"',
        ],
    ),
    (
        "m",
        False,
        "/A",
        [
            "type=str, case=sensitive, match=no",
            "type=beg, case=sensitive, match=no",
            'type=str, case=insensitive, match=yes, idx=list, pattern="/a"',
            "type=regm, case=sensitive, match=no",
        ],
    ),
    ("n", False, "10.9.8.7", ['type=ip, case=sensitive, match=yes, idx=tree, pattern="10.0.0.0/8"']),
    ("n", False, "no address", ["type=ip, case=sensitive, match=no"]),
    ("none", True, "x", [""]),
]


@pytest.mark.parametrize(
    ("name", "as_map", "value", "lines"), GET, ids=[f"{name} {value}" for name, _, value, _ in GET]
)
def test_get(files: PatternFiles, name: str, as_map: bool, value: str, lines: list[str]) -> None:
    assert answer(files, ["get", name, as_map, value]).split("\n") == lines


def test_uses(files: PatternFiles) -> None:
    assert json.loads(answer(files, ["uses"])) == {"m": 4, "n": 1}


def test_check(files: PatternFiles) -> None:
    assert answer(files, ["check", write_changes([Change("m", b"x", b"5")])]) == ""
    assert answer(files, ["check", write_changes([Change("m", b"x", b"y")])]) == "unable to parse 'y'."
    assert answer(files, ["check", write_changes([Change("n", b"host", b"host")])]) == (
        "'host' is not a valid IPv4 or IPv6 address."
    )
