from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import Place, ProxySpec, RuleSpec, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.reply_format import error_replies

assert keywords.MODULES
FILE = b"HTTP/1.0 403 No\r\nX-A: b\r\n\r\nno\n"


def proxy(*lines: str) -> ProxySpec:
    rules = []
    for line in lines:
        words = tuple(RuleWord(word.replace("_", " "), 20 + number) for number, word in enumerate(line.split()))
        rules.append(RuleSpec(Place("t.cfg", 7, 5), "http-error", words, files=(("no.http", FILE),)))
    return ProxySpec(Place("t.cfg", 1), "web", "frontend", rules=tuple(rules))


def test_a_text(site: Any) -> None:
    reply = error_replies(proxy("status 403 content-type text/plain string no_way hdr X-A b"), site)[403]
    assert reply.constant and not reply.file and reply.render is not None
    assert reply.render(None) == (
        b"HTTP/1.1 403 Forbidden\r\nx-a: b\r\ncontent-length: 6\r\ncontent-type: text/plain\r\n\r\nno way"
    )


def test_a_file(site: Any) -> None:
    reply = error_replies(proxy("status 403 errorfile no.http"), site)[403]
    assert reply.file and reply.render is not None
    assert reply.render(None) == FILE


def test_a_format_needs_what_its_expressions_need(site: Any) -> None:
    reply = error_replies(proxy("status 403 content-type text/plain lf-string %[src]"), site)[403]
    assert not reply.constant and reply.needs & Needs.CONNECTION


def test_the_last_line_counts(site: Any) -> None:
    found = error_replies(proxy("status 403 errorfile no.http", "status 403 default-errorfiles"), site)
    assert found[403].render is None


@pytest.mark.parametrize(
    ("line", "message", "column"),
    [
        ("code 403 errorfile no.http", "expects status", 20),
        ("status 418 errorfile no.http", "no built-in answer has status 418", 21),
        ("status x errorfile no.http", "no built-in answer has status x", 21),
        ("status 403 nonsense", "unknown word 'nonsense'", 22),
    ],
)
def test_mistakes(line: str, message: str, column: int, site: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        error_replies(proxy(line), site)
    assert message in caught.value.message
    assert (caught.value.file, caught.value.line, caught.value.column) == ("t.cfg", 7, column)
