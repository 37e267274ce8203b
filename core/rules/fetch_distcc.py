"""Fetches of what a client of distcc says (manual 7.3.5).

Owns: both. Must not know: the protocol (distcc), who waits for bytes.
"""

from __future__ import annotations

from typing import Any

from .catalogue import BOTH, Call, Fetch, Needs, fetch
from .distcc import Unfinished, find_token
from .fetch_payload import of_message
from .samples import BIN, INT

_ARGUMENTS = "token:string occurrence:integer?"


def _finder(call: Call, body: bool) -> Fetch:
    token = call.values[0]
    if len(token) != 4:
        raise call.error("a token has four characters, as ARGV or DOTI", 0)
    occurrence = 1 if call.values[1] is None else call.values[1]
    if occurrence < 1:
        raise call.error("occurrences are counted from 1", 1)
    data_of = of_message(call)

    def run(x: Any) -> Any:
        data = data_of(x)
        if data is None:
            return None
        try:
            found = find_token(data, token, occurrence)
        except Unfinished:
            x.unsure = True
            return None
        if found is None or not body:
            return None if found is None else found[0]
        if found[1] is None:
            x.unsure = True
        return found[1]

    return run


@fetch("distcc_body", BIN, BOTH, "What follows a token of distcc", arguments=_ARGUMENTS, needs=Needs.PAYLOAD)
def _body(call: Call) -> Fetch:
    return _finder(call, True)


@fetch("distcc_param", INT, BOTH, "The parameter of a token of distcc", arguments=_ARGUMENTS, needs=Needs.PAYLOAD)
def _param(call: Call) -> Fetch:
    return _finder(call, False)
