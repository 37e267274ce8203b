"""The passes of rules over responses. (Those that are held back: test_holding.)"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.tests.core.relay.rig import GET, OK, Rig
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]


def test_a_response_is_changed(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-response set-header A b\nhttp-after-response set-status 299")
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    assert client.take() == b"HTTP/1.1 299 Success\r\ncontent-length: 2\r\na: b\r\n\r\nok"
    assert rig.lines() == [(299, "--")]


def test_interim_responses_are_none(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-response set-header A b")
    client = rig.ask()
    rig.send(rig.upstream(), b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
    assert client.take() == b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    rig.send(rig.upstream(), OK)
    assert b"a: b\r\n" in client.take()


@pytest.mark.parametrize(
    ("rule", "line", "denied"),
    [("deny", (502, "PH"), 1), ("return status 404", (404, "LH"), 0), ("silent-drop", None, None)],
)
def test_a_response_that_is_refused(
    make_rig: Make, rule: str, line: tuple[int, str] | None, denied: int | None
) -> None:
    rig = ruled(make_rig, f"http-response {rule} if TRUE\nhttp-response set-header A b")
    client = rig.ask(GET)
    rig.send(rig.upstream(), OK)
    assert b"a: b" not in client.take()
    if line is not None:
        assert rig.lines() == [line]
        assert rig.backend.counts.dresp == rig.frontend.counts.dresp == denied
        assert rig.idle == 1
    rig.assert_quiet()


def test_what_was_received_is_not_kept(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-response set-header A %[res.body_len]")
    client = rig.ask(GET)
    own = client.protocol.own  # type: ignore[attr-defined]
    rig.send(rig.upstream(), OK)
    assert b"a: 2\r\n" in client.take()
    assert (own.held, own.received_head, own.received) == (None, None, b"")
