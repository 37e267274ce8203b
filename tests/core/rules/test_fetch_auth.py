"""Who a client says it is, and whether a userlist agrees; compared with HAProxy."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maniple.core.rules.verdicts import Answer
from maniple.tests.core.rules import lines, oracle
from maniple.tests.core.rules.test_condition_against_haproxy import HEAD, answers

USERS = """\
userlist staff
    group admin users ann,bob
    group web users bob
    group none
    user ann password $1$abcdefgh$IQtUouv7y7Q9dRWkQEPCc.
    user bob password $5$abcdefgh$ijtOJ//yvc/9bq1g0llFn9dB688BwBDRD90DlKKSKE1 groups dev
    user cy insecure-password p:w
    user dot password $6$abcdefgh$KQeXafAQAaOoKTevphVU215RvJdgzyfASRasIOuh12hO8u0r1bGW92ZnTmC9IjsiQ8VPiTXBiZF49dFL1U4wX/
    user eve password $9$x$
    group dev
userlist others
    user ann insecure-password other
"""

CONDITIONS = """\
http_auth(staff)
http_auth(others)
http_auth(staff) -m found
http_auth_group(staff) admin
http_auth_group(staff) web
http_auth_group(staff) web admin
http_auth_group(staff) dev
http_auth_group(staff) none
http_auth_group(staff) -i admin
http_auth_type Basic
http_auth_type -m found
http_auth_user -m found
http_auth_user ann
http_auth_bearer -m found
http_auth_bearer(authorization) -m found
http_auth_bearer(proxy-authorization) -m found
""".splitlines()


def _basic(text: str, scheme: str = "Basic") -> str:
    return f"Authorization: {scheme} {b64encode(text.encode()).decode()}"


HEADERS = (
    "X: y",
    _basic("ann:pw"),
    _basic("ann:wrong"),
    _basic("ann:other"),
    _basic("bob:pw"),
    _basic("cy:p:w"),
    _basic("cy:p"),
    _basic("dot:pw"),
    _basic("eve:"),
    _basic("nobody:pw"),
    _basic("ann"),
    _basic(":pw"),
    _basic("ann:pw", "basic"),
    _basic("ann:pw", "Basic  "),
    _basic("ann:pw", "Digest"),
    _basic("ann:pw") + ",x",
    _basic("ann:pw") + " x",
    _basic("ann:pw").rstrip("="),
    "Authorization: Basic",
    "Authorization: Basic !!!!",
    "Authorization: Bearer abc",
    "Authorization: bearer  a b",
    "Authorization: " + _basic("ann:pw")[15:] + "\r\nAuthorization: " + _basic("bob:pw")[15:],
    "Authorization: Basic " + b64encode(b"ann\0x:pw").decode(),
    "Proxy-" + _basic("ann:pw"),
    "Proxy-" + _basic("ann:pw") + "\r\n" + _basic("bob:pw"),
)
REQUESTS = [
    f"{start}\r\nHost: h.test\r\n{header}\r\n\r\n".encode()
    for header in HEADERS
    for start in ("GET / HTTP/1.1", "GET http://h.test/ HTTP/1.1")
]


def _rules() -> list[str]:
    found = ["http-request set-var(txn.r) str(r)"]
    for text in CONDITIONS:
        for digit, word in (("1", "if"), ("0", "unless")):
            found.append(f"http-request set-var(txn.r) var(txn.r),concat({digit}) {word} {{ {text} }}")
    found.append('http-request return status 200 hdr x-result "%[var(txn.r)]"')
    return found


@pytest.fixture(scope="module")
def digits(make_scope: Callable[..., Any]) -> list[str]:
    """Ours, for each request."""
    rules = lines.compile_lines("\n".join(_rules()), more=USERS)
    found = []
    for request in REQUESTS:
        x = make_scope(request=request)
        verdict = rules.request.run(x)
        assert isinstance(verdict, Answer) and verdict.render is not None
        match = re.search(rb"x-result: r([01]*)", verdict.render(x))
        assert match is not None
        found.append(match[1].decode())
    return found


def test_as_haproxy(digits: list[str], tmp_path: Path) -> None:
    program, _ = oracle.find_haproxy()
    theirs = answers(program, USERS + HEAD + "".join(f"    {line}\n" for line in _rules()), REQUESTS, tmp_path)
    wrong = [
        f"{request!r}: {condition}: HAProxy {their}, we {our}"
        for request, row, own in zip(REQUESTS, theirs, digits, strict=True)
        for condition, their, our in zip(CONDITIONS, row, own, strict=True)
        if their != our
    ]
    assert wrong == []


@pytest.mark.parametrize("header", [_basic("ann:pw", "Bas"), _basic("ann:pw\0x")])
def test_stricter_than_haproxy(value_of: Callable[..., Any], make_scope: Callable[..., Any], header: str) -> None:
    """HAProxy takes the beginning of a scheme for the scheme, and of a password what stands before a NUL."""
    x = make_scope(request=f"GET / HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n".encode())
    assert value_of("http_auth_user", x) is None


def test_groups(digits: list[str]) -> None:
    columns = [CONDITIONS.index(f"http_auth_group(staff) {name}") for name in ("admin", "web", "dev", "none")]
    for header, expected in ((_basic("ann:pw"), "1000"), (_basic("bob:pw"), "1110"), (_basic("ann:wrong"), "0000")):
        row = digits[HEADERS.index(header) * 2]
        assert "".join(row[column] for column in columns) == expected


def test_reasons(make_scope: Callable[..., Any]) -> None:
    rules = lines.compile_lines("http-request deny if { http_auth_group(staff) web dev }", more=USERS)
    condition = rules.request.rules[0].condition
    assert condition is not None
    why = condition.terms[0][0].acl.why
    request = f"GET / HTTP/1.1\r\nHost: h\r\n{_basic('bob:pw')}\r\n\r\n".encode()
    assert "dev" in why(make_scope(request=request))
    assert "no value" in why(make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))


NOTHING_ELSE = "'http_auth_group' is compared with groups of its userlist, and with nothing else"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("http-request deny if { http_auth_group(staff) nosuch }", "51 userlist 'staff' has no group 'nosuch'"),
        ("http-request deny if { http_auth_group(staff) lower admin }", "51 userlist 'staff' has no group 'lower'"),
        ("http-request deny if { http_auth_group(staff) -i ADMIN }", "54 userlist 'staff' has no group 'ADMIN'"),
        ("http-request deny if { http_auth_group(others) }", f"28 {NOTHING_ELSE}"),
        ("http-request deny if { http_auth_group(staff) -m str admin }", f"28 {NOTHING_ELSE}"),
        ("http-request deny if { http_auth_group(staff),lower admin }", f"28 {NOTHING_ELSE}"),
        (
            "http-request deny if { http_auth(stuff) }",
            "38 'http_auth': argument 1, <userlist>: there is no userlist 'stuff'",
        ),
        ("http-request deny if { http_auth }", "28 'http_auth' misses its argument <userlist>"),
    ],
)
def test_mistakes(line: str, said: str) -> None:
    assert lines.mistake(line, more=USERS) == said


def test_groups_of_files_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "groups"
    file.write_text("admin\ndev\n")
    assert lines.mistakes(f"http-request deny if {{ http_auth_group(staff) -f {file} }}", more=USERS) == []
    file.write_text("admin\nnosuch\n")
    (error,) = lines.mistakes(f"http-request deny if {{ http_auth_group(staff) -f {file} web }}", more=USERS)
    assert error.message == f"userlist 'staff' has no group 'nosuch', which '{file}' names"
    assert error.word == str(file) and error.column
