"""Pattern files: formats, and where lines name them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.core.config.pattern_files import cut_entry, line_of, read_entries

CONTENT = b"# comment\n\n \t\nalpha one\n  beta\ttwo words \t\r\n #gamma x\nalpha again\nlast"


def test_one_column() -> None:
    assert list(read_entries(CONTENT, False)) == [
        b"alpha one",
        b"beta\ttwo words \t",
        b"#gamma x",
        b"alpha again",
        b"last",
    ]


def test_two_columns() -> None:
    assert read_entries(CONTENT, True) == {b"alpha": b"one", b"beta": b"two words", b"#gamma": b"x", b"last": b""}
    assert cut_entry(b"a \t b c ") == (b"a", b"b c")


@pytest.mark.parametrize(("key", "as_map", "line"), [(b"alpha", True, 4), (b"alpha again", False, 7), (b"x", True, 0)])
def test_lines(key: bytes, as_map: bool, line: int) -> None:
    assert line_of(CONTENT, key, as_map) == line


HEAD = "defaults d\n mode http\nfrontend f from d\n bind :80\n"


def read(lines: str, files: Mapping[str, bytes]) -> tuple[Configuration | None, list[str]]:
    def read_file(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[path]

    configuration, diagnostics = load([("a.cfg", HEAD + lines)], {}, read_file=read_file)
    return configuration, [
        f"{one.place.line}:{one.place.column} {one.message}" for one in diagnostics.errors if "file" in one.message
    ]


NAMED = [
    (" acl a path -f l1 -i -f l2 x\n", {"l1": False, "l2": False}),
    (" acl a path -m beg -M -f m1\n", {"m1": True}),
    (" acl a req.fhdr(x) lower -u 5 -n -f l1\n", {"l1": False}),
    (" acl a path -- -f l1\n", {}),
    # Patterns, but what looks like one may be a converter: read if it can be.
    (" acl a path x -f l1\n", {"l1": False}),
    (" acl a path x -f gone\n", {}),
    (" http-request deny if { path -f l1 } !{ path -M -f m1 }\n", {"l1": False, "m1": True}),
    (" http-request set-header X -f if { path /a }\n", {}),
    (" http-request set-header X %[path,map(m1)]\n", {"m1": True}),
    (" http-request set-header X %[path,lower,map_beg_int(m1,5)]-%[src,map_ip(m2)]\n", {"m1": True, "m2": True}),
    (" http-request deny if { path,map_reg(m1) -m found }\n", {"m1": True}),
    (" acl a path map(m1)\n", {"m1": True}),
    (" log-format %[path,map(m1)]\n", {"m1": True}),
    (" http-request set-header X remap(m1)\n", {}),
]


@pytest.mark.parametrize(("lines", "expected"), NAMED)
def test_named_files(lines: str, expected: dict[str, bool]) -> None:
    contents = dict.fromkeys(("l1", "l2", "m1", "m2"), b"a b\n")
    configuration, errors = read(lines, contents)
    assert configuration is not None and not errors
    assert {path: spec.as_map for path, spec in configuration.pattern_files.items()} == expected
    for spec in configuration.pattern_files.values():
        assert spec.entries == ({b"a": b"b"} if spec.as_map else {b"a b": b"a b"})


WRONG = [
    (" acl a path -f gone\n", "5:16 cannot read the file 'gone': No such file or directory"),
    (" http-request set-header X %[path,map(gone)]\n", "5:39 cannot read the file 'gone': No such file or directory"),
    (" http-request deny if { path -f gone } { src -f gone }\n", "5:33 cannot read the file 'gone'"),
    (
        " acl a path -f l1\n acl b path,map(l1) x\n",
        "6:17 'l1' is already read as a file of one column: it cannot be one of two as well",
    ),
]


@pytest.mark.parametrize(("lines", "says"), WRONG)
def test_errors_have_their_place(lines: str, says: str) -> None:
    configuration, errors = read(lines, {"l1": b"a b\n"})
    assert configuration is None and len(errors) == 1
    assert errors[0].startswith(says)


def test_rule_sets_are_looked_at() -> None:
    configuration, errors = read("request-rules r\n acl a path -f l1\n", {"l1": b"a\n"})
    assert not errors and configuration is not None and set(configuration.pattern_files) == {"l1"}


def test_repeats_are_kept_apart() -> None:
    configuration, errors = read(" http-request set-header a %[path,map(m)]\n", {"m": b"a 1\nb 2\na 3\nc 4\na 5\n"})
    assert configuration is not None and not errors
    spec = configuration.pattern_files["m"]
    assert spec.entries == {b"a": b"1", b"b": b"2", b"c": b"4"}
    assert spec.repeats == ((2, b"a", b"3"), (3, b"a", b"5"))


KINDS_OF_NAMES = [("file@m", b"a 1\n", 1), ("opt@m", b"a 1\n", 1), ("opt@none", b"", 0), ("virt@any", b"", 0)]


@pytest.mark.parametrize(("path", "content", "count"), KINDS_OF_NAMES, ids=[path for path, _, _ in KINDS_OF_NAMES])
def test_kinds_of_names(path: str, content: bytes, count: int) -> None:
    configuration, errors = read(f" http-request set-header a %[path,map({path})]\n", {"m": content})
    assert configuration is not None and not errors
    assert len(configuration.pattern_files[path].entries) == count


def test_a_file_that_must_be_there() -> None:
    assert read(" http-request set-header a %[path,map(file@none)]\n", {})[1]


def test_files_that_actions_change_are_read_as_others_use_them() -> None:
    lines = " http-request add-acl(m) x\n http-request set-map(n) a b\n http-request set-header a %[path,map(m)]\n"
    configuration, errors = read(lines, {"m": b"a 1\n", "n": b"b 2\n"})
    assert configuration is not None and not errors
    assert {path: spec.as_map for path, spec in configuration.pattern_files.items()} == {"m": True, "n": True}
