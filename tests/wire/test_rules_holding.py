"""Responses that rules hold back, as HAProxy holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Quiet, Request, Response, Send, Sleep
from maniple.tests.wire.rig.scripts import GET

HEAD = b"HTTP/1.1 200 OK\r\n"
FULL = Send(HEAD + b"Content-Length: 6\r\n\r\nabcdef")
RULES = (
    "http-response set-header Before %[res.body_len],%[res.body_size]\n"
    "http-response wait-for-body time 400ms\n"
    "http-response set-header After %[res.body_len],%[res.body_size],%[res.body]"
)


def held(name: str, steps: Sequence[Any], rules: str = RULES, count: int = 1, **words: Any) -> Case:
    client: tuple[Any, ...] = (GET, Response()) * count
    return Case(
        f"held: {name}",
        ((*client, Quiet(0.03), CLOSE),),
        {"s1": ((*steps, Quiet(0.03)),) * 2},
        front=rules,
        **words,
    )


def pieces(*parts: bytes, seconds: float = 0.03) -> list[Any]:
    steps: list[Any] = [Request()]
    for part in parts:
        steps += (Send(part), Sleep(seconds))
    return steps


CASES = (
    held("here at once", [Request(), FULL, Request(), FULL], count=2),
    held("the body comes later", pieces(HEAD + b"Content-Length: 6\r\n\r\n", b"abc", b"def")),
    held("chunks", pieces(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n")),
    held("until the server closes", [*pieces(HEAD + b"\r\nabc", b"def"), CLOSE]),
    held("the server closes too early", [*pieces(HEAD + b"Content-Length: 6\r\n\r\nabc"), CLOSE]),
    held("nonsense in a chunk", pieces(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"zz\r\n")),
    held("no body", [Request(), Send(b"HTTP/1.1 204 No\r\n\r\n"), Request(), FULL], count=2),
    held(
        "too late",
        pieces(HEAD + b"Content-Length: 6\r\n\r\nabc", seconds=0.4),
        RULES.replace("400ms", "100ms"),
    ),
    held(
        "at least",
        pieces(HEAD + b"Content-Length: 6\r\n\r\na", b"bcd", b"ef"),
        RULES.replace("400ms", "400ms at-least 3"),
    ),
    held(
        "denied for its body",
        pieces(HEAD + b"Content-Length: 6\r\n\r\na", b"bcdef"),
        "http-response wait-for-body time 400ms\nhttp-response deny if { res.body -m sub cde }",
    ),
    held(
        "in the backend, and if",
        pieces(HEAD + b"Content-Length: 6\r\n\r\na", b"bcdef"),
        "http-response set-header Front %[res.body]",
        back="http-response wait-for-body time 400ms if { status 200 }\nhttp-response set-header Back %[res.body]",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
