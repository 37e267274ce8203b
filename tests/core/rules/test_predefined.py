"""Predefined ACLs: all of the manual's, that they compile, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules import keywords
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.predefined import PREDEFINED

assert keywords.MODULES

MANUAL = """
    FALSE HTTP HTTP_1.0 HTTP_1.1 HTTP_2.0 HTTP_CONTENT HTTP_URL_ABS HTTP_URL_SLASH HTTP_URL_STAR LOCALHOST METH_CONNECT
    METH_DELETE METH_GET METH_HEAD METH_OPTIONS METH_POST METH_PUT METH_TRACE RDP_COOKIE REQ_CONTENT TRUE WAIT_END
"""


def test_all_of_the_manual() -> None:
    assert set(MANUAL.split()) <= set(PREDEFINED)


@pytest.mark.parametrize("name", PREDEFINED)
def test_compiles(name: str, site: Any) -> None:
    acls = AclSet([], site)
    assert acls.find(name, Stage.FRONT_REQUEST) is not None
    assert not acls.errors


def test_meaning(site: Any, make_scope: Any) -> None:
    acls = AclSet([], site)
    x = make_scope(request=b"HEAD /a HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    true = [name for name in PREDEFINED if (acl := acls.find(name, Stage.FRONT_REQUEST)) is not None and acl.test(x)]
    assert set(true) == {
        "WAIT_END",
        "REQ_CONTENT",
        "HTTP",
        "HTTP_1.0",
        "HTTP_URL_SLASH",
        "METH_GET",
        "METH_HEAD",
        "TRUE",
    }


def test_contents_of_a_stream(site: Any, make_scope: Any) -> None:
    acls = AclSet([], site)
    x = make_scope(payload=(b"\x03\x00\x00\x20\x1b\xe0\0\0\0\0\0Cookie: mstshash=bob\r\n", b""))
    names = ("RDP_COOKIE", "REQ_CONTENT", "WAIT_END", "HTTP", "HTTP_CONTENT")

    def true() -> list[str]:
        return [name for name in names if (acl := acls.find(name, Stage.FRONT_CONTENT)) is not None and acl.test(x)]

    assert true() == ["RDP_COOKIE", "REQ_CONTENT", "WAIT_END"]
    x.payload, x.uncertain = (b"", b""), 128
    assert true() == [] and x.unsure
