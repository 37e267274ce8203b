from __future__ import annotations

import pytest
from maniple.groups.command_words import split_commands


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("show version", [["show", "version"]]),
        ("  a  b ;c;", [["a", "b"], ["c"], []]),
        ("", [[]]),
        (r"a\;b c\ d \\", [["a;b", "c d", "\\"]]),
        ("a;;b", [["a"], [], ["b"]]),
    ],
)
def test_split(line: str, found: list[list[str]]) -> None:
    assert split_commands(line) == found
