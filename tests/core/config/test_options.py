from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import ForwardForSpec

CLOSE = [
    (["option httpclose"], [], "close"),
    (["option http-server-close"], [], "server-close"),
    ([], [], "keep-alive"),
    (["option httpclose"], ["option http-keep-alive"], "keep-alive"),
    (["option httpclose"], ["no option httpclose"], "keep-alive"),
    (["option httpclose"], ["no option http-server-close"], "close"),
    (["option httpclose", "option http-server-close"], [], "server-close"),
    (["option http-server-close"], ["default option http-server-close"], "keep-alive"),
]
FORWARDFOR = [
    ("", ForwardForSpec()),
    ("if-none", ForwardForSpec(if_none=True)),
    ("header X-Client", ForwardForSpec("X-Client", True)),
    ("except 127.0.0.0/8 header X-C if-none", ForwardForSpec("X-C", True, "127.0.0.0/8", True)),
    ("except 192.0.2.7", ForwardForSpec(except_net="192.0.2.7/32")),
    ("except 192.0.2.7/24", ForwardForSpec(except_net="192.0.2.0/24")),
]
BAD = [
    ("option", "expects the name of an option"),
    ("option httpclos", "unknown option 'httpclos'"),
    ("option httpclose foo", "extra argument 'foo'"),
    ("option redispatch x", "an integer is expected"),
    ("option redispatch 1 2", "extra argument '2'"),
    ("option forwardfor foo", "not 'foo'"),
    ("option forwardfor header", "expects <name>"),
    ("option forwardfor header a:b", "not the name of a header"),
    ("option forwardfor except", "expects <network>"),
    ("option forwardfor except foo", "an address"),
    ("option httplog foo", "one of the words clf and json"),
    ("option tcplog foo", "the word clf only"),
    ("no option forwardfor", "`no` cannot stand before"),
    ("no option tcpka", "`no` cannot stand before"),
    ("no option httplog", "`no` cannot stand before"),
    ("option httpchk", "HAProxy keyword `option httpchk` is not supported by maniple yet"),
    ("option forceclose", "`option forceclose` was removed from HAProxy"),
]


def config(defaults: list[str], own: list[str]) -> str:
    return "\n".join(["defaults", " mode http", *(f" {x}" for x in defaults), "listen l", *(f" {x}" for x in own), ""])


@pytest.mark.parametrize(("defaults", "own", "mode"), CLOSE)
def test_close_mode(read: Any, defaults: list[str], own: list[str], mode: str) -> None:
    assert read(config(defaults, own)).proxy("l").close_mode == mode


@pytest.mark.parametrize(("words", "spec"), FORWARDFOR)
def test_forwardfor(read: Any, words: str, spec: ForwardForSpec) -> None:
    assert read(config([], [f"option forwardfor {words}"])).proxy("l").forwardfor == spec


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    errors = read(config([], [line])).errors
    assert len(errors) == 1
    assert complaint in errors[0]


@pytest.mark.parametrize(
    ("defaults", "own", "on", "off"),
    [
        (["option dontlognull"], [], {"dontlognull"}, set()),
        (["option dontlognull"], ["no option dontlognull"], set(), {"dontlognull"}),
        (["option dontlognull"], ["default option dontlognull"], set(), set()),
        (["no option abortonclose"], ["option abortonclose"], {"abortonclose"}, set()),
        ([], ["option tcpka"], {"clitcpka", "srvtcpka"}, set()),
        ([], ["option accept-invalid-http-request"], {"accept-unsafe-violations-in-http-request"}, set()),
        (
            ["option accept-unsafe-violations-in-http-response"],
            ["no option accept-invalid-http-response"],
            set(),
            {"accept-unsafe-violations-in-http-response"},
        ),
    ],
)
def test_switches(read: Any, defaults: list[str], own: list[str], on: set[str], off: set[str]) -> None:
    proxy = read(config(defaults, own)).proxy("l")
    assert (proxy.options, proxy.no_options) == (frozenset(on), frozenset(off))


@pytest.mark.parametrize(
    ("line", "value"),
    [("option redispatch", -1), ("option redispatch 3", 3), ("option redispatch 0", 0), ("no option redispatch", 0)],
)
def test_redispatch(read: Any, line: str, value: int) -> None:
    assert read(config(["option redispatch 7"], [line])).proxy("l").redispatch == value


def test_an_option_of_the_other_side_is_ignored_with_a_warning(read: Any) -> None:
    outcome = read("frontend f\n option abortonclose\nbackend b\n option dontlognull\n")
    assert [proxy.options for proxy in outcome.good.proxies] == [frozenset(), frozenset()]
    assert "2:9 `option abortonclose` has no place in a frontend section: ignored" in outcome.warnings
    assert "4:9 `option dontlognull` has no place in a backend section: ignored" in outcome.warnings


def test_each_side_takes_its_own_from_the_defaults(read: Any) -> None:
    text = "defaults\n option abortonclose\n option dontlognull\nfrontend f\nbackend b\n"
    assert [set(p.options) for p in read(text).good.proxies] == [{"dontlognull"}, {"abortonclose"}]
