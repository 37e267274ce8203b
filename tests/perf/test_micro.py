"""Every line of the micro-benchmarks runs, or says what is absent."""

from __future__ import annotations

import pytest
from maniple.perf import micro
from maniple.perf.micro import PARTS, Part, Timing

ABSENT = {"rules: two conditions and an edit"}
"""Parts that the product does not have yet."""


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_part_is_timed(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro, "SECONDS", 0.0)
    monkeypatch.setattr(micro, "REPEATS", 1)
    monkeypatch.setattr(micro, "MESSAGES", 10)
    # To fill a table of a million entries takes 10 s: here all are small.
    filled = micro._filled_table
    monkeypatch.setattr(micro, "_filled_table", lambda entries: filled(1000))
    timing = micro.timed(part)
    assert (timing.us is None) == (part.name in ABSENT), timing.note
    assert timing.us is None or timing.us > 0


def test_absence_is_said() -> None:
    def absent() -> None:
        raise ImportError("no such part")

    timing = micro.timed(Part("part", absent))  # type: ignore[arg-type]
    assert timing == Timing("part", None, "absent (no such part)")
    assert "absent" in micro.line(timing)


def test_only_the_lines_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro, "SECONDS", 0.0)
    assert micro.main(["counters: 7"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
