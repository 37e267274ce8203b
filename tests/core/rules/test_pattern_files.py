"""Pattern files in use: sharing, errors with their lines, changes at run time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import PatternFileSpec, RuleWord
from maniple.core.rules import keywords
from maniple.core.rules.acl import compile_acl
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.expression import compile_text
from maniple.core.rules.pattern_files import PatternFile, PatternFiles
from maniple.core.rules.samples import pack_ip

assert keywords.MODULES


def spec(path: str, as_map: bool, **entries: bytes) -> dict[str, PatternFileSpec]:
    return {path: PatternFileSpec(path, as_map, {key.encode(): value for key, value in entries.items()})}


def test_what_the_configuration_read_is_used() -> None:
    files = PatternFiles(spec("gone.map", True, a=b"1"))
    file = files.file("gone.map", True)
    patterns = file.patterns("str", False, True, "str")
    assert patterns.found(b"a") == b"1"
    assert patterns.shared and files.file("gone.map", True).patterns("str", False, True, "str") is patterns


def test_other_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("# no\n 10.0.0.0/8\n")
    patterns = PatternFiles().patterns(str(path), "ip", False, True, False)
    assert patterns.match(bytes((10, 1, 2, 3)))


@pytest.mark.parametrize(("path", "says"), [("/nonexistent/x", "No such file"), ("a\0b", "cannot read")])
def test_files_that_are_not_there(path: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PatternFiles().file(path, False)


def test_a_file_has_one_form(tmp_path: Path) -> None:
    path = tmp_path / "both"
    path.write_text("a b\n")
    files = PatternFiles()
    assert list(files.file(str(path), True).entries) == [b"a"]
    with pytest.raises(ValueError, match="already read as a file of two columns"):
        files.file(str(path), False)


ERRORS = [
    ("1\nx\n", "int", "str", "line 2: 'x' is not a number"),
    ("a 1\nb c\n", "str", "int", "line 2: 'c' is not an integer"),
    ("\na host\n", "str", "ip", "line 2: 'host' is not an address"),
    ("# c\n[ 1\n", "reg", "str", "line 2: regular expression"),
]


@pytest.mark.parametrize(("content", "method", "payload", "says"), ERRORS)
def test_errors_have_their_line(content: str, method: str, payload: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_text(content)
    with pytest.raises(ValueError, match=says):
        PatternFiles().file(str(path), True).patterns(method, False, True, payload)


def test_line_is_left_out_where_the_file_is_gone() -> None:
    files = PatternFiles(spec("gone.map", True, a=b"x"))
    with pytest.raises(ValueError, match=r"'gone\.map': 'x' is not an integer"):
        files.file("gone.map", True).patterns("str", False, True, "int")


def test_acls_and_maps_follow_changes(tmp_path: Path, site: Any, make_scope: Any) -> None:
    path = tmp_path / "map"
    path.write_text("/a one\n/b two\n")
    stage = Stage.FRONT_REQUEST
    acls = [
        compile_acl([RuleWord(word, 1) for word in f"path {flags} -M -f {path}".split()], site, stage).test
        for flags in ("", "-i", "-m beg", "-m end", "-m sub", "-m dir", "-m dom", "-m reg")
    ]
    maps = [
        compile_text(f"path,{name}({path},none)", site, stage).run for name in ("map", "map_beg", "map_reg", "map_sub")
    ]

    def seen(text: bytes) -> tuple[list[bool], set[bytes]]:
        x = make_scope(request=b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % text)
        return [acl(x) for acl in acls], {run(x) for run in maps}

    file = site.pattern_files.files[str(path)]
    assert seen(b"/a") == ([True] * 8, {b"one"})
    assert seen(b"/c") == ([False] * 8, {b"none"})
    file.add(b"/c", b"three")
    assert seen(b"/c") == ([True] * 8, {b"three"})
    file.add(b"/c", b"other")
    assert seen(b"/c") == ([True] * 8, {b"three"})
    file.set(b"/c", b"four")
    assert seen(b"/c") == ([True] * 8, {b"four"})
    file.remove(b"/c")
    assert seen(b"/c") == ([False] * 8, {b"none"})
    file.replace({b"/d": b"five"})
    assert seen(b"/a") == ([False] * 8, {b"none"}) and seen(b"/d") == ([True] * 8, {b"five"})


def test_a_change_that_is_wrong_changes_nothing() -> None:
    file = PatternFile("m", True, {b"1": b"10"})
    texts = file.patterns("str", False, True, "str")
    numbers = file.patterns("int", False, True, "int")
    changes: tuple[Callable[[], object], ...] = (
        lambda: file.add(b"x", b"5"),
        lambda: file.add(b"2", b"y"),
        lambda: file.set(b"1", b"y"),
        lambda: file.replace({b"3": b"3", b"x": b"1"}),
    )
    for change in changes:
        with pytest.raises(ValueError, match=r"is not a|unable to parse"):
            change()
    with pytest.raises(KeyError):
        file.remove(b"2")
    with pytest.raises(KeyError):
        file.set(b"2", b"5")
    assert file.entries == {b"1": b"10"} and texts.found(b"1") == b"10" and numbers.found(1) == 10
    assert numbers.found(3) is None


def test_lists_have_no_values() -> None:
    file = PatternFile("l", False, {b"a": b"a"})
    file.add(b"b")
    assert file.entries[b"b"] == b"b"
    with pytest.raises(ValueError, match="not a map"):
        file.set(b"a", b"x")


keys = st.sampled_from([b"a", b"A", b"ab", b"B", b"b"])
changes = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "set"]), keys, st.sampled_from([b"1", b"2"])), max_size=8
)


@given(changes, keys)
def test_changes_one_by_one_are_as_if_read_at_once(listed: list[tuple[str, bytes, bytes]], value: bytes) -> None:
    uses = [
        (method, fold, True, "str") for method in ("str", "beg", "end", "sub", "reg", "meth") for fold in (False, True)
    ]
    file = PatternFile("m", True, {b"a": b"0"})
    compiled = [file.patterns(*use) for use in uses]
    for name, key, payload in listed:
        if name == "add":
            file.add(key, payload)
        elif key in file.entries:
            file.remove(key) if name == "remove" else file.set(key, payload)
    fresh = PatternFile("m", True, dict(file.entries))
    for use, patterns in zip(uses, compiled, strict=True):
        assert patterns.found(value) == fresh.patterns(*use).found(value), use


def test_addresses_follow_too() -> None:
    file = PatternFile("l", False, {b"10.0.0.0/8": b""})
    patterns = file.patterns("ip", False, True, "key")
    address = pack_ip(b"10.1.1.1")
    file.add(b"10.1.0.0/8")
    file.remove(b"10.0.0.0/8")
    assert patterns.found(address) == b"10.1.0.0/8"
    file.remove(b"10.1.0.0/8")
    assert not patterns.match(address)
