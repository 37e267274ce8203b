"""Lines of several kinds of section; that they read back is held by test_dump."""

from __future__ import annotations

import pytest
from maniple.core.config.dump_line import error_lines, line_of, log_line, rule_line, table_file_line
from maniple.core.config.model import ErrorFileSpec, GlobalSpec, LogSpec, Place, RuleSpec, RuleWord

NOWHERE = Place("", 0)


def test_words_are_quoted_where_they_need_it() -> None:
    assert line_of("log-tag", 5, "plain", "/a/b:c") == "log-tag 5 plain /a/b:c"
    quoted = line_of("x", "two words", 'a"b', "")
    assert quoted.count(" ") > 2 and "two words" in quoted


def test_rule_keeps_its_words() -> None:
    words = tuple(RuleWord(text, 1) for text in ("deny", "if", "{", "path", "/x", "}"))
    assert rule_line(RuleSpec(NOWHERE, "http-request", words)) == "http-request deny if { path /x }"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (LogSpec(NOWHERE, "stdout"), "log stdout local0"),
        (LogSpec(NOWHERE, "fd", "5", facility=19), "log fd@5 local3"),
        (LogSpec(NOWHERE, "file", "/x"), "log file@/x local0"),
        (LogSpec(NOWHERE, "udp", "10.0.0.1:514"), "log 10.0.0.1:514 local0"),
        (LogSpec(NOWHERE, "unix", "/dev/log"), "log unix@/dev/log local0"),
        (LogSpec(NOWHERE, "unix", "\0name"), "log abns@name local0"),
        (LogSpec(NOWHERE, "stderr", format="raw", length=99), "log stderr len 99 format raw local0"),
        (LogSpec(NOWHERE, "stderr", level=6), "log stderr local0 info"),
        (LogSpec(NOWHERE, "stderr", minlevel=2), "log stderr local0 debug crit"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_log(spec: LogSpec, text: str) -> None:
    assert log_line(spec) == text


def test_error_pages() -> None:
    pages = {503: ErrorFileSpec("file", "/x"), 404: ErrorFileSpec("302", "/y")}
    assert list(error_lines(pages)) == ["errorfile 503 /x", "errorloc302 404 /y"]


def test_table_file_and_its_interval_where_it_is_another() -> None:
    assert table_file_line(GlobalSpec(table_file="/x")) == "table-file /x"
    assert table_file_line(GlobalSpec(table_file="/x", table_file_interval=5000)) == "table-file /x interval 5s"
