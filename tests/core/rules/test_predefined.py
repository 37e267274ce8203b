"""Predefined ACLs: all of the manual's, and that those compile whose fetches there are."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules import keywords
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.catalogue import FETCHES, Stage
from maniple.core.rules.derivatives import DERIVATIVES
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
    criterion = PREDEFINED[name].split()[0].partition("(")[0]
    if DERIVATIVES.get(criterion, (criterion,))[0] not in FETCHES:
        pytest.skip(f"the fetch {criterion} is not there yet")
    acls = AclSet([], site)
    assert acls.find(name, Stage.FRONT_REQUEST) is not None
    assert not acls.errors


def test_meaning(site: Any, make_scope: Any) -> None:
    acls = AclSet([], site)
    x = make_scope(request=b"HEAD /a HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    true = [name for name in PREDEFINED if (acl := acls.find(name, Stage.FRONT_REQUEST)) is not None and acl.test(x)]
    assert set(true) - {"WAIT_END", "REQ_CONTENT"} == {
        "HTTP",
        "HTTP_1.0",
        "HTTP_URL_SLASH",
        "METH_GET",
        "METH_HEAD",
        "TRUE",
    }
