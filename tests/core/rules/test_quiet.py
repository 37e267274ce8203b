"""Quiet steps: functions and methods say it of themselves."""

from __future__ import annotations

from maniple.core.rules.quiet import is_quiet, may_edit, quiet


def test_quiet() -> None:
    @quiet
    def one(x: object) -> None:
        pass

    class Two:
        @quiet
        def run(self, x: object) -> None:
            pass

        def other(self, x: object) -> None:
            pass

    assert is_quiet(one)
    assert is_quiet(Two().run)
    assert not is_quiet(Two().other)
    assert not is_quiet(lambda x: None)


def test_sets_that_edit() -> None:
    @quiet
    def one(x: object) -> None:
        pass

    def other(x: object) -> None:
        pass

    assert not may_edit(one) and not may_edit(other)
    assert may_edit(quiet(other, edits=True)) and is_quiet(other)
