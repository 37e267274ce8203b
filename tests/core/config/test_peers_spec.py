"""Peers sections as data."""

from __future__ import annotations

from maniple.core.config.model import BindSpec, Place
from maniple.core.config.peers_spec import PeersSpec


def test_names_on_the_wire() -> None:
    """A table of the section travels without the section's name, a proxy's with its own (manual 3.5)."""
    spec = PeersSpec(Place("a", 1), "pp", "me", BindSpec(Place("a", 1), "", ()))
    assert [spec.name_on_the_wire(name) for name in ("pp/t", "t", "ppp/t")] == ["/t", "t", "ppp/t"]


def test_in_use() -> None:
    bind = BindSpec(Place("a", 1), "", ())
    assert PeersSpec(Place("a", 1), "pp", "me", bind).in_use
    assert not PeersSpec(Place("a", 1), "pp", "me", None).in_use
    assert not PeersSpec(Place("a", 1), "pp", "me", bind, disabled=True).in_use
