"""Rules in combinations that a generator draws: two frontends' worth of actions and conditions, several backends, and
requests that meet them; maniple and HAProxy agree on every head, every request that reaches a server and every line."""

from __future__ import annotations

import os
import random

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Quiet, Request, Response, Send
from maniple.tests.wire.test_rules import ask

CONDITIONS = (
    "{ path_beg /a }",
    "{ path_beg /b/ }",
    "{ path_end .gif }",
    "!{ path_end .gif }",
    "{ path_sub mid }",
    "{ hdr(x-a) one }",
    "{ hdr(x-a) -m beg t }",
    "{ hdr_cnt(x-a) ge 2 }",
    "{ hdr(x-list) b }",
    "{ req.fhdr(x-list) -m sub b,c }",
    "METH_POST",
    "METH_GET !{ query -m found }",
    "{ url_param(q) 1 2 3 }",
    "{ urlp_val(q) gt 1 }",
    "{ cook(c) -m len 2 }",
    "{ var(txn.v) -m found }",
    "{ var(txn.v) -m str one } or { var(req.w) -m int gt 2 }",
    "{ src 127.0.0.0/8 } { path_reg ^/[ab] }",
    "named",
    "!named { hdr(x-a) -m found }",
    "TRUE",
)
VALUES = (
    "plain",
    "%[path]",
    "%[hdr(x-a)]",
    '"<%[url_param(q)] %[method]>"',
    "%[var(txn.v)]",
    "%[query]",
    "%[hdr(none)]",
)
NAMES = ("X-A", "X-New", "X-List", "Accept", "Cookie")


def request_action(draw: random.Random) -> str:
    name = draw.choice(NAMES)
    value = draw.choice(VALUES)
    return draw.choice(
        (
            f"set-header {name} {value}",
            f"add-header {name} {value}",
            f"add-header {name} {value}",
            f"del-header {name}",
            "del-header x- -m beg",
            "del-header st -m end",
            f"replace-header {name} (.)(.*) {draw.choice((chr(92) + '2' + chr(92) + '1', value))}",
            f"replace-value {name} ^([a-z]).* <{chr(92)}1>",
            f"set-path {draw.choice(('/new', '/p%[path]', '/a/mid', '/b/x.gif'))}",
            f"set-query {draw.choice(('z=1', 'q=%[query]', 'q=2&z'))}",
            "set-pathq /b/new?q=3",
            f"replace-path ^(/.)(.*) {chr(92)}1/mid{chr(92)}2",
            f"replace-pathq ^(/[^?]*)(.*) {chr(92)}1.gif{chr(92)}2",
            f"replace-uri ^/a /b{chr(92)}0",
            f"set-var(txn.v) {draw.choice(('path', 'str(one)', 'hdr(x-a)', 'url_param(q)'))}",
            f"set-var(req.w) {draw.choice(('int(3)', 'path,length', 'req.hdr_cnt(x-a)'))}",
            f"set-var-fmt(txn.v) {value}",
            "unset-var(txn.v)",
            "set-nice 3",
            "set-log-level err",
        )
    )


def request_verdict(draw: random.Random) -> str:
    return draw.choice(
        (
            "deny",
            "deny deny_status 429",
            "deny status 418 hdr X-Why %[path]",
            "return status 200 content-type text/plain lf-string <%[path]>",
            "return status 404 default-errorfiles",
            "return status 503 hdr A b",
            "redirect location /else%[path] code 301",
            "redirect prefix http://other.test code 308",
            "redirect scheme https drop-query",
            "auth realm r",
            "allow",
            "allow",
        )
    )


def response_action(draw: random.Random) -> str:
    value = draw.choice(("plain", "%[status]", "%[var(txn.v)]", "%[res.hdr(x-up)]", "%[res.hdr(none)]"))
    name = draw.choice(("X-Up", "X-New", "X-Down"))
    return draw.choice(
        (
            f"set-header {name} {value}",
            f"add-header {name} {value}",
            f"del-header {name}",
            f"replace-header {name} (.*) <{chr(92)}1>",
            f"set-status {draw.choice(('404', '503 reason Why', '299'))}",
            "set-var(txn.v) status",
        )
    )


RESPONSE_CONDITIONS = ("{ status 200 }", "{ res.hdr(x-up) A }", "{ var(txn.v) -m found }", "!{ status 404 }", "TRUE")


def lines(draw: random.Random, *, front: bool) -> str:
    out = ["acl named path_beg /a /b/c", "acl named hdr_sub(x-list) b"]

    def condition() -> str:
        return draw.choice(("", "", f" {draw.choice(('if', 'unless'))} {draw.choice(CONDITIONS)}"))

    out += [f"http-request {request_action(draw)}{condition()}" for _ in range(draw.randint(4, 9))]
    for _ in range(draw.randint(0, 3)):
        rule = f"http-request {request_verdict(draw)} if {draw.choice(CONDITIONS[:-1])}"
        out.insert(draw.randint(2, len(out)), rule)
    if draw.random() < 0.3:
        out.append(f"redirect location /moved if {draw.choice(CONDITIONS[:-1])}")
    if front:
        out += [
            f"use_backend two if {draw.choice(CONDITIONS)}",
            "use_backend %[url_param(b)] if { url_param(b) -m found }",
        ]
    for keyword, count in (("http-response", 4), ("http-after-response", 2)):
        for _ in range(draw.randint(0, count)):
            check = draw.choice(("", f" if {draw.choice(RESPONSE_CONDITIONS)}"))
            out.append(f"{keyword} {response_action(draw)}{check}")
    if draw.random() < 0.4:
        which = draw.choice(("A", "B"))
        out.append(f"http-response deny if {{ res.hdr(x-up) {which} }} {{ var(txn.v) -m str one }}")
    return "".join(f"    {line}\n" for line in out)


PATHS = ("/", "/a", "/a/mid/x", "/b/c.gif", "/b/", "/img.gif", "/c/midst")
QUERIES = ("", "", "?q=1", "?q=3&z=2", "?b=three", "?b=none&q=2", "?")
FIELDS = ("X-A: one", "X-A: two", "X-List: a,b,c", "X-List: b", "Accept: text/html, */*", "Cookie: c=12; d=3", "X-Z: z")


def request(draw: random.Random) -> tuple[Send, str]:
    fields = draw.sample(FIELDS, draw.randint(0, 4))
    path = draw.choice(PATHS) + draw.choice(QUERIES)
    if draw.random() < 0.25:
        return ask(path, "POST", "|".join(fields), "hello"), "POST"
    method = draw.choice(("GET", "GET", "GET", "HEAD"))
    return ask(path, method, "|".join(fields)), method


ANSWER = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Up: A\r\nX-Down: c, d\r\n\r\nhello")
REFUSED = Send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-Up: B\r\n\r\n")
COUNT = 8


def case(number: int) -> Case:
    draw = random.Random(number)
    asked = [request(draw) for _ in range(COUNT)]
    steps = [step for send, method in asked if method != "HEAD" for step in (send, Response(method))]
    methods = tuple(method for _, method in asked if method != "HEAD")
    server = tuple(step for index in range(COUNT) for step in (Request(), ANSWER if index % 3 else REFUSED))
    whole = (
        "frontend f\n    bind {bind}\n" + lines(draw, front=True) + "    default_backend one\n"
        "backend one\n" + lines(draw, front=False) + "    server s1 {s1}\n"
        "backend two\n" + lines(draw, front=False) + "    server s2 {s2}\n"
        "backend three\n    server s3 {s3}\n"
    )
    return Case(
        f"combination {number}",
        ((*steps, Quiet(0.03), CLOSE),),
        dict.fromkeys(("s1", "s2", "s3"), (server,) * COUNT),
        whole=whole,
        methods=methods,
        lines=len(methods),
    )


CASES = tuple(case(number) for number in range(int(os.environ.get("COMBINATIONS", "30"))))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_combination(case: Case, plays: Plays) -> None:
    plays.compare(case)
