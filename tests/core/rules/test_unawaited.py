"""Rules over bytes that nothing waits for."""

from __future__ import annotations

import pytest
from maniple.core.rules.proxy_rules import check_rules
from maniple.tests.core.rules.lines import read

SNI = "use_backend b if { req.ssl_sni -i x }"
ACCEPT = "tcp-request content accept if { req.ssl_hello_type 1 }"
DELAY = "tcp-request inspect-delay 5s"
CASES: list[tuple[list[str], int]] = [
    ([SNI], 1),
    ([ACCEPT], 1),
    ([ACCEPT, SNI], 2),
    ([DELAY, SNI], 1),
    ([DELAY, ACCEPT, SNI], 0),
    ([ACCEPT, ACCEPT], 1),
    (["use_backend b if { req.hdr(host) x }"], 1),
    (["use_backend b if { src 10.0.0.1 }", "tcp-request content reject if { src 10.0.0.2 }"], 0),
]


@pytest.mark.parametrize(("lines", "number"), CASES)
def test_requests(lines: list[str], number: int) -> None:
    text = "\n".join(["mode tcp", *lines])
    found = check_rules(read(text)).warnings
    assert len([one for one in found if "by chance" in one.message]) == number
    assert all(one.line for one in found)


@pytest.mark.parametrize(("delay", "number"), [("", 1), ("tcp-response inspect-delay 1s", 0)])
def test_responses(delay: str, number: int) -> None:
    text = f"mode tcp\n{delay}\ntcp-response content reject if {{ res.len gt 3 }}"
    found = check_rules(read("mode tcp", back=text)).warnings
    assert len([one for one in found if "the server says" in one.message]) == number


def test_http_has_its_head() -> None:
    assert not check_rules(read("tcp-request content reject if { path /x }")).warnings
