"""What happens once at the end of every exchange: counters, log line, slot, and the object made ready for the next one.

Owns: the order of these. Must not know: transports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import connect, tracking
from .route import SHOWN

if TYPE_CHECKING:
    from .exchange import RelayExchange


def log_early(exchange: RelayExchange, now: float, head_size: int) -> None:
    """`option logasap`: the line of an exchange of which `head_size` bytes of a response's head are being sent. There
    is none when it ends."""
    log = exchange.client.frontend.early_log
    level = exchange.log_level
    if log is None or (level is not None and level < 0):
        return
    exchange.dirty = True
    exchange.bytes_to_client += head_size
    exchange.snapshot_at(now)
    log.write(exchange, level)
    exchange.bytes_to_client -= head_size
    exchange.log_level = -1


def end_exchange(exchange: RelayExchange, logged: bool, now: float) -> None:
    """Close the books on an exchange. `logged` False: no log line (T6, monitor-uri)."""
    client = exchange.client
    client.exchange = None
    server = exchange.server
    route = exchange.route
    status = exchange.status
    if server is None:
        traffic = route.own_traffic
    else:
        traffic = route.traffic[server.index]
        if exchange.response_at == now and not exchange.dirty:
            # It waited for nothing, and its response came in one piece.
            traffic.total_time += now - exchange.first_byte_at
        elif exchange.response_at >= 0.0:
            traffic.add_times(exchange, now)
    traffic.bytes_in += exchange.bytes_from_client
    traffic.bytes_out += exchange.bytes_to_client
    traffic.classes[status // 100] += 1
    frontend = client.frontend
    if frontend.tracking is SHOWN:
        tracking.count_bytes(exchange, now)
    log = frontend.access_log
    if log is not None and logged:
        level = exchange.log_level
        if level is None or level >= 0:
            exchange.end_at = now
            exchange.record()
            log.write(exchange, level)
    if frontend.tracking:
        if frontend.tracking is SHOWN:
            tracking.release(exchange, now)
        elif exchange.session.tracked is not None or exchange.challenged:
            tracking.count_bytes(exchange, now)
            tracking.release(exchange, now)
        else:
            # Both at once.
            tracked = exchange.tracked
            if tracked is not None:
                exchange.tracked = None
                for entry in tracked:
                    finish = entry.finish
                    finish(entry, exchange.bytes_from_client, exchange.bytes_to_client, int(now))
    if exchange.dirty:
        traffic.bytes_in -= exchange.counted_in
        traffic.bytes_out -= exchange.counted_out
        exchange.clean()
    if server is not None:
        exchange.server = None
        waiter = route.backend.freed(server)
        if waiter is not None:
            connect.called(waiter, server)
