"""Errors that follow from others: what a line in error was to make, and what has nothing to do with it."""

from __future__ import annotations

import pytest
from maniple.core.config.consequences import absent, begins_section, follows, made_by


@pytest.mark.parametrize(
    ("line", "mistaken", "message", "word", "is_one"),
    [
        ("server s1 1.1.1.1 wieght 2", "wieght", "backend 'b' has no server 's1'", "b/s1", True),
        ("server s1 1.1.1.1 wieght 2", "wieght", "no backend has a server 's1': servers are a", "s1", True),
        ("server s1 1.1.1.1 wieght 2", "wieght", "server 'x' tracks 'b/s1': there is no such server", "b/s1", True),
        ("server s1 1.1.1.1 wieght 2", "wieght", "backend 'b' has no server 's11'", "b/s11", False),
        ("server s1 1.1.1.1 wieght 2", "wieght", "`use_backend`: there is no backend 's1'", "s1", False),
        ("server s1 1.1.1.1 wieght 2", "wieght", "backend 'b' has no server '1.1.1.1'", "b/1.1.1.1", False),
        ("servr s1 1.1.1.1", "servr", "backend 'b' has no server 's1'", "b/s1", True),
        ("server-template s 3 nowhere", "nowhere", "backend 'b' has no server 's2'", "b/s2", True),
        ("server-template s 3 nowhere", "nowhere", "backend 'b' has no server 'st'", "b/st", False),
        ("bakend api", "bakend", "`use_backend`: there is no backend 'api'", "api", True),
        ("peeers p", "peeers", "`stick-table ... peers`: there is no peers section 'p'", "p", True),
        ("http-errrors e", "http-errrors", "`return`: there is no section http-errors 'e'", "e", True),
        ("defaults d x", "x", "there is no defaults section 'd'", "d", True),
        ("resolvrs r", "resolvrs", "`do-resolve`: there is no resolvers 'r'", "r", True),
        ("backend api", "backend", "frontend 'f': there is no backend 'api'", "api", True),
        ("frontend web x", "x", "frontend 'f': there is no backend 'web'", "web", False),
        ("http-request deny if { path_bge /api }", "path_bge", "there is no backend 'api'", "api", False),
        ("use_backend api if { path_bge /api }", "path_bge", "there is no backend 'api'", "api", False),
        ("timeout clint 3s", "clint", "there is no backend 'web'", "web", False),
        ("stick-table type nope", "nope", "`track-sc0`: there is no stick table 'web'", "web", True),
        ("stick-table type nope", "nope", "`stick on`: 'web' has no stick table", "stick", True),
        ("stick-table type nope", "nope", "there is no backend 'web'", "web", False),
        ("acl? a path /", "acl?", "there is no ACL 'a'", "a", True),
        ("acl a path_bge /b", "path_bge", "there is no ACL 'b'", "b", False),
        ("group g usres a", "usres", "userlist 'u' has no group 'g'", "g", True),
        ("", "", "there is no ACL 'b'", "b", False),
        ("stick-table type nope", "nope", "unknown keyword", "web", False),
    ],
)
def test_what_follows(line: str, mistaken: str, message: str, word: str, is_one: bool) -> None:
    assert follows(message, word, made_by(line, "frontend web", mistaken)) is is_one


def test_absent() -> None:
    assert absent("there is no stick table 'b'", "b") == ("stick table", "b")
    assert absent("unknown keyword", "b") == ("", "")
    assert made_by("stick-table type ip", "", "x") == ("", "")


def test_headers() -> None:
    assert begins_section("  backend b") and not begins_section("use_backend b") and not begins_section("")
