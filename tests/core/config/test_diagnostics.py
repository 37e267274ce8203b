"""The form of a report."""

from __future__ import annotations

import pytest
from maniple.core.config.diagnostics import Diagnostic, Diagnostics
from maniple.core.config.model import Place

SOURCE = ["global", "\tmaxcon 100", "  description 'x y'", "\tbad\x1bline"]


@pytest.fixture
def diagnostics() -> Diagnostics:
    made = Diagnostics()
    made.add_source("p.cfg", SOURCE)
    return made


def test_word_is_marked_and_hint_follows(diagnostics: Diagnostics) -> None:
    diagnostics.error(Place("p.cfg", 2, 2), "unknown keyword 'maxcon'", "maxcon", "did you mean 'maxconn'?")
    assert diagnostics.render() == (
        "p.cfg:2:2: error: unknown keyword 'maxcon'\n"
        "            maxcon 100\n"
        "            ^~~~~~\n"
        "    hint: did you mean 'maxconn'?\n"
    )


def test_word_that_is_not_in_the_text_as_it_is(diagnostics: Diagnostics) -> None:
    diagnostics.warning(Place("p.cfg", 3, 15), "too long", "x y")
    assert diagnostics.render() == (
        "p.cfg:3:15: warning: too long\n"
        "      description 'x y'\n"
        "                  ^\n"
    )  # fmt: skip


def test_control_characters_are_not_sent_to_a_terminal(diagnostics: Diagnostics) -> None:
    diagnostics.error(Place("p.cfg", 4, 2), "junk")
    assert "\x1b" not in diagnostics.render()
    assert "bad?line" in diagnostics.render()


@pytest.mark.parametrize(
    ("place", "where"),
    [
        (Place("p.cfg", 1, 1), "p.cfg:1:1"),
        (Place("p.cfg", 1, 0), "p.cfg:1"),
        (Place("p.cfg", 0, 0), "p.cfg"),
        (Place("<command line>", 1, 4), "<command line>:1:4"),
    ],
)
def test_headline(place: Place, where: str) -> None:
    assert Diagnostic("notice", place, "text").headline() == f"{where}: notice: text"


def test_a_line_beyond_the_text_is_shown_without_source(diagnostics: Diagnostics) -> None:
    diagnostics.error(Place("p.cfg", 9, 1), "no such line")
    assert diagnostics.render() == "p.cfg:9:1: error: no such line\n"


def test_levels_are_told_apart(diagnostics: Diagnostics) -> None:
    place = Place("p.cfg", 1)
    diagnostics.notice(place, "a")
    diagnostics.warning(place, "b")
    diagnostics.error(place, "c")
    assert [[report.message for report in reports] for reports in (
        diagnostics.errors, diagnostics.warnings, diagnostics.notices, diagnostics
    )] == [["c"], ["b"], ["a"], ["a", "b", "c"]]  # fmt: skip
    assert len(diagnostics) == 3
    assert repr(diagnostics) == "<Diagnostics [1 errors, 1 warnings, 1 notices]>"


def test_reports_come_in_the_order_of_the_text(diagnostics: Diagnostics) -> None:
    diagnostics.add_source("q.cfg", ["x"])
    for file, line, column in (("q.cfg", 1, 1), ("p.cfg", 3, 1), ("p.cfg", 2, 9), ("p.cfg", 2, 1)):
        diagnostics.error(Place(file, line, column), "x")
    assert [(report.place.file, report.place.line, report.place.column) for report in diagnostics.in_order()] == [
        ("p.cfg", 2, 1),
        ("p.cfg", 2, 9),
        ("p.cfg", 3, 1),
        ("q.cfg", 1, 1),
    ]


def test_nothing_to_say() -> None:
    assert Diagnostics().render() == ""


def told_behind(text: str, *reports: tuple[int, str, str]) -> list[str]:
    found = Diagnostics()
    found.add_source("x", text.split("\n"))
    for line, message, word in reports:
        found.error(Place("x", line, 1), message, word)
    found.drop_consequences()
    return [one.message for one in found.errors]


def test_consequences_are_dropped() -> None:
    text = "frontend f\n use a\nbackend b\n stick-table typ ip\n server c nowhere"
    cause = (5, "unknown address", "nowhere")
    table = (4, "unknown word", "typ")
    assert told_behind(text, (2, "no backend has a server 'c'", "c"), cause) == ["unknown address"]
    assert told_behind(text, (2, "backend 's' has no server 'c'", "s/c"), cause) == ["unknown address"]
    assert told_behind(text, (2, "there is no stick table 'b'", "b"), table) == ["unknown word"], "the section's name"
    for message, word in (("there is no stick table 'ba'", "ba"), ("there is no backend 'b'", "b")):
        assert told_behind(text, (2, message, word), table) == [message, "unknown word"]
    assert told_behind(text, (2, "no backend has a server 'c'", "c")) == ["no backend has a server 'c'"]


def test_what_only_shares_a_word_with_a_mistake_is_told() -> None:
    text = "frontend web\n timeout clint 3s\n http-request deny if { path_bge /api }\n use_backend api"
    causes = (2, "unknown word", "clint"), (3, "unknown fetch", "path_bge")
    for name in ("web", "api"):
        message = f"there is no backend '{name}'"
        assert told_behind(text, *causes, (4, message, name)) == ["unknown word", "unknown fetch", message]
