"""The nearest known word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.suggest import MOST_LISTED, nearest, offer, section

KEYWORDS = [
    "acl",
    "backlog",
    "balance",
    "bind",
    "cookie",
    "default_backend",
    "default-server",
    "description",
    "errorfile",
    "errorloc",
    "fullconn",
    "http-reuse",
    "http-request",
    "id",
    "log",
    "log-format",
    "maxconn",
    "mode",
    "monitor-uri",
    "option",
    "retries",
    "server",
    "server-template",
    "source",
    "use_backend",
]
PHRASES = [
    "timeout connect",
    "timeout client",
    "timeout server",
    "timeout check",
    "option httplog",
    "option http-no-delay",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ballance", "balance"),
        ("balnace", "balance"),
        ("blance", "balance"),
        ("maxcon", "maxconn"),
        ("maxconns", "maxconn"),
        ("Mode", "mode"),
        ("MODE", "mode"),
        ("default-backend", "default_backend"),
        ("usebackend", "use_backend"),
        ("sever", "server"),
        ("serv", None),
        ("sevrer", "server"),
        ("bnid", "bind"),
        ("bnd", "bind"),
        ("lgo", "log"),
        ("acl", "acl"),
        ("http-reqest", "http-request"),
        ("errorlog", "errorloc"),
        ("foo", None),
        ("x", None),
        ("", None),
        ("whatever-this-is", None),
    ],
)
def test_keywords(word: str, meant: str | None) -> None:
    assert nearest(word, KEYWORDS) == meant


@pytest.mark.parametrize(
    ("phrase", "meant"),
    [
        ("timout conect", "timeout connect"),
        ("timeout clinet", "timeout client"),
        ("timeout-server", "timeout server"),
        ("option htttplog", "option httplog"),
    ],
)
def test_phrases(phrase: str, meant: str) -> None:
    assert nearest(phrase, PHRASES) == meant


def test_no_candidates() -> None:
    assert nearest("mode", []) is None


def test_order_of_candidates_does_not_matter() -> None:
    assert nearest("servr", KEYWORDS) == nearest("servr", KEYWORDS[::-1]) == "server"


@given(st.sampled_from([word for word in KEYWORDS if len(word) > 3]), st.data())
def test_one_typing_error_is_forgiven(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    assert nearest(word[:place] + word[place + 1 :], KEYWORDS) is not None
    assert nearest(word[:place] + "z" + word[place:], KEYWORDS) == word


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8))
def test_answer_is_a_candidate(word: str, candidates: list[str]) -> None:
    answer = nearest(word, candidates)
    assert answer is None or answer in candidates


@pytest.mark.parametrize(
    ("word", "names", "hint"),
    [
        ("ap", ["app", "web"], "did you mean `app`?"),
        ("nosuch", ["app", "web", "app"], "names are app, web"),
        ("nosuch", ["app"], "there is only `app`"),
        ("nosuch", [], ""),
        ("nosuch", [f"a{number}" for number in range(MOST_LISTED + 1)], ""),
    ],
)
def test_offer(word: str, names: list[str], hint: str) -> None:
    assert offer(word, names, "names") == hint


def test_section() -> None:
    assert section("backend", "x", []) == "it is made by a section `backend x`"
    assert section("backend", "ap", ["app"]) == "did you mean `app`?"
