"""Normal forms, by the table of the manual, and what holds of all of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.rules.normalizing import NORMALIZERS

TABLE = """
fragment-encode            /#foo                    /%23foo
fragment-encode            /a#b#c                   /a%23b%23c
fragment-strip             /#foo                    /
fragment-strip             /?a#foo#b                /?a
path-strip-dot             /.                       /
path-strip-dot             /./bar/                  /bar/
path-strip-dot             /a/./a                   /a/a
path-strip-dot             /.well-known/            /.well-known/
path-strip-dot             /a/.?b=/./               /a/?b=/./
path-strip-dot             /././.                   /
path-strip-dotdot          /foo/../                 /
path-strip-dotdot          /foo/../bar/             /bar/
path-strip-dotdot          /foo/bar/../             /foo/
path-strip-dotdot          /../bar/                 /../bar/
path-strip-dotdot          /bar/../../              /../
path-strip-dotdot          /foo//../                /foo/
path-strip-dotdot          /foo/%2E%2E/             /foo/%2E%2E/
path-strip-dotdot          /foo/bar/..?/../         /foo/?/../
path-strip-dotdot          /...                     /...
path-strip-dotdot:full     /../bar/                 /bar/
path-strip-dotdot:full     /bar/../../              /
path-strip-dotdot:full     /..                      /
path-merge-slashes         //                       /
path-merge-slashes         /foo//bar                /foo/bar
path-merge-slashes         ///a?b=//                /a?b=//
percent-decode-unreserved  /%61dmin                 /admin
percent-decode-unreserved  /foo%3Fbar=baz           /foo%3Fbar=baz
percent-decode-unreserved  /%%36%36                 /%66
percent-decode-unreserved  /%ZZ                     /%ZZ
percent-decode-unreserved  /%2d%2E%5f%7e?%41=%39    /-._~?A=9
percent-decode-unreserved:strict  /%%36%36          -
percent-decode-unreserved:strict  /%ZZ              -
percent-decode-unreserved:strict  /%61%2f           /a%2f
percent-to-uppercase       /%6f                     /%6F
percent-to-uppercase       /%zz                     /%zz
percent-to-uppercase       /%c3%a9?%aa              /%C3%A9?%AA
percent-to-uppercase:strict  /%zz                   -
percent-to-uppercase:strict  /a%6                   -
percent-to-uppercase:strict  /%6f                   /%6F
query-sort-by-name         /?c=3&a=1&b=2            /?a=1&b=2&c=3
query-sort-by-name         /?aaa=3&a=1&aa=2         /?a=1&aa=2&aaa=3
query-sort-by-name         /?a=3&b=4&a=1&b=5&a=2    /?a=3&a=1&a=2&b=4&b=5
query-sort-by-name         /x                       /x
"""
"""Normalizer, after a colon with its strong form; what it is given; what it makes of it (-: refused)."""
ROWS = [tuple(line.split()) for line in TABLE.strip().split("\n")]


@pytest.mark.parametrize(("name", "given", "made"), ROWS, ids=[" ".join(row[:2]) for row in ROWS])
def test_table(name: str, given: str, made: str) -> None:
    name, _, flag = name.partition(":")
    known, normalize = NORMALIZERS[name]
    assert not flag or flag == known
    result = normalize(given.encode(), bool(flag))
    assert result == (None if made == "-" else made.encode())


PATHS = st.text("/.a%2eE?&=#~", max_size=24).map(lambda text: b"/" + text.encode())
NOT_STABLE = ("percent-decode-unreserved", "fragment-encode")
"""What decoding leaves may be a sequence again (`/%%36%36`)."""


@pytest.mark.parametrize("name", sorted(NORMALIZERS))
@pytest.mark.parametrize("strong", [False, True])
@settings(max_examples=40)
@given(pathq=PATHS)
def test_normal_forms_stay(name: str, strong: bool, pathq: bytes) -> None:
    _, normalize = NORMALIZERS[name]
    once = normalize(pathq, strong)
    if once is None:
        assert strong
        return
    assert once.startswith(b"/")
    if name not in NOT_STABLE:
        assert normalize(once, strong) == once


@settings(max_examples=40)
@given(st.lists(st.sampled_from((b"a", b"..", b"", b"b.", b"...")), max_size=8))
def test_full_never_leaves_the_root(segments: list[bytes]) -> None:
    made = NORMALIZERS["path-strip-dotdot"][1](b"/" + b"/".join(segments), True)
    assert made is not None and b".." not in made.split(b"/")


@settings(max_examples=40)
@given(st.lists(st.sampled_from((b"a=1", b"aa", b"b=", b"", b"a=0")), max_size=6))
def test_sorting_keeps_all_parameters(items: list[bytes]) -> None:
    made = NORMALIZERS["query-sort-by-name"][1](b"/?" + b"&".join(items), False)
    assert made is not None
    assert sorted(made[2:].split(b"&")) == sorted(b"&".join(items).split(b"&"))
