"""Fetches of what a client says it is: scheme, user, password, token, and whether a userlist agrees (manual 7.3.6:
`http_auth`, `http_auth_group`, `http_auth_type` and their kin).

Owns: the Authorization header (RFC 9110 11.6.2), basic authentication (RFC 7617). Must not
know: how a password is checked (userlists), challenges (action_answer).

For conditions `http_auth_group` stands for all groups of the user: `http_auth_group(staff) admin`. Its value is the
user's name.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from .catalogue import REQUEST, Call, Fetch, Needs, fetch, plain_fetch
from .samples import BOOL, STR
from .userlists import Userlist


def credentials(x: Any) -> tuple[bytes, bytes] | None:
    """(scheme in small letters, the rest) of the Authorization header, up to a comma, as HAProxy reads it."""
    return _read(x.head, b"authorization")


def _read(head: Any, name: bytes) -> tuple[bytes, bytes] | None:
    value = head.block.get(name) if head is not None else None
    if value is None:
        return None
    scheme, _, rest = value.partition(b",")[0].partition(b" ")
    return scheme.lower(), rest.strip(b" ")


def basic(x: Any) -> tuple[bytes, bytes] | None:
    """(user, password) of basic authentication."""
    found = credentials(x)
    if found is None or found[0] != b"basic":
        return None
    try:
        text = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return None
    user, colon, password = text.partition(b":")
    return (user, password) if colon and b"\0" not in text else None


@plain_fetch("http_auth_type", STR, REQUEST, "The scheme of the Authorization header, Basic or Bearer")
def auth_type(x: Any) -> bytes | None:
    found = credentials(x)
    if found is None:
        return None
    if found[0] == b"basic":
        return None if basic(x) is None else b"Basic"
    return b"Bearer" if found[0] == b"bearer" else None


@plain_fetch("http_auth_user", STR, REQUEST, "The user's name in basic authentication")
def auth_user(x: Any) -> bytes | None:
    found = basic(x)
    return None if found is None else found[0]


@plain_fetch("http_auth_pass", STR, REQUEST, "The password in basic authentication")
def auth_password(x: Any) -> bytes | None:
    found = basic(x)
    return None if found is None else found[1]


@fetch("http_auth_bearer", STR, REQUEST, "The token of a bearer", arguments="header:string?")
def _auth_bearer(call: Call) -> Fetch:
    written = call.values[0]
    name = (written or b"authorization").lower()
    # HAProxy's answer where there is no token: the empty text, if a header is named.
    missing = b"" if written else None

    def run(x: Any) -> bytes | None:
        found = _read(x.head, name)
        return found[1] if found is not None and found[0] == b"bearer" else missing

    return run


@fetch(
    "http_auth",
    BOOL,
    REQUEST,
    "Whether the user and the password of basic authentication are right",
    arguments="userlist:userlist",
    needs=Needs.HEAD,
)
def _auth(call: Call) -> Fetch:
    userlist: Userlist = call.values[0]

    def run(x: Any) -> bool | None:
        found = basic(x)
        return None if found is None else userlist.accepts(*found)

    return run


def _groups(call: Call) -> Fetch:
    userlist: Userlist = call.values[0]

    def each(x: Any) -> tuple[bytes, ...]:
        found = basic(x)
        return userlist.groups_of(found[0]) if found is not None and userlist.accepts(*found) else ()

    return each


@fetch(
    "http_auth_group",
    STR,
    REQUEST,
    "The user, if the password is right; an ACL looks for one of the user's groups",
    arguments="userlist:userlist",
    needs=Needs.HEAD,
    each=_groups,
)
def _auth_group(call: Call) -> Fetch:
    userlist: Userlist = call.values[0]

    def run(x: Any) -> bytes | None:
        found = basic(x)
        return found[0] if found is not None and userlist.accepts(*found) else None

    return run
