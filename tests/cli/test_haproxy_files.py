from __future__ import annotations

from pathlib import Path

import pytest
from maniple.cli import haproxy_files
from maniple.cli.haproxy_files import configuration_files, read_again
from maniple.cli.haproxy_flags import parse
from maniple.core.addresses import Address
from maniple.core.config import parser

DEFAULTS = "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n"
FRONT = "frontend f\n  bind 127.0.0.1:65111\n  default_backend b\n"
BACK = "backend b\n  server s 127.0.0.1:1\n"
OK = DEFAULTS + FRONT + BACK


def unresolvable(address: Address) -> Address:
    raise ValueError(f"cannot resolve {address.host}")


def test_unresolved_servers_are_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haproxy_files, "resolve_address", unresolvable)
    text = DEFAULTS + FRONT + BACK + "  server x nowhere.invalid:80\n  server y elsewhere.invalid:80\n"
    unresolved = haproxy_files.Unresolved()

    def resolve(address: Address) -> Address:
        return unresolved.resolve(address) if address.kind == "name" else address

    configuration, diagnostics = parser.load([("x", text)], {}, resolve_name=resolve)
    assert configuration is not None, diagnostics.render()
    assert unresolved.names == ["nowhere.invalid", "elsewhere.invalid"]
    servers = unresolved.disable(configuration).proxies[1].servers
    assert [server.disabled for server in servers] == [False, True, True]
    assert len({server.address.host for server in servers}) == 3


def test_flags_win_over_the_file() -> None:
    text = "global\n  maxconn 100\n  pidfile /run/a\n  daemon\n" + DEFAULTS + FRONT + BACK
    configuration, _ = parser.load([("x", text + "frontend g\n  bind :1\n  maxconn 7\n  default_backend b\n")], {})
    assert configuration is not None
    changed = haproxy_files.overridden(configuration, parse(["-N", "20", "-p", "/run/b", "-D"]))
    assert (changed.globals.pidfile, changed.globals.daemon) == ("/run/b", True)
    assert [proxy.maxconn for proxy in changed.proxies] == [20, None, 7]
    changed = haproxy_files.overridden(configuration, parse(["-db", "-p", "/run/b"]))
    # In the foreground there is no pid file, but for -W.
    assert (changed.globals.pidfile, changed.globals.daemon) == (None, False)
    assert [proxy.maxconn for proxy in changed.proxies] == [100, None, 7]
    assert haproxy_files.overridden(configuration, parse(["-W"])).globals.pidfile == "/run/a"


def test_files_of_folders_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    for name in ("b.cfg", "a.cfg", "B.cfg", ".hidden.cfg", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.cfg").mkdir()
    assert configuration_files([str(tmp_path)]) == [f"{tmp_path}/{name}" for name in ("B.cfg", "a.cfg", "b.cfg")]
    assert configuration_files([str(tmp_path / "c.txt")]) == [str(tmp_path / "c.txt")]
    with pytest.raises(FileNotFoundError):
        configuration_files([str(tmp_path / "none")])


def test_a_reload_reads_as_the_start_did(tmp_path: Path) -> None:
    file = tmp_path / "x.cfg"
    file.write_text(OK)
    arguments = parse(["-n", "50", "-f", str(file)])
    configuration, said = read_again(arguments, "haproxy")
    assert configuration is not None and configuration.globals.maxconn == 50 and said == ""
    file.write_text("frontend f\n  mode http\n  bind 127.0.0.1:65111\n  default_backend b\nbackend b\n  mode http\n")
    configuration, said = read_again(parse(["-dW", "-q", "-f", str(file)]), "haproxy")
    assert configuration is None
    assert "config : Some warnings were found and 'zero-warning' is set. Aborting." in said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense\n", "config : Fatal errors found in configuration."),
        (DEFAULTS + BACK, "[haproxy.main()] No enabled listener found (check for 'bind' directives) ! Exiting."),
        (None, "config : Cannot open configuration file/directory "),
    ],
)
def test_a_reload_says_what_is_wrong(tmp_path: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (tmp_path / "x.cfg").write_text(text)
    configuration, said = read_again(parse(["-f", str(tmp_path / "x.cfg")]), "haproxy")
    assert configuration is None and complaint in said and "[ALERT]    (" in said
