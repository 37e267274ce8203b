from __future__ import annotations

import re

from maniple import __version__
from maniple.cli import version
from maniple.core.config.features import FEATURES


def test_first_line_is_read_by_scripts_that_read_haproxys() -> None:
    line = version.version_text().splitlines()[0]
    assert line.startswith("HAProxy version 3.2.0-maniple ")
    assert line.split(" ")[2] == "3.2.0-maniple"
    assert re.match(r"HAProxy version (\d+)\.(\d+)\.(\d+)\S* \d{4}/\d\d/\d\d - ", line)
    assert f"maniple {__version__}" in line


def test_status_and_system_follow() -> None:
    lines = version.version_text().splitlines()
    assert lines[1].startswith("Status: ")
    assert lines[-1].startswith("Running on: ")


def test_build_text_has_the_lines_that_test_suites_look_for() -> None:
    text = version.build_text()
    features = re.search(r"^Feature list : (.*)$", text, re.MULTILINE)
    assert features is not None
    assert {word[1:]: word[0] == "+" for word in features[1].split()} == dict(FEATURES)
    for pattern in (
        r"^  TARGET  = linux-",
        r"^Available services : ",
        r"^Default settings :$",
        r"^Total: 1 \(1 usable\), will use epoll\.$",
        r"^Built with multi-threading support \(",
    ):
        assert re.search(pattern, text, re.MULTILINE), pattern
    assert "not installed" not in text


def test_a_missing_package_is_said_to_be_missing() -> None:
    assert version._installed("no-such-package-anywhere") == "not installed"
