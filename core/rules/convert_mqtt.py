"""Converters that look into the packet of MQTT at the start of a stream (manual 7.3.1).

Owns: both. Must not know: how packets are read (mqtt). Invariant: a packet that is cut off has no value, so that rules
wait for more bytes; nor has a text that is empty.
"""

from __future__ import annotations

from .catalogue import Call, Convert, converter, plain_converter
from .mqtt import CONNACK, CONNECT, NAMES, NUMBERS, Broken, Field, Unfinished, read_packet
from .samples import BIN, BOOL

_PACKETS = {b"connect": CONNECT, b"1": CONNECT, b"connack": CONNACK, b"2": CONNACK}


@plain_converter("mqtt_is_valid", BIN, BOOL, "Whether it starts with a right CONNECT or CONNACK packet")
def mqtt_is_valid(value: bytes) -> bool | None:
    try:
        read_packet(value)
    except Unfinished:
        return None
    except Broken:
        return False
    return True


@converter(
    "mqtt_field_value",
    BIN,
    BIN,
    "A field of a CONNECT or CONNACK packet, by name, or a property of it, by number",
    arguments="packet:string field:string",
)
def _mqtt_field_value(call: Call) -> Convert:
    kind = _PACKETS.get(call.values[0].lower())
    if kind is None:
        raise call.error("a packet is connect (1) or connack (2)", 0)
    text = call.arguments[1].text.lower()
    field: Field = text
    if text.isascii() and text.isdigit() and len(text) < 4:
        field = int(text)
        if field not in NUMBERS[kind]:
            raise call.error("such a packet has no property of that number that has a value", 1)
    elif text not in NAMES[kind]:
        raise call.error(f"fields are {', '.join(NAMES[kind])}, or a property's number", 1)

    def run(value: bytes) -> bytes | None:
        try:
            found, fields = read_packet(value)
        except (Unfinished, Broken):
            return None
        content = fields.get(field) if found == kind else None
        return b"%d" % content if isinstance(content, int) else content or None

    return run
