"""The state of a client's reading side, along the way of a request."""

from __future__ import annotations

from collections.abc import Callable

from maniple.core.relay.reading import Reading
from maniple.tests.core.relay.rig import GET, OK, Rig, client_of

UPLOAD = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


def test_request_without_a_body(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    client = rig.client()
    assert client_of(client).reading is Reading.HEAD
    rig.send(client, GET)
    assert client_of(client).reading is Reading.AHEAD
    rig.send(rig.upstream(), OK)
    assert client_of(client).reading is Reading.HEAD


def test_request_with_a_body(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    client = rig.client()
    rig.send(client, UPLOAD + b"he")
    assert client_of(client).reading is Reading.BODY
    rig.send(client, b"llo")
    assert client_of(client).reading is Reading.AHEAD


def test_refused(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    client = rig.client()
    reader = client_of(client)
    rig.send(client, b"GET / HTTP/1.1\nHost: a\n\n")
    assert reader.reading is Reading.DRAIN
