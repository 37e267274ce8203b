"""Fetches of how far an exchange has come, and of the timeouts that it has now (manual 7.3.2, 7.3.4, 7.3.6).

Owns: these. Must not know: messages, who changes a timeout (`set-timeout`).
"""

from __future__ import annotations

import math
from typing import Any

from .catalogue import BACK, FRONT, LOG_ONLY, RESPONSE_KEPT, RUNNING, Call, Fetch, Needs, Stage, fetch, plain_fetch
from .samples import BOOL, INT, STR


def _milliseconds(timeout: float) -> int:
    """0 where there is no such timeout."""
    return 0 if math.isinf(timeout) else int(timeout)


@plain_fetch("cur_client_timeout", INT, FRONT, "timeout client, as it is for this request, in ms")
def cur_client_timeout(x: Any) -> int:
    return _milliseconds(x.client_timeout or x.session.frontend.client_timeout)


@plain_fetch("cur_server_timeout", INT, BACK, "timeout server, as it is for this request, in ms")
def cur_server_timeout(x: Any) -> int:
    return _milliseconds(x.route.server_timeout)


@plain_fetch("cur_tunnel_timeout", INT, BACK, "timeout tunnel, as it is for this request, in ms")
def cur_tunnel_timeout(x: Any) -> int:
    return _milliseconds(x.route.tunnel_timeout)


@plain_fetch("txn.conn_retries", INT, RUNNING, "How often connecting was tried again")
def conn_retries(x: Any) -> Any:
    return x.retries


@plain_fetch("txn.redispatched", BOOL, RUNNING, "Whether another server was chosen when one could not be reached")
def redispatched(x: Any) -> Any:
    return x.redispatched


@plain_fetch("txn.sess_term_state", STR, RUNNING, "How the exchange ended, in two letters (manual 8.5)")
def sess_term_state(x: Any) -> Any:
    return x.termination


@plain_fetch("txn.status", INT, RESPONSE_KEPT, "The status that the client gets", needs=Needs.RESPONSE)
def status(x: Any) -> int | None:
    if x.status >= 0:
        return x.status  # type: ignore[no-any-return]
    return None if x.answer is None else x.answer.status


@plain_fetch("txn.timer.total", INT, LOG_ONLY, "Ta: from the request's first byte to the end")
def total_time(x: Any) -> int:
    return int(x.end_at) - int(x.first_byte_at)


@plain_fetch("txn.timer.user", INT, LOG_ONLY, "Tu: the same and the time before it, as the client sees it")
def user_time(x: Any) -> int:
    return int(x.end_at) - int(x.idle_since)


@fetch("txn.id32", INT, RUNNING, "The number of the exchange in its thread, as `%rt` shows it", needs=Needs.LEAVES)
def _number(call: Call) -> Fetch:
    if call.stage & Stage.LOG:
        return lambda x: x.number & 0xFFFFFFFF

    def number(x: Any) -> Any:
        if not x.numbered:
            x.snapshot()
        return x.number & 0xFFFFFFFF

    return number
