"""What a configuration sees of the environment, and how the global section alters it."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.environment import LANGUAGE_VERSION, Environment
from maniple.core.config.parser import load


def test_process_environment_is_copied() -> None:
    process = {"A": "1"}
    environment = Environment(process)
    environment.set("A", "2")
    assert process == {"A": "1"}
    assert environment["A"] == "2"


def test_variables_of_haproxy() -> None:
    environment = Environment(
        {"HAPROXY_LOCALPEER": "forged"}, files=["a.cfg", "b.cfg"], local_peer="here", workers=True
    )
    assert environment["HAPROXY_CFGFILES"] == "a.cfg;b.cfg"
    assert environment["HAPROXY_LOCALPEER"] == "here"
    assert environment["HAPROXY_MWORKER"] == "1"
    assert environment["HAPROXY_BRANCH"] == "3.2"
    assert environment["HAPROXY_STARTUP_VERSION"] == LANGUAGE_VERSION
    assert "HAPROXY_MWORKER" not in Environment({})


def test_alterations() -> None:
    environment = Environment({"A": "1", "B": "2"})
    environment.preset("A", "x")
    environment.preset("C", "3")
    assert (environment["A"], environment["C"]) == ("1", "3")
    environment.unset(["A", "unknown"])
    assert "A" not in environment
    environment.reset(["B", "unknown"])
    assert dict(environment) == {"B": "2"}
    assert len(environment) == 1


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_impossible_names(name: str) -> None:
    environment = Environment({})
    for alter in (environment.set, environment.preset):
        with pytest.raises(ValueError, match="cannot name an environment variable"):
            alter(name, "1")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("$IP:80", "10.0.0.1:80"),
        ("${IP}:80", "10.0.0.1:80"),
        ("${IP}80", "10.0.0.180"),
        ("$NOPE:80", ":80"),
        ("fd@${FD}", "fd@7"),
        ("$IP$FD", "10.0.0.17"),
    ],
)
def test_expansion_in_addresses(text: str, expanded: str) -> None:
    assert Environment({"IP": "10.0.0.1", "FD": "7"}).expand(text) == expanded


def test_variables_outside_quotes_in_addresses() -> None:
    text = (
        "global\n log $IP:$PORT local0\n"
        "listen l\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
        " bind $IP:80$FD,[::1]:$PORT\n server s ${IP}:$PORT\n"
    )
    configuration, diagnostics = load([("f.cfg", text)], {"IP": "10.0.0.1", "PORT": "99", "FD": "7"})
    assert configuration is not None, diagnostics.render()
    (proxy,) = configuration.proxies
    assert [str(address) for address in proxy.binds[0].addresses] == ["10.0.0.1:807", "[::1]:99"]
    assert str(proxy.servers[0].address) == "10.0.0.1:99"


def test_log_formats_as_haproxy_defines_them(haproxy3: Any) -> None:
    names = ["HAPROXY_TCP_LOG_FMT", "HAPROXY_HTTP_LOG_FMT", "HAPROXY_HTTPS_LOG_FMT"]
    said = haproxy3.reports("global\n" + "".join(f'.notice "${name}"\n' for name in names))
    environment = Environment({})
    assert [said[number][0][1] for number in (2, 3, 4)] == [f"'{environment[name]}'." for name in names]
