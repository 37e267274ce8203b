from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from maniple.cli.main import application
from typer.testing import CliRunner

GOOD = """\
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:8000,127.0.0.1:8001
    default_backend b
backend b
    server s 127.0.0.1:1
    server t 127.0.0.1:2
"""
BAD = (
    GOOD.replace("bind ", "bnd ")
    .replace("server t", "servr t")
    .replace("    mode http\n", "    compression algo gzip\n")
)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(application("check"), ["check", *arguments])


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.cfg"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.cfg"
    path.write_text(BAD)
    return str(path)


def test_valid(good: str) -> None:
    result = check("-f", good)
    assert result.exit_code == 0
    assert result.stdout == "1 frontend, 1 backend, 1 bind line, 2 servers: valid\n"


def test_every_error_with_its_place_word_and_hint(bad: str) -> None:
    result = check("-f", bad)
    assert result.exit_code == 1
    errors = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert [line.removeprefix(bad).split(" ")[0] for line in errors] == [":2:5:", ":7:5:", ":11:5:"]
    assert "unknown keyword 'bnd'" in errors[1]
    assert "did you mean `bind`?" in result.stdout and "did you mean `server`?" in result.stdout
    assert "    bnd 127.0.0.1:8000" in result.stdout and "^~~" in result.stdout
    assert result.stdout.endswith("3 errors: not valid\n")


def test_haproxys_keywords_are_told_apart_from_nobodys(bad: str) -> None:
    first = next(line for line in check("-f", bad).stdout.splitlines() if ": error: " in line)
    assert "compression" in first and "HAProxy" in first and "unknown" not in first


def test_missing_file_and_missing_flag() -> None:
    result = check("-f", "/nonexistent.cfg")
    assert result.exit_code == 1
    assert result.stdout.startswith("/nonexistent.cfg: error: cannot read the file: No such file or directory\n")
    result = check()
    assert result.exit_code == 2 and "-f FILE" in result.stderr


def test_folder_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    cut = GOOD.index("\nbackend b\n") + 1
    (tmp_path / "d" / "1.cfg").write_text(GOOD[:cut])
    (tmp_path / "d" / "ignored.txt").write_text("nonsense")
    (tmp_path / "2.cfg").write_text(GOOD[cut:])
    assert check("-f", str(tmp_path / "d"), "-f", str(tmp_path / "2.cfg")).exit_code == 0


def test_dump_is_a_configuration_that_says_the_same(good: str, tmp_path: Path) -> None:
    first = check("-f", good, "--dump")
    assert first.exit_code == 0 and "server t 127.0.0.1:2" in first.stdout and first.stderr.endswith(": valid\n")
    again = tmp_path / "dump.cfg"
    again.write_text(first.stdout)
    assert check("-f", str(again), "--dump").stdout == first.stdout


def test_json(good: str, bad: str) -> None:
    found = json.loads(check("-f", bad, "--format", "json").stdout)
    assert found["valid"] is False and found["configuration"] is None
    assert [report["place"]["line"] for report in found["reports"] if report["level"] == "error"] == [2, 7, 11]
    found = json.loads(check("-f", good, "--format", "json", "--dump").stdout)
    assert found["valid"] is True and found["reports"] == []
    assert [server["name"] for server in found["configuration"]["proxies"][1]["servers"]] == ["s", "t"]


def test_keywords() -> None:
    text = check("--keywords")
    assert text.exit_code == 0 and "\nbind " in text.stdout
    rows = json.loads(check("--keywords", "--format", "json").stdout)
    states = {row["name"]: row["state"] for row in rows}
    assert states["balance"] == "in force"
    assert states["compression"] == "HAProxy's, not supported by maniple yet"
    assert {"accepted, not yet in force"} <= set(states.values())
    # The words of expressions follow.
    assert states["xxh64"] == "in force" and states["ssl_fc"] == states["compression"]
    assert "\nxxh64([<seed>]) " in text.stdout
    assert states["set-header"] == "in force" and states["send-spoe-group"] == states["compression"]
    assert "\nset-header  " in text.stdout


def test_what_is_accepted_and_not_yet_in_force_is_said(good: str) -> None:
    Path(good).write_text(GOOD.replace("127.0.0.1:2", "127.0.0.1:2 check"))
    result = check("-f", good)
    assert result.exit_code == 0
    assert "accepted, not yet in force" in result.stdout


def test_the_example_of_the_readme_is_valid(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    example = readme.partition("## A configuration")[2].split("```")[1]
    path = tmp_path / "readme.cfg"
    path.write_text(example)
    result = check("-f", str(path))
    assert result.stdout == "1 frontend, 1 backend, 1 bind line, 3 servers: valid\n"
