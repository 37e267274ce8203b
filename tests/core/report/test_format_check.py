from __future__ import annotations

import pytest
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.parser import load
from maniple.core.report.format_check import format_errors, report_formats

START = """defaults
    mode http
    timeout client 1s
frontend web
    bind 127.0.0.1:1
    log stderr local0
    {line}
"""


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ('log-format "%ci %[nosuch]"', 23, "nosuch"),
        ("log-format %ci%zz", 19, "%zz"),
        ('log-format "%[path]"', 19, "path"),
        ('log-format "%[src,nosuch]"', 23, "nosuch"),
        ('error-log-format "%{+Y}ci"', 25, "+Y"),
        ('log-format-sd "[a b=%nosuch]"', 25, "%nosuch"),
        ('unique-id-format "%[nosuch]"', 25, "nosuch"),
        ("capture request header host len none", 37, "none"),
        ("capture cookie a size 5", 22, "size"),
    ],
)
def test_errors_have_the_column_in_the_line(line: str, column: int, word: str) -> None:
    configuration, said = load([("t.cfg", START.format(line=line))], {})
    assert configuration is not None, said.render()
    (error,) = format_errors(configuration)
    assert (error.file, error.line, error.column, error.word) == ("t.cfg", 7, column, word)


@pytest.mark.parametrize("line", ["option httplog", "option httplog json", 'log-format "%[src] %ci"'])
def test_nothing_is_wrong(line: str) -> None:
    configuration, _ = load([("t.cfg", START.format(line=line))], {})
    assert configuration is not None
    assert format_errors(configuration) == []


def test_what_defaults_say_wrong_is_told_once() -> None:
    text = 'defaults\n    mode http\n    log-format "%zz"\n' + "".join(
        f"frontend f{number}\n    bind 127.0.0.1:1{number}\n" for number in range(3)
    )
    configuration, _ = load([("t.cfg", text)], {})
    assert configuration is not None
    diagnostics = Diagnostics()
    report_formats(configuration, diagnostics)
    assert len(diagnostics.errors) == 1
