"""Fetches that conditions and expressions share: named ACLs as a boolean, and the first line of a message.

Owns: these. Must not know: how ACLs are compiled: the site of a proxy's rules has them (acl_set.ProxySite).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalogue import ANYWHERE, BOTH, REQUEST_STAGES, Call, Fetch, Needing, Needs, fetch
from .samples import BOOL, STR

if TYPE_CHECKING:
    from .acl_set import AclSet

MAX_NAMES = 12
"""ACLs that the fetch `acl` takes (HAProxy's limit)."""


@fetch(
    "acl",
    BOOL,
    ANYWHERE,
    "Whether all of the named ACLs match; `!` before a name negates it",
    arguments="name:string " + " ".join([f"name{number}:string?" for number in range(2, MAX_NAMES + 1)]),
    needs=Needs.NOTHING,
)
def _acl(call: Call) -> Fetch | Needing:
    acls: AclSet | None = getattr(call.site, "acls", None)
    tests = []
    needs = Needs.NOTHING
    for index, argument in enumerate(call.arguments):
        name = argument.text.lstrip("!")
        acl = acls.find(name, call.stage) if acls is not None else None
        if acl is None or acls is None:
            raise call.error(f"there is no ACL '{name}'", index)
        if not acls.is_known(name):
            raise call.error(f"there is no ACL '{name}' before this line", index, "move its line up")
        needs |= acl.needs
        tests.append((acl.test, (len(argument.text) - len(name)) % 2 == 0))
    if len(tests) == 1:
        only, wanted = tests[0]
        return Needing(only if wanted else lambda x: not only(x), needs)
    listed = tuple(tests)

    def run(x: Any) -> bool:
        for test, wanted in listed:  # noqa: SIM110 -- a generator costs 0.3 us
            if test(x) is not wanted:
                return False
        return True

    return Needing(run, needs)


@fetch("message.line", STR, BOTH, "The request line, in responses the status line", needs=Needs.HEAD)
def _line(call: Call) -> Fetch:
    def status_line(x: Any) -> Any:
        answer = x.answer
        return None if answer is None else answer.line

    def request_line(x: Any) -> bytes | None:
        head = x.head
        if head is None:
            return None
        return b"%b %b HTTP/1.%d" % (head.method, head.target, head.version - 10)

    return request_line if call.stage & REQUEST_STAGES else status_line
