"""What is said of words that are in no table."""

from __future__ import annotations

import pytest
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.environment import Environment
from maniple.core.config.keywords import GLOBAL_KEYWORDS, OPTIONS, PROXY_KEYWORDS
from maniple.core.config.known import KNOWN_GLOBAL, KNOWN_OPTIONS, KNOWN_PROXY
from maniple.core.config.lexer import Line, split_words
from maniple.core.config.unknown import article, listed, misplaced_hint, tell_unknown


def said_of(text: str, section: str = "backend") -> tuple[str, str]:
    """Message and hint for a line of a section."""
    words = split_words(text, Environment({}))
    line = Line("a.cfg", 1, words, text)
    diagnostics = Diagnostics()
    if words[0].text == "option":
        tell_unknown(diagnostics, line, words[1:], "option ", section, OPTIONS, KNOWN_OPTIONS)
    elif section == "global":
        tell_unknown(diagnostics, line, words, "", section, GLOBAL_KEYWORDS, KNOWN_GLOBAL)
    else:
        tell_unknown(diagnostics, line, words, "", section, PROXY_KEYWORDS, KNOWN_PROXY)
    (report,) = diagnostics.errors
    return report.message, report.hint


@pytest.mark.parametrize(
    ("line", "section", "message", "hint"),
    [
        ("blance roundrobin", "backend", "unknown keyword 'blance' in a backend section", "did you mean `balance`?"),
        ("timout client 1s", "frontend", "unknown keyword 'timout'", "did you mean `timeout client`?"),
        ("timeout clint 1s", "frontend", "unknown word 'clint' after `timeout`", "did you mean `client`?"),
        ("timeout", "frontend", "`timeout` expects one of ", ""),
        ("option htplog", "frontend", "unknown option 'htplog'", "did you mean `httplog`?"),
        ("httplog", "frontend", "unknown keyword 'httplog'", "did you mean `option httplog`?"),
        ("nbthread 4", "backend", "unknown keyword 'nbthread'", "it belongs in the global section"),
        ("filter x", "backend", "HAProxy keyword `filter` is not supported by maniple yet", ""),
        ("stick foo src", "backend", "unknown word 'foo' after `stick`", ""),
        ("tcp-request", "backend", "`tcp-request` expects one of ", ""),
        ("reqadd x", "frontend", "`reqadd` was removed from HAProxy", ""),
    ],
)
def test_told(line: str, section: str, message: str, hint: str) -> None:
    said, hinted = said_of(line, section)
    assert said.startswith(message)
    assert hinted == hint or not hint


def test_words_for_sections() -> None:
    assert (article("global"), article("backend")) == ("the global", "a backend")
    assert listed(frozenset({"backend", "frontend"})) == "frontend or backend"
    assert misplaced_hint("maxconn", "backend", frozenset({"frontend"})) == "maybe `fullconn` is wanted"
    assert misplaced_hint("bind", "backend", frozenset({"frontend"})) == "it belongs in frontend"
