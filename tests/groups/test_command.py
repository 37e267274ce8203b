"""The form of commands."""

from __future__ import annotations

from maniple.groups.command import LEVELS, Payload, refuse
from maniple.groups.steering import Answer


def test_levels_are_ordered() -> None:
    assert LEVELS["user"] < LEVELS["operator"] < LEVELS["admin"]


def test_refuse() -> None:
    ended: list[tuple[list[str], bool]] = []
    refuse(Answer(lambda lines, ok: ended.append((lines, ok))), "no")
    assert ended == [(["no"], False)]


def test_a_payload_is_a_text() -> None:
    assert Payload("a\nb") == "a\nb" and isinstance(Payload(""), str)
