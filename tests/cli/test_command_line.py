"""Flags of `maniple run` as configuration: alone, and over a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from maniple.cli.command_line import PLACE, FlagError, RunFlags, load
from maniple.core.config.model import Configuration, ProxySpec

ALONE = RunFlags(binds=[":8080"], servers=["a=127.0.0.1:1"])

FILE = """\
global
    maxconn 100
    nbthread 2
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend web
    bind 127.0.0.1:8000
    default_backend app
backend app
    default-server weight 7
    balance leastconn
    http-reuse never
    server one 127.0.0.1:1
"""


def loaded(flags: RunFlags) -> Configuration:
    configuration, diagnostics = load(flags, {})
    assert configuration is not None, diagnostics.render()
    assert not diagnostics.warnings, diagnostics.render()
    return configuration


def only(flags: RunFlags) -> ProxySpec:
    (proxy,) = loaded(flags).proxies
    return proxy


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "proxy.cfg"
    path.write_text(FILE)
    return str(path)


def test_without_a_file() -> None:
    proxy = only(ALONE)
    assert (proxy.kind, proxy.name, proxy.mode) == ("listen", "maniple", "http")
    assert proxy.binds[0].text == ":8080"
    assert proxy.binds[0].place.file == PLACE
    assert [(server.name, server.address.port_low) for server in proxy.servers] == [("a", 1)]
    assert proxy.timeouts.connect == 5000
    assert proxy.default_backend == "maniple"


def test_words_after_addresses_are_haproxys() -> None:
    flags = RunFlags(
        binds=["127.0.0.1:1 maxconn 7 name x", ":2"], servers=["a=127.0.0.1:1 weight 3 backup", "127.0.0.1:2"]
    )
    proxy = only(flags)
    assert [bind.text for bind in proxy.binds] == ["127.0.0.1:1", ":2"]
    assert (proxy.binds[0].maxconn, proxy.binds[0].name) == (7, "x")
    assert [(s.name, s.weight, s.backup) for s in proxy.servers] == [("a", 3, True), ("server2", 1, False)]


def test_every_flag_is_in_force() -> None:
    configuration = loaded(
        replace(
            ALONE,
            balance="leastconn",
            http_reuse="always",
            timeouts=["client=7s", "connect 3s"],
            nbgroup="2",
            nbthread="4",
            maxconn="500",
            lines=["option forwardfor", "no option dontlognull", "retries 1"],
            global_lines=["tune.bufsize 32768"],
            logs=["stdout", "stderr", "127.0.0.1:514", "stdout format rfc5424 daemon"],
        )
    )
    (proxy,) = configuration.proxies
    assert (proxy.balance.algorithm, proxy.http_reuse, proxy.retries) == ("leastconn", "always", 1)
    assert (proxy.timeouts.client, proxy.timeouts.connect, proxy.timeouts.server) == (7000, 3000, 50000)
    assert proxy.forwardfor is not None
    spec = configuration.globals
    assert (spec.nbgroup, spec.nbthread, spec.maxconn, spec.tune.bufsize) == (2, 4, 500, 32768)
    assert [(log.target, log.format, log.facility) for log in proxy.logs if log.target != "udp"] == [
        ("stdout", "raw", 16),
        ("stderr", "raw", 16),
        ("stdout", "rfc5424", 3),
    ]
    assert [(log.address, log.facility) for log in proxy.logs if log.target == "udp"] == [("127.0.0.1:514", 16)]


def test_tcp_mode() -> None:
    proxy = only(replace(ALONE, mode="tcp", logs=["stdout"]))
    assert proxy.mode == "tcp"
    assert proxy.log_format is not None and "%Tw/%Tc" in proxy.log_format


def test_flags_win_over_a_file_and_add_to_it(file: str) -> None:
    configuration = loaded(
        RunFlags(
            files=[file],
            binds=["127.0.0.1:9000"],
            servers=["two=127.0.0.1:2"],
            balance="roundrobin",
            http_reuse="always",
            timeouts=["client=9s", "server=8s"],
            maxconn="50",
            nbthread="3",
            nbgroup="auto",
        )
    )
    web, app = configuration.proxies
    assert [bind.text for bind in web.binds] == ["127.0.0.1:8000", "127.0.0.1:9000"]
    assert [(server.name, server.weight, server.id) for server in app.servers] == [("one", 7, 1), ("two", 7, 2)]
    assert (app.balance.algorithm, app.http_reuse) == ("roundrobin", "always")
    assert (web.timeouts.client, app.timeouts.server) == (9000, 8000)
    # What a section takes from the global one follows from the flag too.
    assert (configuration.globals.maxconn, web.maxconn, configuration.globals.nbthread) == (50, 50, 3)


def test_a_file_alone_is_as_it_is(file: str) -> None:
    configuration = loaded(RunFlags(files=[file]))
    assert [proxy.name for proxy in configuration.proxies] == ["web", "app"]


TWO = FILE + "frontend other\n    bind 127.0.0.1:8001\n    default_backend app\n"


def test_bind_goes_to_the_frontend_that_is_named(file: str) -> None:
    Path(file).write_text(TWO)
    configuration = loaded(RunFlags(files=[file], binds=["127.0.0.1:9000"], frontend="other"))
    assert [len(proxy.binds) for proxy in configuration.proxies] == [1, 0, 2]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (RunFlags(), "nothing to listen on"),
        (RunFlags(binds=[":1"]), "no server"),
        (replace(ALONE, lines=["fronted x"]), "maniple has no keyword `fronted`"),
        (replace(ALONE, lines=["option htplog"]), "did you mean `httplog`"),
        (replace(ALONE, lines=[" "]), "nothing to set"),
        (replace(ALONE, lines=["nbgroup 2"]), "use --global"),
        (replace(ALONE, global_lines=["listen x"]), "expects a line of the global section"),
    ],
)
def test_flags_that_cannot_be_used(flags: RunFlags, text: str) -> None:
    with pytest.raises(FlagError, match=text):
        load(flags, {})


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (RunFlags(binds=[":1"]), "which one\\? Say --frontend with one of: web, other"),
        (RunFlags(binds=[":1"], frontend="app"), "no such section; there are: web, other"),
        (RunFlags(servers=["a=:1"], backend="web"), "no such section; there are: app"),
    ],
)
def test_a_file_that_leaves_a_choice(file: str, flags: RunFlags, text: str) -> None:
    Path(file).write_text(TWO)
    with pytest.raises(FlagError, match=text):
        load(replace(flags, files=[file]), {})


def test_nothing_to_add_to(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("backend b\n    mode http\n    server s 127.0.0.1:1\n")
    with pytest.raises(FlagError, match="no section that it could add to"):
        load(RunFlags(files=[str(path)], binds=[":1"]), {})


def test_complaints_name_the_command_line_once(file: str) -> None:
    Path(file).write_text(FILE + "backend more\n    server s 127.0.0.1:1\n")
    configuration, diagnostics = load(RunFlags(files=[file], balance="roundrobbin"), {})
    assert configuration is None
    (error,) = diagnostics.errors
    assert error.headline().startswith(f"{PLACE}:1:9: error: ")
    assert "    balance roundrobbin\n" in diagnostics.render()


def test_a_flag_is_one_line() -> None:
    configuration, diagnostics = load(replace(ALONE, binds=[":1\nmode tcp"]), {})
    assert configuration is None
    assert diagnostics.errors[0].place.line == 1


def test_errors_of_the_file_come_first(file: str) -> None:
    Path(file).write_text("frontend f\n    bnd :1\n")
    configuration, diagnostics = load(RunFlags(files=[file], binds=[":1"], frontend="nowhere"), {})
    assert configuration is None and "did you mean `bind`" in diagnostics.render()


def test_the_environment_is_read_afresh_for_each_reading(file: str) -> None:
    Path(file).write_text(
        'global\n    presetenv PORT 8123\n    setenv SEEN "${SEEN}x"\n' + TWO.replace("8000", '"$PORT"')
    )
    configuration = loaded(RunFlags(files=[file], binds=[":1"], frontend="web"))
    assert [bind.addresses[0].port_low for bind in configuration.proxies[0].binds] == [8123, 1]
