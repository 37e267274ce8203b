"""The commands on maps and ACLs, without groups. Their texts are held against HAProxy's in
tests/wire/test_pattern_commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from maniple.core.config.parser import load
from maniple.core.rules.pattern_changes import Change
from maniple.groups.command import Payload
from maniple.groups.commands import execute
from maniple.groups.steering import Answer
from maniple.tests.groups.control_rig import FakePatterns, FakeSteering


@pytest.fixture
def steering(tmp_path: Path) -> FakeSteering:
    (tmp_path / "m").write_text("a 1\nb 2 3\na 4\n")
    (tmp_path / "l").write_text("x\n")
    lines = (
        f"acl k path -M -f {tmp_path}/m",
        f"acl l path -f {tmp_path}/l /inline",
        "acl n path -u 9 /y",
        f"http-request deny if {{ path,map({tmp_path}/m) -m found }}",
    )
    text = "frontend f\n mode http\n bind :80\n" + "".join(f" {line}\n" for line in lines)
    configuration, said = load([("c.cfg", text)], {})
    assert configuration is not None, said.render()
    one = FakeSteering()
    one.patterns = FakePatterns(configuration)
    return one


def run(steering: FakeSteering, folder: Path, text: str, payload: str | None = None) -> list[str]:
    """The lines of the answer."""
    ended: list[list[str]] = []
    words = text.replace("$", f"{folder}/").split()
    if payload is not None:
        words.append(Payload(payload))
    execute(steering, words, "admin", Answer(lambda lines, ok: ended.append(lines)))
    (lines,) = ended
    return lines


def content(steering: FakeSteering, folder: Path, name: str, kind: str = "map") -> list[str]:
    return [line.partition(" ")[2] for line in run(steering, folder, f"show {kind} {name}")]


def test_references(steering: FakeSteering, tmp_path: Path) -> None:
    """By key all entries, by number one."""
    first, _, third = (line.split()[0] for line in run(steering, tmp_path, "show map $m"))
    assert run(steering, tmp_path, f"set map $m #{third} five") == []
    assert steering.patterns.changes == []
    assert content(steering, tmp_path, "$m") == ["a 1", "b 2 3", "a five"]
    assert run(steering, tmp_path, f"del map $m #{first}") == []
    assert [change.value for change in steering.patterns.changes] == [b"five"]
    assert content(steering, tmp_path, "$m") == ["b 2 3", "a five"]
    assert run(steering, tmp_path, f"del map $m #{first}") == ["Key not found."]
    assert run(steering, tmp_path, f"set map $m #{first} x") == ["key or pattern not found."]


def test_lists_count_uses(steering: FakeSteering, tmp_path: Path) -> None:
    steering.patterns.counts = {f"{tmp_path}/m": 5}
    (head, row) = run(steering, tmp_path, "show map")
    assert head == "# id (file) description"
    assert row.startswith(
        f"0 ({tmp_path}/m) pattern loaded from file '{tmp_path}/m' used by map at file 'c.cfg' line 4"
    )
    assert row.endswith("curr_ver=0 next_ver=0 entry_cnt=15")
    assert [line.split()[0] for line in run(steering, tmp_path, "show acl")] == ["#", "0", "1", "2", "3", "4", "9"]


def test_payloads(steering: FakeSteering, tmp_path: Path) -> None:
    assert run(steering, tmp_path, "add map $m", "k1 v1\n\n  k2\tv2 more \n") == []
    assert content(steering, tmp_path, "$m")[3:] == ["k1 v1", "k2 v2 more"]
    assert run(steering, tmp_path, "add map $m", "k3 v3\nk4\nk5 v5") == ["Missing value for key 'k4'."]
    assert content(steering, tmp_path, "$m")[5:] == ["k3 v3"]
    # The others never see one.
    assert run(steering, tmp_path, "set map $m a", "v") == [
        "'set map' expects three parameters: map identifier, key and value."
    ]


def test_patterns_of_a_line(steering: FakeSteering, tmp_path: Path) -> None:
    assert content(steering, tmp_path, "#3", "acl") == ["/inline"]
    (text,) = run(steering, tmp_path, "add acl #3 /z")
    assert "Give them a number with '-u'" in text
    assert run(steering, tmp_path, "get acl #3 /z") == [text]
    assert run(steering, tmp_path, "add acl #9 /z") == []
    assert content(steering, tmp_path, "#9", "acl") == ["/y", "/z"]
    assert steering.patterns.changes == [Change("#9", b"/z", b"/z")]


def test_what_is_no_text_comes_through(steering: FakeSteering, tmp_path: Path) -> None:
    assert run(steering, tmp_path, "add map $m \udcff \udcfe") == []
    assert steering.patterns.changes == [Change(f"{tmp_path}/m", b"\xff", b"\xfe")]
    assert content(steering, tmp_path, "$m")[3:] == ["\udcff \udcfe"]


def test_get(steering: FakeSteering, tmp_path: Path) -> None:
    steering.patterns.told = "type=str\ntype=beg"
    assert run(steering, tmp_path, "get map $m a") == ["type=str", "type=beg"]
    assert steering.patterns.questions == [["get", f"{tmp_path}/m", True, "a"]]
    steering.patterns.told = None
    assert run(steering, tmp_path, "get map $m a") == ["No group answers."]


@pytest.mark.parametrize(
    ("text", "level", "ok"),
    [("show map", "user", True), ("add map m a b", "user", False), ("clear acl", "operator", True)],
)
def test_who_may(text: str, level: str, ok: bool) -> None:
    """HAProxy lets anybody change them."""
    ended: list[list[str]] = []
    execute(FakeSteering(), text.split(), level, Answer(lambda lines, _: ended.append(lines)))
    assert (ended == [["Permission denied"]]) is not ok
