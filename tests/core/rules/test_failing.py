"""Rewrites that fail, and strict-mode."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.actions import Ground, Use
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.failing import failure
from maniple.core.rules.verdicts import Answer
from maniple.tests.core.rules.lines import compile_lines, mistake, run_request, sent

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize(("kind", "status"), [("http-request", 500), ("http-response", 502)])
def test_answer(site: Any, make_scope: Any, kind: str, status: int) -> None:
    from maniple.core.config.model import Place, RuleWord

    failed = failure(Use(Ground(kind, site, Stage.FRONT_REQUEST), [RuleWord("x", 1)], Place("a", 1), {}))
    x = make_scope()
    verdict = failed(x)
    assert isinstance(verdict, Answer)
    assert (verdict.status, verdict.page, verdict.termination, verdict.denied) == (status, True, b"PR", False)
    x.lenient = True
    assert failed(x) is None


def test_off_and_on_again(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    assert run_request("strict-mode off\nhttp-request set-path bad\nhttp-request set-header A b", x) is None
    assert sent(x).endswith(b"a: b\r\n")
    lines = "strict-mode off\nhttp-request strict-mode on\nhttp-request set-path bad"
    assert isinstance(run_request(lines, make_scope(request=REQUEST)), Answer)


@pytest.mark.parametrize("kind", ["http-request", "http-response", "http-after-response"])
def test_belongs_to_all_http_passes(make_scope: Any, kind: str) -> None:
    x = make_scope(request=REQUEST)
    field = {"http-request": "request", "http-response": "response", "http-after-response": "after"}[kind]
    for word, lenient in (("off", True), ("on", False)):
        getattr(compile_lines(f"{kind} strict-mode {word}"), field).run(x)
        assert x.lenient is lenient


@pytest.mark.parametrize("line", ["strict-mode", "strict-mode maybe"])
def test_wrong(line: str) -> None:
    assert "on or off" in mistake(f"http-request {line}")
