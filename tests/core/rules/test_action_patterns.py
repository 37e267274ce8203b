"""Actions that change maps and ACLs, without groups (tests/wire/test_patterns_in_groups has those)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from maniple.core.rules.site import LiveSite
from maniple.tests.core.rules.lines import compile_at, mistake

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m").write_text("/a 1\n/b 2\n")
    (tmp_path / "l").write_text("x\ny\n")
    return tmp_path


def run(lines: str, folder: Path, make_scope: Any) -> LiveSite:
    rules, site = compile_at(lines.replace("$", f"{folder}/"))
    x = make_scope(request=REQUEST)
    assert rules.request.run(x) is None
    return site


CHANGES = [
    ("http-request set-map($m) %[path] 5", {b"/a": b"5", b"/b": b"2"}),
    ("http-request set-map($m) /c <%[path]>", {b"/a": b"1", b"/b": b"2", b"/c": b"</a>"}),
    ("http-request del-map($m) %[path]", {b"/b": b"2"}),
    ("http-request del-map($m) /none", {b"/a": b"1", b"/b": b"2"}),
    ("http-request del-acl($m) /b", {b"/a": b"1"}),
]


@pytest.mark.parametrize(("line", "entries"), CHANGES, ids=[line for line, _ in CHANGES])
def test_maps(folder: Path, make_scope: Any, line: str, entries: dict[bytes, bytes]) -> None:
    site = run(f"http-request set-header a %[path,map($m)]\n{line}", folder, make_scope)
    assert site.pattern_files.files[f"{folder}/m"].entries == entries


def test_acls(folder: Path, make_scope: Any) -> None:
    lines = "acl l path -f $l\nhttp-request add-acl($l) %[path]\nhttp-request add-acl($l) x\nhttp-request del-acl($l) y"
    site = run(lines, folder, make_scope)
    assert list(site.pattern_files.files[f"{folder}/l"].entries) == [b"x", b"/a"]


def test_the_next_rule_sees_it(folder: Path, make_scope: Any) -> None:
    lines = "http-request set-map($m) /a new\nhttp-request set-var(txn.v) path,map($m)"
    rules, _ = compile_at(lines.replace("$", f"{folder}/"))
    x = make_scope(request=REQUEST)
    rules.request.run(x)
    assert x.variables["v"][1] == b"new"


def test_what_cannot_be_an_entry_is_left_out(folder: Path, make_scope: Any) -> None:
    lines = "http-request set-header a %[path,map_str_int($m)]\nhttp-request set-map($m) /a word"
    assert run(lines, folder, make_scope).pattern_files.files[f"{folder}/m"].entries[b"/a"] == b"1"


MISTAKES = [
    ("http-request set-map /a b", "the name of a file is expected"),
    ("http-request set-map($none) /a b", "cannot read the file"),
    ("acl l path -f $l\nhttp-request set-map($l) /a b", "is not a map"),
    ("http-request add-acl($m) /a if { path,map($m) -m found }", "is a map"),
    ("http-after-response add-acl($l) /a", "no action of `http-after-response`"),
    ("http-request set-map($m) /a", "expects the value"),
]


@pytest.mark.parametrize(("line", "says"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_mistakes(folder: Path, line: str, says: str) -> None:
    assert says in mistake(line.replace("$", f"{folder}/"))
