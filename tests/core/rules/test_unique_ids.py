from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.config.model import Place, ProxySpec, RuleSpec, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.unique_ids import header_adder, unique_id_format

assert keywords.MODULES


def proxy(**lines: str) -> ProxySpec:
    rules = [
        RuleSpec(Place("t.cfg", 7, 5), kind.replace("_", "-"), (RuleWord(text, 20),)) for kind, text in lines.items()
    ]
    return ProxySpec(Place("t.cfg", 1), "web", "frontend", rules=tuple(rules))


def test_format_and_header(site: Any, make_scope: Callable[..., Any]) -> None:
    spec = proxy(unique_id_format="%{+X}o  %ci:%cp_%[path]\n", unique_id_header="X-ID")
    made, add = unique_id_format(spec, site), header_adder(spec)
    assert made is not None and add is not None
    x = make_scope(request=b"GET /p HTTP/1.1\r\nHost: a\r\nX-ID: theirs\r\n\r\n")
    x.session.frontend = SimpleNamespace(unique_id=made.run, spec=SimpleNamespace(mode="http"))
    add(x)
    assert x.unique_id == b"C0000207:9C40_/p\n"
    assert [value for name, value in x.head.block.fields if name == b"x-id"] == [b"theirs", x.unique_id]


def test_nothing_is_added_to_what_is_no_request(make_scope: Callable[..., Any]) -> None:
    add = header_adder(proxy(unique_id_format="x", unique_id_header="X-ID"))
    assert add is not None
    add(make_scope(unique_id=b"id"))


def test_a_header_needs_a_format(site: Any) -> None:
    assert header_adder(proxy(unique_id_header="X-ID")) is None
    assert unique_id_format(proxy(), site) is None


def test_errors_have_their_places(site: Any) -> None:
    with pytest.raises(ConfigError, match="unknown fetch") as caught:
        unique_id_format(proxy(unique_id_format="%ci %[nosuch]"), site)
    assert (caught.value.file, caught.value.line, caught.value.column) == ("t.cfg", 7, 26)
    with pytest.raises(ConfigError, match="no name of a header") as caught:
        header_adder(proxy(unique_id_format="x", unique_id_header="a b"))
    assert (caught.value.line, caught.value.column) == (7, 20)
