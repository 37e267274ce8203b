"""Rules and servers of another proxy: what is taken, what is masked, what is wrong."""

from __future__ import annotations

import pytest
from maniple.core.config.dump import dump
from maniple.tests.core.config.conftest import Read

LENDER = """
backend lender
    mode http
    balance leastconn
    retries 7
    timeout server 3s
    timeout connect 4s
    acl a path /x
    http-request deny if a
    tcp-request inspect-delay 2s
    server s1 10.0.0.1:80 weight 5
    server s2 10.0.0.2:80
"""


def borrower(*lines: str) -> str:
    return LENDER + "backend b\n    mode http\n" + "".join(f"    {line}\n" for line in lines)


def test_filters(read: Read) -> None:
    found = read(
        borrower("use_filters_from lender", "timeout server 1s", "timeout connect 1s", "server own 10.0.0.9:80")
    )
    assert not found.warnings
    spec = found.proxy("b")
    assert spec.rules == found.proxy("lender").rules
    assert spec.request_inspect_delay == 2000
    assert [server.name for server in spec.servers] == ["own"]


def test_backend(read: Read) -> None:
    found = read(borrower("use_backend_from lender", "http-request allow"))
    assert not found.warnings
    spec = found.proxy("b")
    lender = found.proxy("lender")
    assert spec.servers == lender.servers
    assert (spec.balance.algorithm, spec.retries, spec.timeouts) == ("leastconn", 7, lender.timeouts)
    assert [rule.kind for rule in spec.rules] == ["http-request"]
    assert spec.name == "b"


def test_everything_masked_is_told(read: Read) -> None:
    lines = (
        "use_filters_from lender",
        "use_backend_from lender",
        "http-request allow",
        "acl mine path /",
        "tcp-request inspect-delay 9s",
        "server own 10.0.0.9:80",
        "timeout server 9s",
        "balance first",
        "retries 1",
    )
    found = read(borrower(*lines))
    assert found.warnings == [
        f"{line}:{12 if name == 'server' else 5} `{name}` is ignored: backend 'b' takes it from backend 'lender'"
        for line, name in (
            (16, "http-request"),
            (17, "acl"),
            (18, "tcp-request inspect-delay"),
            (19, "server"),
            (20, "timeout server"),
            (21, "balance"),
            (22, "retries"),
        )
    ]
    spec = found.proxy("b")
    assert len(spec.rules) == 2 and len(spec.servers) == 2 and spec.retries == 7


def test_what_means_nothing_here_is_told(read: Read) -> None:
    text = "frontend f\n  timeout client 1s\n  bind :80\n  use_filters_from l\nlisten l\n  bind :81\n  use-server s\n"
    text += "  timeout client 1s\n  tcp-request content accept\n"
    found = read(text)
    assert "4:20 `use-server` of listen 'l' means nothing in frontend 'f'" in found.warnings
    assert [rule.kind for rule in found.proxy("f").rules] == ["tcp-request content"]


WRONG = (
    ("use_filters_from nobody", "14:22 `use_filters_from`: there is no other proxy 'nobody'"),
    ("use_backend_from lendr", "14:22 `use_backend_from`: there is no backend 'lendr'"),
    ("use_backend_from b", "14:22 `use_backend_from`: there is no backend 'b'"),
    ("use_backend_from", "14:5 `use_backend_from` expects <proxy>"),
)


@pytest.mark.parametrize(("line", "expected"), WRONG)
def test_wrong(read: Read, line: str, expected: str) -> None:
    assert expected in read(borrower(line)).errors


def test_no_chains(read: Read) -> None:
    text = borrower("use_backend_from lender") + "backend c\n    use_backend_from b\n"
    assert read(text).errors == ["16:22 `use_backend_from b`: backend 'b' itself borrows from 'lender'"]


def test_a_frontend_has_no_servers_to_borrow(read: Read) -> None:
    assert read("frontend f\n  use_backend_from x\n").errors == [
        "2:3 `use_backend_from` has no place in a frontend section"
    ]


def test_dumped_as_what_it_is(read: Read) -> None:
    found = read(borrower("use_backend_from lender", "use_filters_from lender")).good
    assert dump(read(dump(found)).good) == dump(found)
