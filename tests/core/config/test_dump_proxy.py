"""A proxy's section; that it reads back is held by test_dump."""

from __future__ import annotations

import pytest
from maniple.core.config.dump_proxy import proxy_lines
from maniple.core.config.parser import load

CASES = {
    "frontend f\n mode http\n bind :80\n monitor-uri /m\n timeout client 61s\n default_backend b\n": [
        "bind :80",
        "monitor-uri /m",
        "timeout client 61s",
        "default_backend b",
    ],
    "frontend f\n mode http\n no option dontlognull\n option httpclose\n option forwardfor if-none\n": [
        "no option dontlognull",
        "option httpclose",
        "option forwardfor if-none",
    ],
    "frontend f\n mode http\n tcp-request inspect-delay 5s\n acl a path /x\n http-request deny if a\n": [
        "tcp-request inspect-delay 5s",
        "acl a path /x",
        "http-request deny if a",
    ],
}


@pytest.mark.parametrize("text", CASES)
def test_lines_in_their_order(text: str) -> None:
    lines = _lines_of(text + "backend b\n mode http\n")
    places = [lines.index(one) for one in CASES[text]]
    assert places == sorted(places)
    assert not {"retries 3", "balance roundrobin"} & set(lines), "a frontend has no words of backends"


def test_a_backend_spells_out_what_is_in_force() -> None:
    lines = _lines_of("backend b\n mode http\n server a 10.0.0.1:80 weight 5\n")
    assert {"mode http", "balance roundrobin", "retries 3", "http-reuse safe"} <= set(lines)
    assert lines[-1].startswith("server a 10.0.0.1:80 id 1 weight 5")


def test_rules_that_see_acls_of_a_defaults_section_stand_there() -> None:
    lines = _lines_of(
        "defaults d\n mode http\n acl a path /x\n http-request deny if a\nfrontend f from d\n"
        " http-request deny status 500 if TRUE\n"
    )
    assert [one for one in lines if one.startswith("http-request")] == ["http-request deny status 500 if TRUE"]


def _lines_of(text: str) -> list[str]:
    """Of the first proxy."""
    configuration, diagnostics = load([("x.cfg", text)], {})
    assert configuration is not None, diagnostics.render()
    return list(proxy_lines(configuration.proxies[0]))
