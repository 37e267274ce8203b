"""Faults: what a peer is told before the connection ends."""

from __future__ import annotations

from maniple.core.errors import ManipleError
from maniple.core.peers.faults import HelloFault, MalformedFault, PeerFault, SizeFault
from maniple.core.peers.messages import Complaint


def test_kinds_are_those_of_error_messages() -> None:
    assert Complaint(MalformedFault.kind) is Complaint.PROTOCOL
    assert Complaint(SizeFault.kind) is Complaint.SIZE


def test_they_are_of_the_one_tree() -> None:
    assert issubclass(PeerFault, ManipleError)
    assert HelloFault(503, "for somebody else").status == 503
