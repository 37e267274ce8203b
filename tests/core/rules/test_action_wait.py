"""Actions that suspend the rules: what they wait for, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.ruleset import go_on
from maniple.core.rules.verdicts import Answer, Wait
from maniple.tests.core.rules.lines import compile_lines, mistake, run_request, sent

REQUEST = b"POST /a HTTP/1.1\r\nHost: h\r\nX-N: 30\r\nContent-Length: 10\r\n\r\n"
BODIES = (("wait-for-body time 5s", 0, 5000.0), ("wait-for-body time 10 at-least 1k", 1024, 10.0))


@pytest.mark.parametrize(("line", "least", "delay"), BODIES)
def test_body(make_scope: Any, line: str, least: int, delay: float) -> None:
    x = make_scope(request=REQUEST)
    asked: list[int] = []
    here = False

    def has_body(count: int) -> bool:
        asked.append(count)
        return here

    x.has_body = has_body
    wait = run_request(f"{line}\nhttp-request set-header Y z", x)
    assert isinstance(wait, Wait) and wait.body and wait.delay(x) == delay
    assert isinstance(wait.timed_out, Answer)
    assert (wait.timed_out.status, wait.timed_out.termination) == (408, b"cR")
    assert not wait.ready(x)
    here = True
    assert wait.ready(x)
    assert set(asked) == {least}
    assert go_on(x) is None
    assert sent(x).endswith(b"y: z\r\n")


def test_body_that_is_here_is_not_waited_for(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    x.has_body = lambda least: True
    assert run_request("wait-for-body time 5s\nhttp-request set-header Y z", x) is None
    assert sent(x).endswith(b"y: z\r\n")
    assert x.steps is None


PAUSES = (("pause 250ms", 250.0), ("pause 2s", 2000.0), ("pause hdr(x-n)", 30.0), ("pause int(7)", 7.0))


@pytest.mark.parametrize(("line", "delay"), PAUSES)
def test_pause(make_scope: Any, line: str, delay: float) -> None:
    x = make_scope(request=REQUEST)
    wait = run_request(f"{line} if TRUE\nhttp-request set-header Y z", x)
    assert isinstance(wait, Wait) and not wait.body and wait.timed_out is None
    assert wait.delay(x) == delay and not wait.ready(x)
    assert go_on(x) is None
    assert sent(x).endswith(b"y: z\r\n")


@pytest.mark.parametrize("line", ["pause hdr(none)", "pause int(0)", "pause int(-5)"])
def test_no_pause(make_scope: Any, line: str) -> None:
    assert run_request(line, make_scope(request=REQUEST)) is None


def test_sets_with_waits_are_not_simple() -> None:
    for line in ("wait-for-body time 1s", "pause 1s", "pause int(5) if { path /x }"):
        assert not compile_lines(f"http-request {line}").request.simple


WRONG = (
    ("http-request wait-for-body", "expects time <time>"),
    ("http-request wait-for-body at-least 5", "expects time <time>"),
    ("http-request wait-for-body time", "expects a time"),
    ("http-request wait-for-body time 5x", ""),
    ("http-request wait-for-body time 5s at-least x", ""),
    ("http-request wait-for-body time 5s whole", "unknown word 'whole'"),
    ("http-request pause", "expects a time"),
    ("http-request pause 5x", ""),
    ("http-response pause", "expects a time"),
    ("http-response wait-for-body", "expects time <time>"),
    ("http-after-response pause 5s", "it is no action of `http-after-response`"),
    ("tcp-request content pause 5s", "it is no action of `tcp-request content`"),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(line)
