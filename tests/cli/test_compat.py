"""`maniple-haproxy` beside HAProxy itself: the same words and files, the same answers."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from maniple.cli import compat
from maniple.core.config.model import Configuration
from maniple.groups.supervisor import Supervisor

HAPROXY = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
HAPROXY3 = os.environ.get("HAPROXY3") or str(Path.home() / ".cache/haproxy3/haproxy")
DEFAULTS = "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n"
FRONT = "frontend f\n  bind 127.0.0.1:65111\n  default_backend b\n"
BACK = "backend b\n  server s 127.0.0.1:1\n"
OK = DEFAULTS + FRONT + BACK
FILES = {
    "ok.cfg": OK,
    "more.cfg": "backend more\n  mode http\n  timeout server 1s\n  timeout connect 1s\n  server s 127.0.0.1:1\n",
    "warn.cfg": "frontend f\n  mode http\n  bind 127.0.0.1:65111\n  default_backend b\nbackend b\n  mode http\n",
    "bad.cfg": OK.replace("  mode http\n", "  foo\n").replace("server 5s", "server zz").replace("bind", "bnd"),
    "worse.cfg": "nonsense\n",
    "empty.cfg": "",
    "peer.cfg": '.if streq("$HAPROXY_LOCALPEER",me)\n' + OK + ".else\nnonsense\n.endif\n",
    "diag.cfg": '.diag "told"\n' + OK,
    "dir/1.cfg": DEFAULTS + FRONT,
    "dir/2.cfg": BACK,
    "dir/.hidden.cfg": "nonsense\n",
    "dir/other.txt": "nonsense\n",
    "none/readme": "",
}
LINES = [
    line.replace("(nothing)", "")
    for line in (Path(__file__).parent / "haproxy_lines.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass
class Answer:
    """What a program answered, but for its version, process id and path."""

    code: int
    out: str
    alerts: list[str]
    warned: bool

    @classmethod
    def of(cls, code: int, out: str, err: str) -> Answer:
        if out.startswith("HAProxy version"):
            out = "version\n" + ("build\n" if "Feature list : " in out else "")
        alerts = re.findall(r"^\[ALERT\]    \(\d+\) : (.*)$", err, re.MULTILINE)
        if re.search(r"^Usage : ", err, re.MULTILINE):
            alerts.append("usage")
        return cls(code, out, [shape(alert) for alert in alerts], "\n[WARNING]  (" in err)


def shape(alert: str) -> str:
    """An alert without what ours words otherwise: what is wrong with a line, why a condition cannot be read."""
    place = re.match(r"config : [Pp]arsing \[[^]]*\]", alert)
    if place:
        return place[0].lower()
    if "evaluate condition" in alert:
        return alert.partition(": ")[0]
    return re.sub(r"\[[^]]*\.main\(\)\]", "[main()]", alert).strip().rstrip(".")


def ours(line: str, capfd: pytest.CaptureFixture[str]) -> Answer:
    code = compat.run(line.split(), "haproxy")
    sys.stdout.flush()
    return Answer.of(code, *capfd.readouterr())


def theirs(program: str, line: str) -> Answer:
    result = subprocess.run(
        [program, *line.split()], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
    )
    return Answer.of(result.returncode, result.stdout, result.stderr)


ONLY_NEWER = ("-S x -c -V -f ok.cfg", "-S x -f ok.cfg")
"""2.6 only warns of these."""


@pytest.mark.parametrize("line", [*LINES, *ONLY_NEWER])
def test_answers_as_haproxy(line: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if HAPROXY is None:
        message = "haproxy is not installed (apt-get install haproxy)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    newer = theirs(HAPROXY3, line) if os.access(HAPROXY3, os.X_OK) else None
    older = theirs(HAPROXY, line) if line not in ONLY_NEWER else None
    found = ours(line, capfd)  # last: -C changes our directory too
    if newer is not None:
        assert found == newer
    if older is not None:
        # 2.6 says that a file is valid even without -V.
        assert found == replace(older, out=found.out)


@pytest.mark.skipif(not os.access(HAPROXY3, os.X_OK), reason="HAProxy 3.0 is not there (HAPROXY3 names it)")
def test_the_newer_oracle_took_part(folder: Path) -> None:
    """Skips with a reason where the comparison above was with the older one only."""
    assert theirs(HAPROXY3, "-c -f ok.cfg").out == ""


def test_dumps_before_the_answer(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ours("-dC -c -V -f ok.cfg", capfd).out.startswith("defaults \n\tmode http \n")
    assert ours("-dKcfg -q -c -f ok.cfg", capfd).out.startswith("# List of registered configuration keywords:\n")
    answer = ours("-dL -c -V -f ok.cfg", capfd)
    assert answer.out.startswith("List of loaded object files:\n/") and answer.out.endswith("file is valid\n")
    assert not ours("-dL -q -c -f ok.cfg", capfd).out.startswith("List")
    assert ours("-dMhelp -f nowhere", capfd).code == 0


def test_rules_are_checked(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "rules.cfg").write_text("frontend f\n bind 127.0.0.1:0\n mode http\n http-request denny\n")
    answer = ours("-c -V -f rules.cfg", capfd)
    assert answer.code == 1 and answer.alerts[0] == "config : parsing [rules.cfg:4]"


def test_names_that_are_to_be_hidden_are_not_shown(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answer = ours("-dC1,2 -c -V -f ok.cfg", capfd)
    assert (answer.code, answer.out, len(answer.alerts)) == (1, "", 1)


def test_ctrl_c_before_anything_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_words: list[str], _program: str) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(compat, "run", interrupted)
    with pytest.raises(SystemExit) as ended:
        compat.main()
    assert ended.value.code == 130


def test_memory_limit(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, tuple[int, int]]] = []

    def set_limit(what: int, limit: tuple[int, int]) -> None:
        limits.append((what, limit))
        if limit[0] > 2**40:
            raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", set_limit)
    monkeypatch.setattr(Supervisor, "run", lambda _self: 0)
    assert compat.run(["-m", "500", "-f", "ok.cfg"], "haproxy") == 0
    assert limits == [(resource.RLIMIT_DATA, (500 * 2**20, 500 * 2**20))]
    capfd.readouterr()
    assert compat.run(["-m", "5000000", "-f", "ok.cfg"], "haproxy") == 0
    assert "Cannot fix MEM limit to 5000000 megs." in capfd.readouterr().err


def test_diagnostic_mode_lets_diag_lines_speak(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert compat.run(["-c", "-f", "diag.cfg"], "haproxy") == 0
    assert "told" not in capfd.readouterr().err
    assert compat.run(["-dD", "-c", "-f", "diag.cfg"], "haproxy") == 0
    assert "told" in capfd.readouterr().err


def test_unresolved_servers_are_an_error_without_dr(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "named.cfg").write_text(DEFAULTS + FRONT + BACK + "  server x nowhere.invalid:80\n")
    assert ours("-c -f named.cfg", capfd).code == 1
    answer = ours("-dr -c -V -f named.cfg", capfd)
    assert (answer.code, answer.out) == (0, "Warnings were found.\nConfiguration file is valid\n")


def test_maxconn_flag_holds_for_frontends_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "max.cfg").write_text("global\n  maxconn 100\n" + OK)
    served: list[Configuration] = []

    def serve(configuration: Configuration, *_: object) -> int:
        served.append(configuration)
        return 0

    monkeypatch.setattr(compat, "_serve", serve)
    assert compat.run(["-n", "50", "-f", "max.cfg"], "haproxy") == 0
    (configuration,) = served
    assert (configuration.globals.maxconn, configuration.proxies[0].maxconn) == (50, 50)


def test_old_socket_must_answer(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answer = ours("-x /nowhere -f ok.cfg", capfd)
    assert (answer.code, answer.alerts) == (1, ["Failed to get the sockets from the old process!"])


def test_directory_is_not_entered_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`maniple upgrade` executes the same command line where the first one has gone already."""
    assert compat.run(["-C", "dir", "-c", "-f", "1.cfg", "-f", "2.cfg"], "haproxy") == 0
    assert compat.run(["-C", "dir", "-c", "-f", "1.cfg"], "haproxy") == 1
    monkeypatch.setenv("MANIPLE_PREFLIGHT", "1")
    assert compat.run(["-C", "dir", "-c", "-f", "1.cfg", "-f", "2.cfg"], "haproxy") == 0


def test_master_socket_that_cannot_be_read(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answer = ours("-W -S /x,colour,red -f ok.cfg", capfd)
    assert answer.code == 1 and "config : -S /x,colour,red : unknown word 'colour'" in answer.alerts
