"""Actions on what surrounds a message: priorities, timeouts, log level, marks, addresses, status, captures.

Owns: these. Must not know: sockets, routes (the exchange has functions for what is done with them).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config.model import RuleWord
from ..http.edit import edit_response
from ..http.reasons import reason_of
from ..units import parse_time
from .actions import ALL, CONTENT, HTTP, REQUEST, RESPONSE, RESPONSE_CONTENT, RESPONSES, TCP, Act, Use, action
from .capture_slots import slot_at, slots_of
from .catalogue import Needs
from .samples import Type

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
SILENT = -1
"""`set-log-level silent`: no line."""
_REQUEST_SIDE = TCP - RESPONSE_CONTENT | REQUEST


@action("set-log-level", CONTENT | RESPONSE_CONTENT | HTTP, "<level>", "Level of the log line; silent: no line")
def _set_log_level(use: Use) -> Act:
    word = use.take("a level")
    if word.text != "silent" and word.text not in LEVELS:
        raise use.error(f"unknown level '{word.text}'", word, f"levels are {', '.join(LEVELS)}, silent")
    level = SILENT if word.text == "silent" else LEVELS.index(word.text)

    def act(x: Any) -> None:
        x.dirty = True
        x.log_level = level

    return act


def _clamped(field: str, limit: int) -> Callable[[Use], Act]:
    def make(use: Use) -> Act:
        run = use.expression(Type.INT).run

        def act(x: Any) -> None:
            value = run(x)
            if value is not None:
                x.dirty = True
                setattr(x, field, max(-limit, min(limit, value)))

        return act

    return make


action("set-priority-class", CONTENT | REQUEST, "<expression>", "Class in the queue: lower is earlier")(
    _clamped("priority_class", 2047)
)
action("set-priority-offset", CONTENT | REQUEST, "<expression>", "Milliseconds later (or earlier) in the queue")(
    _clamped("priority_offset", 524287)
)


@action("set-nice", CONTENT | RESPONSE_CONTENT | HTTP, "<nice>", "Accepted: an event loop has no priorities")
def _set_nice(use: Use) -> Act:
    use.number("a nice value", -1024, 1024)
    return lambda x: None


def _on_socket(method: str, most: int) -> Callable[[Use], Act]:
    def make(use: Use) -> Act:
        if use.ended():
            use.take_nothing("a value")
        if use.peek()[:1].isdigit():
            fixed = use.number("a value", 0, most)
            return lambda x: getattr(x, method)(fixed)
        run = use.expression(Type.INT).run

        def act(x: Any) -> None:
            value = run(x)
            if value is not None:
                getattr(x, method)(value & most)

        return act

    return make


_MARK, _TOS = "{<mark>|<expression>}", "{<tos>|<expression>}"
action("set-fc-mark set-mark", ALL - RESPONSES | RESPONSE, _MARK, "Netfilter mark of packets to the client")(
    _on_socket("mark_client", 0xFFFFFFFF)
)
action("set-fc-tos set-tos", ALL - RESPONSES | RESPONSE, _TOS, "TOS byte of packets to the client")(
    _on_socket("set_client_tos", 255)
)
action("set-bc-mark", CONTENT | REQUEST, _MARK, "Netfilter mark of a connection to the server, for this request")(
    _on_socket("mark_server", 0xFFFFFFFF)
)
action("set-bc-tos", CONTENT | REQUEST, _TOS, "TOS byte of a connection to the server, for this request")(
    _on_socket("set_server_tos", 255)
)


def _address(field: str) -> Callable[[Use], Act]:
    def make(use: Use) -> Act:
        run = use.expression(Type.IP).run

        def act(x: Any) -> None:
            value = run(x)
            if value:
                x.readdress(field, value, None)

        # What it was is kept, to be restored.
        use.needs |= Needs.CONNECTION
        return act

    return make


def _port(field: str) -> Callable[[Use], Act]:
    def make(use: Use) -> Act:
        run = use.expression(Type.INT).run

        def act(x: Any) -> None:
            value = run(x)
            if value is not None:
                x.readdress(field, None, value & 0xFFFF)

        use.needs |= Needs.CONNECTION
        return act

    return make


action("set-src", _REQUEST_SIDE, "<expression>", "The client's address from here on")(_address("source"))
action("set-src-port", _REQUEST_SIDE, "<expression>", "The client's port from here on")(_port("source"))
action("set-dst", _REQUEST_SIDE, "<expression>", "The address that the client connected to, from here on")(
    _address("destination")
)
action("set-dst-port", _REQUEST_SIDE, "<expression>", "The port that the client connected to, from here on")(
    _port("destination")
)


@action("set-timeout", REQUEST | RESPONSE, "{server|tunnel|client} {<time>|<expression>}", "A timeout of this exchange")
def _set_timeout(use: Use) -> Act:
    word = use.take("a timeout")
    which = word.text
    if which not in ("server", "tunnel", "client"):
        raise use.error(f"unknown timeout '{which}'", word, "timeouts are server, tunnel, client")
    spec = use.ground.spec
    if spec is not None and which != "client" and not spec.has_backend:
        raise use.error(f"a frontend has no timeout {which}", word, "it is said in the backend")
    if spec is not None and which == "client" and not spec.has_frontend:
        raise use.error("a backend has no timeout client", word, "it is said in the frontend")
    if use.ended():
        use.take_nothing("a time")
    text = use.rest[0].text
    if text[:1].isdigit():
        place = use.take("a time")
        try:
            fixed = parse_time(text)
        except ValueError as error:
            raise use.unreadable(error, place) from None
        if not fixed:
            raise use.error("a timeout is more than 0", place)

        def act(x: Any) -> None:
            x.set_timeout(which, fixed)

        return act
    run = use.expression(Type.INT).run

    def act_on(x: Any) -> None:
        value = run(x)
        if value is not None and value > 0:
            x.set_timeout(which, value)

    return act_on


@action("set-retries", REQUEST, "{<number>|<expression>}", "Attempts after the first that fails to connect")
def _set_retries(use: Use) -> Act:
    if use.ended():
        use.take_nothing("a number")
    if use.rest[0].text.isdigit():
        number = use.number("a number", 0, 100)
        return lambda x: x.set_retries(number)
    run = use.expression(Type.INT).run

    def act(x: Any) -> None:
        value = run(x)
        if value is not None and 0 <= value <= 100:
            x.set_retries(value)

    return act


@action("set-status", RESPONSES, "<status> [reason <text>]", "Change the status")
def _set_status(use: Use) -> Act:
    status = use.number("a status", 100, 999)
    reason = reason_of(status)
    if use.skip("reason"):
        word, reason = use.text("a reason")
        if any(byte < 0x20 for byte in reason):
            raise use.error("a reason is a text without controls", word)
    text = b" %d %b\r\n" % (status, reason)

    def act(x: Any) -> None:
        head = x.answer = edit_response(x.answer)
        head.status = status
        head.reason = reason
        head.start = b"HTTP/1.%d%b" % (head.version - 10, text)

    return act


def _refuse_slot(use: Use, slot: int, word: RuleWord) -> None:
    """A slot that the frontend does not have. Of a backend's rule, and of a set's, nobody knows the frontend."""
    spec, side = use.ground.spec, "request" if use.ground.request else "response"
    if spec is None or not spec.has_frontend:
        return
    slots = len(slots_of(spec, request=use.ground.request))
    if slot >= slots:
        there = f"slots are 0 to {slots - 1}; " if slots > 1 else "the only slot is 0; " if slots else ""
        hint = f"{there}`declare capture {side} len <length>` makes one, `capture {side} header` too"
        message = f"{spec.kind} '{spec.name}' has no slot {slot} for captures of {side}s"
        raise use.error(message, word, hint)


@action("capture", CONTENT | HTTP, "<expression> {len <length>|id <id>}", "Keep a value for the log")
def _capture(use: Use) -> Act:
    run = use.expression(Type.STR).run
    word = use.take("len or id")
    if word.text not in ("len", "id"):
        raise use.error(f"unknown word '{word.text}'", word, use.usage())
    by_id = word.text == "id"
    if not by_id and not use.ground.request:
        raise use.error("a response's capture needs the `id` of a slot", word, "see `declare capture response`")
    place = use.rest[0] if use.rest else word
    number = use.number(f"a capture's {word.text}", 0 if by_id else 1, 65535)
    spec = use.ground.spec
    if by_id:
        slot = number
        _refuse_slot(use, slot, place)
    else:
        if spec is None or not spec.has_frontend:
            raise use.error("a backend has no place of its own for captures", word, "use `id`")
        slot = slot_at(spec, use.place)
        if slot < 0:
            raise use.error("a capture after `then` needs the `id` of a slot", word, "see `declare capture request`")
    request = use.ground.request

    def act(x: Any) -> None:
        value = run(x)
        if value is not None:
            x.capture(request, slot, value)

    return act
