"""HAProxy itself as the oracle of differential tests: `haproxy` (the system's package) and `haproxy3` (a 3.0 build,
named by the variable HAPROXY3 or found in the user's cache)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_REPORT = re.compile(
    r"^\[(NOTICE|WARNING|ALERT)\] +\(\d+\) : config : (?:parsing )?\[[^\]]*?:(\d+)\] ?: (.*?)(?=\n\[[A-Z]+\] |\Z)",
    re.MULTILINE | re.DOTALL,
)


class Oracle:
    """One HAProxy program. It reports nothing more after about 50 errors of one file: keep batches small."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.path = folder / "case.cfg"

    def run(
        self, arguments: list[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        variables = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        return subprocess.run([self.program, *arguments], env=variables, capture_output=True, timeout=20, check=False)

    def reports(
        self, text: str, environment: Mapping[str, str] | None = None, *options: str
    ) -> dict[int, list[tuple[str, str]]]:
        """What `-c` says of a file: line -> (NOTICE, WARNING or ALERT; message)."""
        self.path.write_bytes(text.encode("utf-8", "surrogateescape"))
        result = self.run(["-c", *options, "-f", str(self.path)], environment)
        found: dict[int, list[tuple[str, str]]] = {}
        for match in _REPORT.finditer(result.stderr.decode("utf-8", "surrogateescape")):
            found.setdefault(int(match[2]), []).append((match[1], match[3].strip("\n")))
        return found

    def refused(self, text: str) -> set[int]:
        """The lines of a file that HAProxy finds wrong."""
        return {line for line, said in self.reports(text).items() if any(level == "ALERT" for level, _ in said)}

    def condition(self, expression: str, environment: Mapping[str, str] | None = None) -> int:
        """Exit code of `-cc`: 0 true, 1 false, 2 error."""
        return self.run(["-cc", expression], environment).returncode


@pytest.fixture
def haproxy(tmp_path: Path) -> Oracle:
    program = shutil.which("haproxy")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is missing: apt-get install haproxy")
        pytest.skip("haproxy is not installed")
    return Oracle(program, tmp_path)


@pytest.fixture
def haproxy3(tmp_path: Path) -> Oracle:
    named = os.environ.get("HAPROXY3")
    program = Path(named) if named else Path.home() / ".cache" / "haproxy3" / "haproxy"
    if not program.exists():
        pytest.skip("no HAProxy 3.0 (name one in HAPROXY3)")
    return Oracle(str(program), tmp_path)
