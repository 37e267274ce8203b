from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from maniple.cli.main import application
from typer.testing import CliRunner

DEFAULTS = "defaults\n    mode http\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n"
CONFIGURATION = (
    DEFAULTS
    + """\
frontend web
    bind 127.0.0.1:8000 name first
    bind [::1]:8001
    http-request deny if { src 192.0.2.0/24 } { src_port 7 }
    http-request set-header X-Seen "%[dst]:%[dst_port] %[so_name]"
    default_backend app
backend app
    server s 127.0.0.1:1
"""
)
GET = "GET /a HTTP/1.1\nHost: h\n\n"

Explain = Callable[..., Result]


@pytest.fixture
def explain(tmp_path: Path) -> Explain:
    """(flags..., configuration, request, response) -> result."""

    def run(*flags: str, text: str = CONFIGURATION, request: str = GET, response: str = "") -> Result:
        (tmp_path / "p.cfg").write_text(text)
        (tmp_path / "r.http").write_text(request)
        (tmp_path / "answer.http").write_text(response)
        words = ["explain", "-f", str(tmp_path / "p.cfg"), str(tmp_path / "r.http"), *flags]
        if response:
            words += ["--response", str(tmp_path / "answer.http")]
        return CliRunner().invoke(application("explain"), words)

    return run


def test_forwarded(explain: Explain) -> None:
    result = explain()
    assert result.exit_code == 0, result.output
    assert "Forwarded to backend app (default_backend), balance roundrobin" in result.stdout
    assert "  x-seen: 127.0.0.1:8000 first\n" in result.stdout
    assert "no --source is given" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100 and "\033" not in result.stdout


def test_answered(explain: Explain) -> None:
    result = explain("--source", "192.0.2.5:7")
    assert result.exit_code == 1
    assert "Answered by maniple: 403 (p.cfg:9)" in result.stdout
    assert "--source" not in result.stdout
    assert explain("--source", "192.0.2.5").exit_code == 0


def test_json(explain: Explain) -> None:
    result = explain("--json", response="HTTP/1.1 200 OK\nContent-Length: 0\n\n")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["ending"]["kind"] == "forwarded" and found["returned"][0] == "HTTP/1.1 200 OK"
    assert found["passes"][0]["rules"][0]["condition"]["holds"] is False


def test_standard_input(tmp_path: Path) -> None:
    (tmp_path / "p.cfg").write_text(CONFIGURATION)
    result = CliRunner().invoke(application("explain"), ["explain", "-f", str(tmp_path / "p.cfg"), "-"], input=GET)
    assert result.exit_code == 0 and "GET /a HTTP/1.1" in result.stdout


@pytest.mark.parametrize("bind", ["[::1]:8001", "::1:8001", ":8001"])
def test_bind(explain: Explain, bind: str) -> None:
    result = explain("--bind", bind)
    assert result.exit_code == 0, result.output
    assert "x-seen: ::1:8001\n" in result.stdout


def test_the_name_of_a_bind_line(explain: Explain) -> None:
    assert "bind 127.0.0.1:8000" in explain("--bind", "first").stdout


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("2001:db8::1", "from [2001:db8::1]:50000 "),
        ("[2001:db8::1]:7", "from [2001:db8::1]:7 "),
        ("unix", "from a unix socket "),
    ],
)
def test_sources(explain: Explain, source: str, shown: str) -> None:
    result = explain("--source", source)
    assert result.exit_code == 0 and shown in result.stdout


def test_several_frontends(explain: Explain) -> None:
    text = CONFIGURATION + "frontend other\n    bind 127.0.0.1:8002\n    default_backend app\n"
    result = explain(text=text)
    assert result.exit_code == 2 and "one of web, other" in result.stderr
    assert "to frontend other" in explain("--frontend", "other", text=text).stdout
    assert "to frontend other" in explain("--bind", "127.0.0.1:8002", text=text).stdout
    assert "there is no frontend 'x'" in explain("--frontend", "x", text=text).stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--bind", ":9"], "no bind line has ':9'"),
        (["--source", "nowhere"], "'nowhere' is no source"),
        (["--source", "192.0.2.1:0"], "is no source"),
    ],
)
def test_wrong_usage(explain: Explain, flags: list[str], said: str) -> None:
    result = explain(*flags)
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""


def test_files_that_are_not_there(tmp_path: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(application("explain"), ["explain", *words])

    (tmp_path / "p.cfg").write_text(CONFIGURATION)
    result = run("-f", str(tmp_path / "p.cfg"), str(tmp_path / "none.http"))
    assert result.exit_code == 2 and "No such file" in result.stderr
    result = run(str(tmp_path / "none.http"))
    assert result.exit_code == 2 and "-f FILE" in result.stderr
    assert run("-f", str(tmp_path / "none.cfg"), str(tmp_path / "p.cfg")).exit_code == 2


@pytest.mark.parametrize("line", ["http-request dny", "http-request deny if nowhere", "bnd :1"])
def test_errors_are_those_of_check(explain: Explain, tmp_path: Path, line: str) -> None:
    result = explain(text=CONFIGURATION.replace("    default_backend app\n", f"    {line}\n"))
    assert result.exit_code == 2 and result.stdout == ""
    checked = CliRunner().invoke(application("check"), ["check", "-f", str(tmp_path / "p.cfg")])
    assert checked.exit_code == 1 and checked.stdout.startswith(result.stderr)


def test_a_configuration_without_frontends(explain: Explain) -> None:
    assert explain(text=DEFAULTS).exit_code == 2


ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_examples_of_readme_and_docs_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = (ROOT / "docs" / "explain.md").read_text().split("```\n")
    configuration, request, shown = blocks[3], blocks[5], blocks[7]
    (tmp_path / "proxy.cfg").write_text(configuration)
    (tmp_path / "request.http").write_text(request)
    monkeypatch.chdir(tmp_path)
    words = ["explain", "-f", "proxy.cfg", "request.http", "--source", "203.0.113.9"]
    result = CliRunner().invoke(application("explain"), words)
    assert result.exit_code == 0 and result.stdout == shown
    assert f"$ maniple {' '.join(words)}\n{shown}" in (ROOT / "README.md").read_text()
