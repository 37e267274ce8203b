"""Texts of actions: which are constant."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.formats import Constant, compile_format, constant_of
from maniple.core.rules.samples import STR

assert keywords.MODULES

REQUEST = b"GET /a?b HTTP/1.1\r\nHost: h\r\nX-Odd: a\tb\r\n\r\n"


@pytest.mark.parametrize(("text", "value"), [("", b""), ("abc", b"abc"), ("100%%", b"100%"), ("\u00e9", b"\xc3\xa9")])
def test_constant(site: Any, text: str, value: bytes) -> None:
    run, needs = compile_format(text, site, Stage.FRONT_REQUEST, 1)
    assert constant_of(run) == run(None) == value
    assert needs is Needs.NOTHING


def test_of_the_scope(site: Any, make_scope: Any) -> None:
    run, needs = compile_format("<%[path]>", site, Stage.FRONT_REQUEST, 1)
    assert constant_of(run) is None
    assert run(make_scope(request=REQUEST)) == b"</a>"
    assert needs & Needs.HEAD


def test_controls_of_what_goes_into_a_message(site: Any, make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    x.variables = {"v": (STR, b"a\r\nb")}
    inside, _ = compile_format("%[var(txn.v)]", site, Stage.FRONT_REQUEST, 1)
    outside, _ = compile_format("%[var(txn.v)]", site, Stage.FRONT_REQUEST, 1, encoded=False)
    assert inside(x) == b"a%0D%0Ab"
    assert outside(x) == b"a\r\nb"


def test_errors_know_their_column(site: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_format("a %[pth]", site, Stage.FRONT_REQUEST, 20)
    assert caught.value.column == 24


def test_constant_is_called_like_the_others() -> None:
    assert Constant(b"x")(object()) == b"x"
    assert constant_of(lambda x: b"x") is None
