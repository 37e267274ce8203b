"""One ACL: names, flags, operators, choice of the method, errors with their columns. What matches is compared with
HAProxy in test_condition_against_haproxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.model import RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.acl import compile_acl
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.samples import INT, IP

assert keywords.MODULES

STAGE = Stage.FRONT_REQUEST
REQUEST = b"GET /img/a.gif HTTP/1.1\r\nHost: www.Example.com\r\nX-List: a, b\r\nX-List: c\r\nX-Num: 7\r\n\r\n"


def words(text: str) -> list[RuleWord]:
    found, column = [], 1
    for word in text.split(" "):
        found.append(RuleWord(word, column))
        column += len(word) + 1
    return found


WRONG = [
    ("", 1, "a keyword is expected|sample expression is expected"),
    ("path_bge /x", 1, "unknown fetch 'path_bge'"),
    ("path -q x", 6, "'-q' is not a flag"),
    ("path -m", 6, "'-m' needs an argument"),
    ("path -m foo x", 9, "unknown matching method 'foo'"),
    ("path -m meth x", 9, "unknown matching method 'meth'"),
    ("path -f", 6, "'-f' needs an argument"),
    ("path -u x y", 9, "'-u' needs a number"),
    ("path -f /nonexistent/file", 9, "cannot read the file"),
    ("src 1.2.3.4/33", 5, "not a valid IPv4"),
    ("src 10.0.0.0/8 x:y:z", 16, "not a valid IPv4"),
    ("req.hdr_val(x) gt abc", 19, "neither a number nor a supported operator"),
    ("req.hdr_val(x) ne 5", 16, "not a number"),
    ("req.hdr_val(x) 5:3", 16, "not a valid number range"),
    ("path_len gt x", 13, "neither a number"),
    ("path_reg ^a (b", 13, "is invalid"),
    ("path -m bin abc", 13, "even number"),
    ("req.body abc", 1, "of type bin: say with `-m`"),
    ("var(txn.x) abc", 1, "of any type: say with `-m`"),
    ("always_true -m ip 1.2.3.4", 1, "matching method 'ip' cannot be used"),
    ("path,nope x", 6, "unknown converter"),
    ("hdr(host x", 4, "is missing"),
    ("hdr(a,b,c) x", 9, "at most 2"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors(text: str, column: int, says: str, site: Any) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        compile_acl(words(text), site, STAGE)
    assert caught.value.column == column


def test_a_near_name_is_proposed(site: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_acl(words("path_bge /x"), site, STAGE)
    assert caught.value.hint == "did you mean `path_beg`?"


def test_no_words(site: Any) -> None:
    with pytest.raises(ConfigError, match="needs a criterion"):
        compile_acl([], site, STAGE)


def test_method_before_file(site: Any, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("a\n")
    with pytest.raises(ConfigError, match="before '-f'"):
        compile_acl(words(f"path -f {path} -m beg"), site, STAGE)


WARNED = [
    ("path", 1, "has no pattern"),
    ("path or -m found", 9, "'-m' stands behind a pattern"),
    ("req.hdr_val(x)", 1, "has no pattern"),
    ("req.hdr_val(x) gt -1", 19, "'-1' means: up to 1"),
    ("res.hdr(x) a", 1, "nothing to say here"),
    ("status 200", 1, "nothing to say here"),
]


@pytest.mark.parametrize(("text", "column", "says"), WARNED)
def test_warnings(text: str, column: int, says: str, site: Any, make_scope: Any) -> None:
    warnings: list[ConfigError] = []
    acl = compile_acl(words(text), site, STAGE, warnings)
    assert [warning.column for warning in warnings] == [column] and says in warnings[0].message
    if "up to" not in says:
        assert acl.test(make_scope(request=REQUEST)) is False


@pytest.mark.parametrize("text", ["path --", "path -m found", "path -i -- -x", "always_true", "src -m str --"])
def test_no_warnings(text: str, site: Any) -> None:
    warnings: list[ConfigError] = []
    compile_acl(words(text), site, STAGE, warnings)
    assert not warnings


def test_needs(site: Any) -> None:
    assert compile_acl(words("src 10.0.0.0/8"), site, STAGE).needs is Needs.CONNECTION
    assert compile_acl(words("path /"), site, STAGE).needs is Needs.HEAD
    assert compile_acl(words("res.hdr(x) a"), site, STAGE).needs is Needs.NOTHING


def test_an_acl_of_responses_sees_the_responses_headers(site: Any, make_scope: Any) -> None:
    x = make_scope(request=REQUEST, response=b"HTTP/1.1 200 OK\r\nX-List: c\r\nContent-Length: 0\r\n\r\n")
    assert compile_acl(words("res.hdr(x-list) c"), site, Stage.BACK_RESPONSE).test(x)
    # The ACL name hdr is the request's, wherever it stands.
    warnings: list[ConfigError] = []
    acl = compile_acl(words("hdr(x-list) c"), site, Stage.BACK_RESPONSE, warnings)
    assert not acl.test(x) and len(warnings) == 1


def test_names_of_acls_take_no_converters_as_words(site: Any, make_scope: Any) -> None:
    # `path lower` has a pattern `lower`, `req.fhdr(host) lower abc` a converter and a pattern.
    x = make_scope(request=b"GET /A HTTP/1.1\r\nHost: ABC\r\n\r\n")
    assert not compile_acl(words("path lower /a"), site, STAGE).test(x)
    assert compile_acl(words("req.fhdr(host) lower abc"), site, STAGE).test(x)


def test_numbers_behind_u_name_patterns_once(site: Any) -> None:
    compile_acl(words("path -u 7 /a"), site, STAGE)
    compile_acl(words("path -u 7 /a"), site, Stage.BACK_REQUEST)
    with pytest.raises(ConfigError, match="another ACL has the number 7"):
        compile_acl(words("path -u 7 /b"), site, STAGE)
    assert list(site.pattern_files.named) == ["7"]


def test_files_are_tried_with_the_flags_before_them(site: Any, make_scope: Any, tmp_path: Path) -> None:
    (tmp_path / "exact").write_text("/IMG\n")
    (tmp_path / "folded").write_text("/IMG\n")

    def test(path: bytes, text: str) -> bool:
        acl = compile_acl(words(text.replace("@", f"{tmp_path}/")), site, STAGE)
        return acl.test(make_scope(request=b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path))

    assert not test(b"/img", "path -f @exact")
    assert test(b"/IMG", "path -f @exact")
    assert test(b"/img", "path -f @exact -i -f @folded")
    assert test(b"/Img", "path -i -f @folded /x")
    assert test(b"/X", "path -i -f @folded /x")
    assert not test(b"/X", "path -f @folded /x")


WHY = [
    ("path_beg /img /a", True, "path_beg: '/img/a.gif' matches '/img' (beg)"),
    ("path_beg /x", False, "path_beg: '/img/a.gif' matches no pattern (beg)"),
    ("hdr(nope) x", False, "hdr(nope) has no value"),
    ("hdr(x-list) c", True, "hdr(x-list): 'c' matches 'c' (str)"),
    ("hdr(x-list) d", False, "hdr(x-list): 'a', 'b', 'c': no pattern matches"),
    ("src 10.0.0.0/8", False, "src: 192.0.2.7 matches no pattern (ip)"),
    ("src 192.0.2.0/24", True, "src: 192.0.2.7 matches '192.0.2.0/24' (ip)"),
    ("req.hdr_val(x-num) gt 5", True, "req.hdr_val(x-num): 7 matches '6:' (int)"),
    ("req.hdr(host) -m found", True, "req.hdr(host): 'www.Example.com' is there"),
    ("always_false", False, "always_false: False is false"),
    ("res.hdr(x) a", False, "there is no such information here"),
    ("uri !^ /x", True, "uri: '/img/a.gif' matches no pattern (beg, whatever the case)"),
]


@pytest.mark.parametrize(("text", "expected", "says"), WHY)
def test_why(text: str, expected: bool, says: str, site: Any, make_scope: Any) -> None:
    acl = compile_acl(words(text), site, STAGE)
    x = make_scope(request=REQUEST)
    assert acl.test(x) is expected
    assert acl.why(x) == says


def test_values_of_variables(site: Any, make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    acl = compile_acl(words("var(txn.v) -m int 5"), site, STAGE)
    assert not acl.test(x)
    x.variables = {"v": (INT, 5)}
    assert acl.test(x)
    x.variables = {"v": (IP, bytes((10, 0, 0, 1)))}
    assert compile_acl(words("var(txn.v) -m ip 10.0.0.0/8"), site, STAGE).test(x)
