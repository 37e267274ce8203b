"""Lines that set variables of the process are kept as they are, and written out again."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.dump import dump

TEXT = """
global
    set-var proc.a str(x),upper
    set-var-fmt proc.b "%[var(proc.a)] and %H"
    set-var proc.c int(5) add(3)
"""


def test_lines_are_kept(read: Any) -> None:
    configuration = read(TEXT).good
    lines = configuration.globals.variables
    assert [(line.kind, [word.text for word in line.words]) for line in lines] == [
        ("set-var", ["proc.a", "str(x),upper"]),
        ("set-var-fmt", ["proc.b", "%[var(proc.a)] and %H"]),
        ("set-var", ["proc.c", "int(5)", "add(3)"]),
    ]
    assert (lines[0].place.line, lines[0].words[1].column) == (2, 20)
    again = read(dump(configuration)).good.globals.variables
    assert [line.words[-1].text for line in again] == [line.words[-1].text for line in lines]


@pytest.mark.parametrize(
    ("line", "says"),
    [("set-var proc.a", "expects"), ("set-var-fmt proc.a a b", "extra argument 'b'"), ("set-var", "expects")],
)
def test_too_few_and_too_many(line: str, says: str, read: Any) -> None:
    assert any(says in error for error in read(f"global\n    {line}\n").errors)
