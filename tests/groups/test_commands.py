from __future__ import annotations

from typing import Any

import pytest
from maniple.groups.commands import COMMANDS, LEVELS, execute, find, help_text, unknown_text
from maniple.groups.steering import Answer
from maniple.tests.groups.control_rig import FakeSteering

ASKED: list[tuple[str, tuple[Any, ...]]] = [
    ("reload", ("reload",)),
    ("upgrade", ("upgrade",)),
    ("scale 3", ("scale", 3)),
    ("set nbgroup 256", ("scale", 256)),
    ("show peers", ("show_peers",)),
    ("show peers dict pp", ("show_peers", "dict", "pp")),
    ("set server b/s state drain", ("set_server", "b", "s", "drain", None)),
    ("set server b/s weight 7", ("set_server", "b", "s", None, "7")),
    ("set server b/s weight 700%", ("set_server", "b", "s", None, "700%")),
    ("set weight b/s 50%", ("set_server", "b", "s", None, "50%")),
    ("enable server b/s", ("set_server", "b", "s", "ready", None)),
    ("disable server b/s", ("set_server", "b", "s", "maint", None)),
    ("soft-stop", ("stop", False)),
    ("hard-stop", ("stop", True)),
]
REFUSED = [
    ("scale", "A number of groups from 1 to 256 is expected."),
    ("scale 0", "A number of groups from 1 to 256 is expected."),
    ("scale 257", "A number of groups from 1 to 256 is expected."),
    ("scale ²", "A number of groups from 1 to 256 is expected."),
    ("set server", "Require 'backend/server'."),
    ("set server b", "Require 'backend/server'."),
    ("set server b/s", "usage: set server <backend>/<server> state | weight"),
    ("set server b/s state foo", "'set server <srv> state' expects 'ready', 'drain' and 'maint'."),
    ("set server b/s weight", "Require <weight> or <weight%>."),
    ("set server b/s weight 999", "Absolute weight can only be between 0 and 256 inclusive."),
    ("set server b/s weight foo", "Empty weight string empty or preceded by garbage"),
    ("set weight b/s 5x%", "Trailing garbage in weight string"),
    ("set weight b/s", "Require <weight> or <weight%>."),
    ("disable server", "Require 'backend/server'."),
    ("show status yaml", "'show status' expects nothing or 'json'."),
]


def run(text: str, level: str = "admin", steering: FakeSteering | None = None) -> tuple[list[str], bool]:
    ended: list[tuple[list[str], bool]] = []
    execute(steering or FakeSteering(), text.split(), level, Answer(lambda lines, ok: ended.append((lines, ok))))
    (answer,) = ended
    return answer


@pytest.mark.parametrize(("text", "call"), ASKED)
def test_asked(text: str, call: tuple[Any, ...]) -> None:
    steering = FakeSteering()
    assert run(text, steering=steering) == ([], True)
    assert steering.calls == [call]


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_refused(text: str, complaint: str) -> None:
    steering = FakeSteering()
    assert run(text, steering=steering) == ([complaint], False)
    assert steering.calls == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_level(command: Any) -> None:
    for level, number in LEVELS.items():
        lines, _ = run(f"{' '.join(command.words)} b/s", level)
        assert (lines == ["Permission denied"]) == (number < LEVELS[command.level])


def test_complaint_of_the_supervisor() -> None:
    steering = FakeSteering()
    steering.complaint = "group 2 did not answer"
    assert run("scale 3", steering=steering) == (["group 2 did not answer"], False)


def test_unknown() -> None:
    lines, ok = run("shew version")
    assert not ok
    assert lines[0] == "Unknown command: 'shew', but maybe one of the following ones is a better match:"
    assert any(line.startswith("  show version") for line in lines)
    assert lines[-1].startswith("  quit ")
    assert unknown_text(["qqq"], "user").startswith(
        "Unknown command: 'qqq', please enter one of the following commands only:\n"
    )
    assert "reload" not in unknown_text(["qqq"], "user")


def test_help_shows_what_the_level_may() -> None:
    assert "  reload " not in help_text("user") and "  reload " in help_text("operator")
    assert "  scale " not in help_text("operator") and "  scale " in help_text("admin")
    assert "  show proc " in help_text("user", ["show"]) and "  reload " not in help_text("admin", ["show"])


def test_show() -> None:
    assert run("show version") == (["1.2.3"], True)
    assert run("show info")[0][0] == "Name: maniple"
    assert run("show proc")[0][0].startswith("#<PID>")
    assert run("show status")[0][0].startswith("maniple 1.2.3: running, pid 100")
    assert run("show status json")[0][0].startswith('{"version":"1.2.3"')


def test_the_longer_name_wins() -> None:
    found = find(["show", "status", "json"])
    assert found is not None and found.words == ("show", "status")
    assert find(["show"]) is None
