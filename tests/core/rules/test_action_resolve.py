"""do-resolve: its words, names that are known, names that are waited for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.config.resolver_spec import ResolversSpec
from maniple.core.resolver.status import Family
from maniple.core.rules.proxy_rules import Findings, compile_proxy
from maniple.core.rules.rule_sets import RuleSets
from maniple.core.rules.ruleset import go_on
from maniple.core.rules.samples import Type
from maniple.core.rules.site import checked_site
from maniple.core.rules.verdicts import Wait
from maniple.tests.core.rules.lines import mistake, read, sent

GOOD = b"\xc0\x00\x02\x01"
SECTION = "resolvers r\n    nameserver a 127.0.0.1:1\n"
REQUEST = b"GET /a HTTP/1.1\r\nHost: WWW.Example:80\r\n\r\n"
NAME = "hdr(host),host_only"


class Asked:
    """A section in a test's hands."""

    def __init__(self) -> None:
        self.names: dict[tuple[bytes, int], bytes] = {}
        self.asked: list[tuple[bytes, int]] = []
        self.flight: Any = SimpleNamespace(status=None, addresses=(), waiting=[])

    def known(self, name: bytes, family: int) -> bytes | None:
        return self.names.get((name, family))

    def ask(self, name: bytes, family: int) -> Any:
        self.asked.append((name, family))
        return self.flight


def compiled(line: str, asked: Asked) -> Callable[[Any], Any]:
    configuration = read(f"http-request {line}\nhttp-request set-header Y z", more=SECTION)
    site = checked_site(configuration)
    assert set(site.resolvers) == {"r"} and isinstance(configuration.resolvers["r"], ResolversSpec)
    site.resolvers = {"r": asked}
    found = Findings()
    rules = compile_proxy(configuration.proxies[0], site, RuleSets({}, site, found.errors), found)
    assert not found.errors
    return rules.request.run


@pytest.mark.parametrize(
    ("argument", "family"),
    [("txn.a,r,ipv4", Family.IPV4), ("txn.a,r,ipv6", Family.IPV6), ("txn.a,r", Family.IPV6)],
)
def test_a_known_name_does_not_wait(make_scope: Any, argument: str, family: Family) -> None:
    asked = Asked()
    asked.names[b"www.example", family] = GOOD
    x = make_scope(request=REQUEST)
    assert compiled(f"do-resolve({argument}) {NAME}", asked)(x) is None
    assert x.variables == {"a": (Type.IP, GOOD)} and not asked.asked
    assert sent(x).endswith(b"y: z\r\n")


@pytest.mark.parametrize("addresses", [(GOOD, b"\0\0\0\0"), ()])
def test_others_wait(make_scope: Any, addresses: tuple[bytes, ...]) -> None:
    asked = Asked()
    x = make_scope(request=REQUEST)
    wait = compiled(f"do-resolve(txn.a,r,ipv4) {NAME} if TRUE", asked)(x)
    assert isinstance(wait, Wait) and asked.asked == [(b"www.example", Family.IPV4)]
    assert wait.started is not None and not wait.ready(x) and wait.timed_out is None
    assert wait.delay(x) == float("inf")
    wake = object()
    wait.started(wake)  # type: ignore[arg-type]
    assert asked.flight.waiting == [wake]
    asked.flight.status, asked.flight.addresses = 0, addresses
    assert wait.ready(x)
    assert x.variables == ({"a": (Type.IP, GOOD)} if addresses else None)
    assert go_on(x) is None
    assert sent(x).endswith(b"y: z\r\n")


def test_what_cannot_be_asked_for_is_left(make_scope: Any) -> None:
    asked = Asked()
    asked.flight = None
    x = make_scope(request=REQUEST)
    assert compiled(f"do-resolve(txn.a,r) {NAME}", asked)(x) is None
    assert x.variables is None
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost:\r\n\r\n")
    assert compiled("do-resolve(txn.a,r) hdr(none)", asked)(x) is None
    assert compiled("do-resolve(txn.a,r) hdr(host)", asked)(x) is None
    assert len(asked.asked) == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("do-resolve(txn.a,none) hdr(host)", "there is no resolvers 'none'"),
        ("do-resolve(txn.a) hdr(host)", "a variable and a section of resolvers are expected"),
        ("do-resolve hdr(host)", "a variable and a section of resolvers are expected"),
        ("do-resolve(txn.a,r,ipv4,x) hdr(host)", "a variable and a section of resolvers are expected"),
        ("do-resolve(txn.a,r,ipv5) hdr(host)", "unknown preference 'ipv5'"),
        ("do-resolve(a,r) hdr(host)", "'a'"),
        ("do-resolve(res.a,r) hdr(host)", "there is no response yet"),
        ("do-resolve(txn.a,r)", "expects a sample expression"),
    ],
)
def test_mistakes(line: str, text: str) -> None:
    assert text in mistake(f"http-request {line}", more=SECTION)
