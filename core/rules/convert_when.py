"""The converter that lets a value pass only if something is so of the exchange (manual 7.3.1, when).

Owns: the conditions. Must not know: the value, how ACLs are found (the site has them).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import Call, Needs, Scoped, converter
from .samples import ANY


def is_normal(x: Any) -> bool:
    """No error, time-out, retry, redispatch or 5xx up to now, as for `option dontlog-normal` (manual 8.3.3)."""
    return x.termination in (b"--", b"") and not x.retries and not x.redispatched and not 500 <= x.status < 600


def is_error(x: Any) -> bool:
    return not is_normal(x)


def is_forwarded(x: Any) -> bool:
    """There was or is a connection to a server."""
    return x.server is not None or x.connect_at >= 0


def never(x: Any) -> bool:
    """No request is answered by an applet: there are none."""
    return False


CONDITIONS: dict[bytes, Callable[[Any], bool]] = {
    b"error": is_error,
    b"forwarded": is_forwarded,
    b"normal": is_normal,
    b"processed": is_forwarded,
    b"toapplet": never,
}


def _acl(call: Call) -> Callable[[Any], bool]:
    """The test of the ACL that the second argument names."""
    if not call.values[1]:
        raise call.error("the name of an ACL is expected", 1)
    acls = getattr(call.site, "acls", None)
    acl = None if acls is None else acls.find(call.arguments[1].text, call.stage)
    if acl is None:
        raise call.error(f"there is no ACL '{call.arguments[1].text}'", 1)
    test: Callable[[Any], bool] = acl.test
    return test


@converter(
    "when",
    ANY,
    None,
    "As it is, if this is so (or not, with !): error forwarded normal processed stopping toapplet, or acl and a name",
    arguments="condition:string name:string?",
    # It looks at how far the exchange has come; and what its ACL leaves is not known here.
    needs=Needs.LEAVES,
)
def _when(call: Call) -> Scoped:
    name = call.values[0]
    negated = name.startswith(b"!")
    condition = CONDITIONS.get(name[1:] if negated else name)
    if name.lstrip(b"!") == b"stopping":
        process = call.site.process

        def condition(x: Any) -> bool:
            return process.draining

    if name.lstrip(b"!") == b"acl":
        condition = _acl(call)
    elif call.values[1] is not None:
        raise call.error("only acl takes a name", 1)
    if condition is None:
        known = ", ".join(sorted(text.decode() for text in {*CONDITIONS, b"acl", b"stopping"}))
        raise call.error(f"a condition is one of {known}", 0)
    test = condition
    if negated:
        return Scoped(lambda x, value: None if test(x) else value)
    return Scoped(lambda x, value: value if test(x) else None)
