"""Persistence cookies on the wire, as HAProxy has them: what the server gets, what the client gets, the log's letters.

The table of manual 4.2 `cookie`: each way to write the line, with each kind of cookie that a client may have."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Any

import pytest
from maniple.core.balance.cookie_dates import write_date
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Quiet, Request, Response, Script, Send

PLAIN = "ETag: x"
TARPIT = "timeout tarpit 50ms"
OWN = "Set-Cookie: X = app ; path=/q|Set-Cookie: y = 2, X=3"
SERVERS = """
server s1 {s1} cookie a
server s2 {s2} cookie b
server s3 {refusing} cookie gone disabled
server s4 {s4} cookie spare backup
server s5 {s1} cookie a
server s6 {s2} cookie gone backup
"""
CLIENTS = (
    "",
    "X=a",
    "X=b",
    "X=nobody",
    "X=gone",
    "X=spare",
    "X=",
    "y=1; X=b; z=2",
    "X=b~v; y=1",
    "X=~v",
    "X=a; X=b",
    "X=gone; X=b",
    "y=1|X=b; z=1",
    "POST X=b",
    "POST",
)
MODES = (
    "",
    "indirect",
    "insert",
    "insert indirect",
    "insert nocache",
    "insert indirect nocache postonly",
    "insert preserve",
    "insert indirect preserve",
    "insert httponly secure domain .a.b domain .c.d attr SameSite=None attr Q",
    "rewrite",
    "prefix",
    "prefix indirect",
)


def ask(cookie: str, path: str = "/") -> Send:
    """`cookie`: lines of Cookie parted by `|`, maybe with POST before them."""
    _, method, rest = cookie.rpartition("POST")
    lines = [f"Cookie: {line.strip()}" for line in rest.split("|") if line.strip()]
    if method:
        lines.append("Content-Length: 0")
    return Send("\r\n".join([f"{method or 'GET'} {path} HTTP/1.1", "Host: x.test", *lines, "", ""]).encode())


def answer(lines: str, status: str = "200 OK") -> Send:
    text = "\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *filter(None, lines.split("|")), "", ""])
    return Send(text.encode())


def asked(
    name: str,
    cookie: str,
    requests: Sequence[str | Send],
    *,
    own: str = PLAIN,
    servers: str = SERVERS,
    back: str = "",
    ours: str = "",
    **words: Any,
) -> Case:
    """One client that asks one after the other; all that get through are answered."""
    sends = [ask(item) if isinstance(item, str) else item for item in requests]
    steps: list[Any] = []
    for send in sends:
        steps += (send, Response("GET"))
    script: Script = (*steps, Quiet(0.02), CLOSE)
    served: tuple[Script, ...] = ((Request(), answer(own)) * len(sends),) * 4
    line = f"cookie X {cookie}\n" if cookie != "none" else ""
    return Case(
        name,
        (script,),
        {"s1": served, "s2": served, "s4": served},
        back=f"{line}{back}",
        servers=servers,
        lines=words.pop("logged", len(sends)),
        **words,
    )


def dated(last: int, first: int | None = None) -> str:
    now = int(time())
    text = f"X=b|{write_date(now + last).decode()}"
    return text if first is None else f"{text}|{write_date(now + first).decode()}"


DATES = (
    "X=b",
    dated(600),
    dated(-60),
    dated(-7000),
    dated(80000),
    dated(90000),
    dated(600, 600),
    dated(600, -60),
    dated(600, -90000),
    dated(600, 90000),
    "X=b|",
    "X=b|zz|",
    "X=nobody|AAAAA",
)
PATHS = [
    ask(cookie, path) for path in ("/", "/force", "/ignore", "/use") for cookie in ("", "X=b", "X=gone", "X=spare")
]
REFUSING = "server s1 {s1} cookie a\nserver s2 {s2} cookie b\nserver s3 {refusing} cookie gone weight 0"
PERSIST = "force-persist if { path /force }\nignore-persist if { path /ignore }\nuse-server s1 if { path /use }"

CASES = (
    *(asked(f"cookies: {mode or 'read only'}", mode, CLIENTS) for mode in MODES),
    *(asked(f"cookies: {mode or 'read only'}, the server's own", mode, CLIENTS, own=OWN) for mode in MODES),
    *(
        # What is inserted has a date of its own: the log tells all else.
        asked(f"cookies: {mode}, dates", mode, DATES, ignore=("client0",))
        for mode in (
            "insert",
            "insert maxidle 1h",
            "insert maxlife 1d",
            "insert indirect maxidle 1h maxlife 1d",
            "rewrite maxidle 1h",
        )
    ),
    *(
        asked(f"cookies: {mode}, server without", mode, ("", "X=a", "X=b", "X=nobody"), own=own, servers=servers)
        for mode in ("insert", "insert indirect", "rewrite", "prefix")
        for own in (PLAIN, OWN)
        for servers in ("server s1 {s1}\nserver s2 {s2} cookie b weight 0",)
        if own is PLAIN or mode != "insert"
    ),
    asked("cookies: none", "none", ("", "X=b"), back=PERSIST),
    asked("cookies: nocache", "insert nocache", ("", "X=b"), own="Cache-Control: no-store"),
    *(
        asked(f"cookies: Set-Cookie2, {mode}", mode, ("", "X=b"), own="Set-Cookie: X=p|Set-Cookie2: X = app, y=1")
        for mode in ("rewrite", "insert indirect", "prefix")
    ),
    asked(
        "cookies: rules see them first", "insert indirect", ("X=b",), back="http-request set-header S %[req.cook(X)]"
    ),
    asked(
        "cookies: set by rules",
        "insert indirect",
        ("X=b", ""),
        back="http-response add-header Set-Cookie X=5\nhttp-after-response set-header Seen %[res.cook(X)]",
    ),
    asked("cookies: denied", "insert indirect", ("X=b",), back="http-request deny if { path / }"),
    asked("cookies: returned", "insert indirect", ("X=b",), back="http-request return status 200 if { path / }"),
    asked("cookies: redirected", "insert indirect", ("X=b",), back="redirect location /x"),
    asked(
        "cookies: tarpit",
        "insert indirect",
        ("X=b",),
        back="http-request tarpit",
        times=TARPIT,
        ignore=("log0.timers",),
    ),
    asked("cookies: asked for a password", "insert indirect", ("X=b",), back="http-request auth"),
    asked("cookies: denied with use-server", "insert", ("X=b",), back="http-request deny\nuse-server s1 if TRUE"),
    asked("cookies: denied and ignored", "insert", ("X=b",), back="http-request deny\nignore-persist if TRUE"),
    asked("cookies: response denied", "insert indirect", ("X=b",), back="http-response deny"),
    asked("cookies: force, ignore, use-server", "insert indirect", PATHS, back=PERSIST),
    asked("cookies: force, ignore, use-server, persist", "insert", PATHS, back=f"{PERSIST}\noption persist\nretries 0"),
    asked("cookies: first rule counts", "insert", ("X=gone",), back="ignore-persist if TRUE\nforce-persist if TRUE"),
    asked("cookies: persist", "insert", ("X=gone", "X=b"), back="option persist\nretries 0"),
    asked("cookies: persist, redispatch", "insert", ("X=gone",), back="option persist\noption redispatch\nretries 1"),
    asked("cookies: refused", "insert", ("X=gone",), servers=REFUSING, back="retries 0"),
    asked("cookies: refused, redispatch", "insert", ("X=gone",), servers=REFUSING, back="retries 1\noption redispatch"),
    asked(
        "cookies: refused, forced",
        "insert",
        (ask("X=gone", "/force"),),
        servers=REFUSING,
        back=f"retries 1\noption redispatch\n{PERSIST}",
    ),
    asked("cookies: nobody there", "insert", ("", "X=gone"), servers="server s3 {refusing} cookie gone disabled"),
    asked("cookies: no servers", "insert", ("", "X=gone"), servers="#"),
    asked(
        "cookies: listen",
        "",
        ("X=b", "X=nobody", "", Send(b"GET /deny HTTP/1.1\r\nHost: a\r\n\r\n")),
        whole="""listen l
    bind {bind}
    http-request deny if { path /deny }
    use_backend other if { path /other }
    cookie X insert indirect
    server s1 {s1} cookie a
    server s2 {s2} cookie b
backend other
    server s1 {s1}
""",
    ),
    asked(
        "cookies: from a listen elsewhere",
        "",
        [ask("X=b", "/other"), ask("X=b")],
        whole="""listen l
    bind {bind}
    use_backend other if { path /other }
    cookie X insert indirect
    server s1 {s1} cookie a
    server s2 {s2} cookie b
backend other
    server s1 {s1}
""",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cookies(case: Case, plays: Plays) -> None:
    plays.compare(case)
