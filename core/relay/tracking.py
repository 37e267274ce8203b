"""What tracked entries of stick tables hear of: sessions, requests, errors, bytes, the end.

Owns: which event is told when (manual 11.1; measured: HAProxy 3.0). Must not know: rules, what a table stores
(rules/trackers).

    connection   begins where the rule is run; counted as a session when connection and session rules have let it in
    request      after `tcp-request content` of the frontend, valid or not; what that of a backend tracks: when the
                 backend's rules begin; what http-request and http-response track: there
    error        4xx of a server, denied, tarpitted, what is no request; asked for a password (behind the answer)
    failure      5xx of a server but 501 and 505, a response that is none, or that does not come, or not whole (once;
                 HAProxy 3.0 counts most of the latter twice)
    bytes        when the exchange ends, before its log line
    end          of what an exchange tracks: behind its log line; of what a session tracks: when its connection closes

Invariants: called only for frontends whose `tracking` is set (build_tracking), so that others pay a look at that;
whatever is tracked is released once, on every way that an exchange or a session ends, since all go through
`ending.end_exchange` and `accounts.leave`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..rules.trackers import Tracking
    from ..session import Session
    from .exchange import RelayExchange


def count_session(exchange: RelayExchange) -> None:
    """The last step of the rules for connections."""
    tracked = exchange.session.tracked
    if tracked is not None:
        now = int(exchange.client.relay.clock() * 1000.0)
        for entry in tracked:
            entry.tracker.session(entry.slot, now)


def count_request(exchange: RelayExchange) -> None:
    """The step behind the frontend's content rules."""
    now = int(exchange.client.relay.clock() * 1000.0)
    tracked = exchange.session.tracked
    if tracked is not None:
        for entry in tracked:
            entry.tracker.request(entry.slot, now)
    tracked = exchange.tracked
    if tracked is not None:
        for entry in tracked:
            entry.tracker.request(entry.slot, now)


def count_in_backend(exchange: RelayExchange) -> None:
    """The step behind a backend's content rules."""
    tracked = exchange.tracked
    if tracked is not None:
        now = int(exchange.client.relay.clock() * 1000.0)
        for entry in tracked:
            if entry.late:
                entry.tracker.request(entry.slot, now)


def count_response(exchange: RelayExchange) -> None:
    """The step before the rules of responses."""
    answer = exchange.answer
    assert answer is not None
    status = answer.status
    if status >= 400:
        if status < 500:
            count_error(exchange)
        elif status not in (501, 505):
            count_failure(exchange)


def _tracked(exchange: RelayExchange) -> tuple[Tracking, ...]:
    """All that the session and the exchange track."""
    return (*(exchange.session.tracked or ()), *(exchange.tracked or ()))


def count_error(exchange: RelayExchange) -> None:
    """An error of the client's."""
    now = int(exchange.client.relay.clock() * 1000.0)
    for entry in _tracked(exchange):
        entry.tracker.error(entry.slot, now)


def count_failure(exchange: RelayExchange) -> None:
    """A failure of the server's."""
    now = int(exchange.client.relay.clock() * 1000.0)
    for entry in _tracked(exchange):
        entry.tracker.failure(entry.slot, now)


def count_no_request(session: Session, now: float, error: bool) -> None:
    """What came is no request, or did not come whole. `error`: not because it did not come in time."""
    tracked = session.tracked
    if tracked is not None:
        at = int(now)
        for entry in tracked:
            entry.tracker.request(entry.slot, at)
            if error:
                entry.tracker.error(entry.slot, at)


def count_bytes(exchange: RelayExchange, now: float) -> None:
    """The exchange has moved all that it will."""
    if exchange.challenged:
        count_error(exchange)
    at = int(now)
    for entry in _tracked(exchange):
        entry.tracker.carry(entry.slot, exchange.bytes_from_client, exchange.bytes_to_client, at)


def release(exchange: RelayExchange, now: float) -> None:
    """The exchange tracks nothing any more."""
    tracked = exchange.tracked
    if tracked is not None:
        exchange.tracked = None
        for entry in tracked:
            entry.tracker.end(entry.slot, int(now))


def leave(session: Session, now: float) -> None:
    """The session tracks nothing any more."""
    tracked = session.tracked
    if tracked is not None:
        session.tracked = None
        at = int(now)
        for entry in tracked:
            entry.tracker.end(entry.slot, at)
