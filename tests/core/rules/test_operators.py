"""The second syntax of ACLs (design notes, CL3 to CL6)."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.acl import compile_acl
from maniple.core.rules.catalogue import FETCHES, Stage
from maniple.core.rules.derivatives import DERIVATIVES
from maniple.core.rules.operators import OPERATORS, is_second, read_second

assert keywords.MODULES

REQUEST = b"GET /Img/a.gif?x=1 HTTP/1.1\r\nHost: www.Example.com\r\nX-List: alpha, Beta\r\nCookie: sid=Abc; b=2\r\n\r\n"


def words(text: str) -> list[RuleWord]:
    found, column = [], 1
    for word in text.split(" "):
        found.append(RuleWord(word, column))
        column += len(word) + 1
    return found


CASES = [
    ("uri =^ /img", True),
    ("URI =^ /img", False),
    ("URI =^ /Img", True),
    ("URI !^ /Img", False),
    ("uri !^ /x /y", True),
    ("uri =^ /x /img", True),
    ("uri =* x=1", True),
    ("uri =% a.GIF", True),
    ("URI =% a.GIF", False),
    ("uri =/ img", True),
    ("uri =/ mg", False),
    ("uri =~ ^/i.g/", True),
    ("URI =~ ^/i.g/", False),
    ("uri == /img/a.gif?x=1", True),
    ("meth == get", True),
    ("METH == get", False),
    ("METH == GET", True),
    ("METH != POST PUT", True),
    ("METH != POST GET", False),
    ("host == www.example.com", True),
    ("HOST == www.example.com", False),
    ("host =. example", True),
    ("host =. exam", False),
    ("host =* .COM", True),
    ("h(x-list) == beta", True),
    ("H(x-list) == beta", False),
    ("H(x-list) == Beta", True),
    ("H(x-list) =^ al", True),
    ("h(nope) == x", False),
    ("h(nope) != x", True),
    ("c(sid) == abc", True),
    ("C(sid) == abc", False),
    ("c(sid) !% b", False),
    ("line =^ get", True),
    ("LINE == GET~/Img/a.gif?x=1~HTTP/1.1", True),
    ("line =* http/1.0", False),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_requests(text: str, expected: bool, site: Any, make_scope: Any) -> None:
    written = [
        RuleWord(word.text.replace("~HTTP", " HTTP").replace("GET~", "GET "), word.column) for word in words(text)
    ]
    acl = compile_acl(written, site, Stage.FRONT_REQUEST)
    assert acl.test(make_scope(request=REQUEST)) is expected


def test_responses(site: Any, make_scope: Any) -> None:
    x = make_scope(
        request=REQUEST, response=b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nSet-Cookie: id=7\r\nX: y\r\n\r\n"
    )
    for text in ("line =% 404", "h(x) == Y", "c(id) == 7"):
        assert compile_acl(words(text), site, Stage.FRONT_RESPONSE).test(x), text


WRONG = [
    ("uri", 0, "an operator is expected"),
    ("uri =", 5, "not an operator"),
    ("uri =? x", 5, "not an operator"),
    ("uri <^ x", 5, "not an operator"),
    ("uri path_beg /x", 5, "not an operator"),
    ("uri =^", 5, "a value is expected"),
    ("uri,lower =^ x", 1, "unknown fetch 'uri'"),
    ("h(a),lower =^ x", 6, "takes no converters"),
    ("h(a,b) =^ x", 5, "takes one argument"),
    ("uri =~ [", 8, "is invalid"),
    ("h = x", 1, "unknown fetch 'h'"),
    ("host(x) == y", 1, "unknown fetch 'host'"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors(text: str, column: int, says: str, site: Any) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        compile_acl(words(text), site, Stage.FRONT_REQUEST)
    assert caught.value.column == column


def test_the_two_syntaxes_cannot_be_confused() -> None:
    """No first word of the second is an ACL or a fetch as the first syntax writes it."""
    for name in {*FETCHES, *DERIVATIVES}:
        taken = FETCHES[name].usage if name in FETCHES else name
        if is_second(RuleWord(name, 1)):
            # `meth(GET)` is a fetch: it must have its argument, the second syntax must not.
            assert taken.startswith(f"{name}(<"), name
        assert not is_second(RuleWord(f"{name}(x)", 1)), name


def test_operators_are_all_of_the_notes() -> None:
    assert set(OPERATORS) == set("~=*^%/.")
    expression, method, fold, negated, values = read_second(words("HOST !. a b"), Stage.FRONT_REQUEST)
    assert (expression.fetch.name, method, fold, negated) == ("req.hdr", "dom", False, True)
    assert [word.text for word in values] == ["a", "b"]
