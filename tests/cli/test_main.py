from __future__ import annotations

import subprocess
import sys

import pytest
from maniple import __version__
from maniple.cli.main import COMMANDS, application
from typer.testing import CliRunner

START = "from maniple.cli.main import main; main()"


def test_version_and_help() -> None:
    result = CliRunner().invoke(application(), ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"maniple {__version__}\n")
    result = CliRunner().invoke(application(), ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(application(name), [name, "--help"])
    assert result.exit_code == 0 and f"Usage: maniple {name}" in result.stdout and "\\" not in result.stdout


def test_a_command_imports_only_itself() -> None:
    code = "import sys; sys.argv = ['maniple', 'topology']\ntry:\n    " + START.replace("; ", "\n    ")
    code += "\nexcept SystemExit: pass\nprint([m for m in sys.modules if m.startswith('maniple.perf')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout.endswith("\n[]\n")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -c '{START}' check --keywords | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout.startswith("keyword ") and result.stderr == ""


def test_unknown_command() -> None:
    result = subprocess.run([sys.executable, "-c", START, "serve"], capture_output=True, text=True, timeout=30)
    assert result.returncode == 2 and "No such command" in result.stderr
