"""The fetches acl and message.line."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import Place, RuleSpec, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.expression import compile_text

assert keywords.MODULES

STAGE = Stage.FRONT_REQUEST


def acl(*texts: str) -> RuleSpec:
    return RuleSpec(Place("a.cfg", 1, 1), "acl", tuple([RuleWord(text, 1) for text in texts]))


@pytest.fixture
def acls(site: Any) -> AclSet:
    return AclSet([acl("img", "path_beg", "/img"), acl("local", "src", "127.0.0.0/8")], site)


CASES = [
    ("acl(img)", True),
    ("acl(!img)", False),
    ("acl(!!img)", True),
    ("acl(img,local)", False),
    ("acl(img,!local)", True),
    ("acl(img,METH_GET,!FALSE)", True),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_acls(text: str, expected: bool, acls: AclSet, make_scope: Any) -> None:
    compiled = compile_text(text, acls.site, STAGE)
    assert compiled.run(make_scope(request=b"GET /img HTTP/1.1\r\nHost: h\r\n\r\n")) is expected


def test_needs_are_those_of_the_acls(acls: AclSet) -> None:
    assert compile_text("acl(img)", acls.site, STAGE).needs is Needs.HEAD
    assert compile_text("acl(img,local)", acls.site, STAGE).needs == Needs.HEAD | Needs.CONNECTION


def test_unknown_names(acls: AclSet, site: Any) -> None:
    with pytest.raises(ConfigError, match="there is no ACL 'nope'") as caught:
        compile_text("acl(img,!nope)", acls.site, STAGE)
    assert caught.value.column == 9
    with pytest.raises(ConfigError, match="there is no ACL 'img'"):
        compile_text("acl(img)", site, STAGE)


def test_message_line(site: Any, make_scope: Any) -> None:
    x = make_scope(request=b"GET /a?b HTTP/1.0\r\n\r\n", response=b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
    assert compile_text("message.line", site, STAGE).run(x) == b"GET /a?b HTTP/1.0"
    assert compile_text("message.line", site, Stage.BACK_RESPONSE).run(x) == b"HTTP/1.1 204 No Content"
    assert compile_text("message.line", site, STAGE).run(make_scope()) is None
    assert compile_text("message.line", site, Stage.BACK_RESPONSE).run(make_scope()) is None
