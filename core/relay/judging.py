"""Counting answers in stick tables by their status, where `http-err-codes` or `http-fail-codes` say which.

Owns: the step that does. Must not know: tables. The usual codes have a step of their own, which is cheaper
(tracking.count_response).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.global_spec import ERROR_CODES, FAILURE_CODES
from .tracking import count_error, count_failure, count_response

if TYPE_CHECKING:
    from .exchange import RelayExchange
    from .route import Run


def counting(errors: frozenset[int], failures: frozenset[int]) -> Run:
    """The step before the rules of responses that counts them. A status may be both."""
    if errors == ERROR_CODES and failures == FAILURE_CODES:
        return count_response

    def count(exchange: RelayExchange) -> None:
        answer = exchange.answer
        assert answer is not None
        if answer.status in errors:
            count_error(exchange)
        if answer.status in failures:
            count_failure(exchange)

    return count
