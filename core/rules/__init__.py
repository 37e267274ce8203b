"""The language of rules: sample expressions, conditions, actions (manual chapters 4.2 and 7).

Everything here is compiled once, when a thread is built, to closures that take a *scope*, which is the exchange itself
(scope.py); there are no interpreters, and no objects per request.

    samples      types, values, casts           fetch_*     what can be asked of an exchange
    arguments    kinds, quoting, signatures     convert_*   what can be made of a value
    catalogue    the registries                 keywords    imports all of both, so that the catalogue is full
    expression   text -> closure                variables   txn.x and its kin
    scope        the seam towards the relay

    expression   f(x) -> value | None           match       f(value) -> bool
    acl, condition   f(x) -> bool               action      f(x) -> None | verdict
    rule set     a tuple of (condition or None, action), run in order until a verdict

Must not know: balance, relay, report. What they have is asked for through `scope`. Heads are edited by http.edit.
"""
