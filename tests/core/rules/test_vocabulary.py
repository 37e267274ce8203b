"""The words of expressions: nothing of HAProxy's is forgotten, nothing is both there and missing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import CONVERTERS, FETCHES
from maniple.core.rules.vocabulary import MISSING, missing, render, terms
from maniple.tests.core.rules import oracle

assert keywords.MODULES


def test_converters_that_are_there_are_not_missing() -> None:
    assert set(MISSING["converter"]) & set(CONVERTERS) == set()
    assert missing("converter", "lower") is None and missing("converter", "nonsense") is None
    assert missing("converter", "in_table") is None and missing("converter", "51d.single") is not None
    assert missing("fetch", "path") is None and missing("fetch", "ssl_fc_sni") == "TLS"


def test_each_term_is_shown_once() -> None:
    shown = [(term.kind, term.name) for term in terms()]
    assert len(shown) == len(set(shown))
    assert {("fetch", name) for name in FETCHES} | {("converter", name) for name in CONVERTERS} <= set(shown)
    lines = render().splitlines()
    assert any(re.fullmatch(r"lower +str -> str +in force", line) for line in lines)
    assert any(re.fullmatch(r"51d\.single +missing", line) for line in lines)


@pytest.mark.parametrize(("kind", "option"), [("fetch", "-dKsmp"), ("converter", "-dKcnv")])
def test_all_of_haproxy_is_known(kind: str, option: str) -> None:
    program, _ = oracle.find_haproxy()
    listed = subprocess.run([program, option, "-q", "-c", "-f", "/dev/null"], capture_output=True, text=True).stdout
    # Fetches have their stages in front: [ Y . Y ... ]
    names = {match[1] for match in re.finditer(r"^(?:\[[ Y.]+\]|\t)? *([a-z0-9][\w.+-]*)[(:]", listed, re.M)}
    assert len(names) > 60
    have = FETCHES if kind == "fetch" else CONVERTERS
    assert {name for name in names if name not in have and missing(kind, name) is None} == set()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ssl_fc_sni", "HAProxy's fetch 'ssl_fc_sni' yet: it belongs to TLS"),
        ("src,51d.single(a)", "HAProxy's converter '51d.single' yet: it belongs to a library that is not free"),
    ],
)
def test_what_is_missing_is_told_apart(text: str, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says):
        value_of(text, None)
