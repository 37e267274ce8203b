"""Quiet steps: functions and methods say it of themselves."""

from __future__ import annotations

from maniple.core.rules.quiet import is_quiet, quiet


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
