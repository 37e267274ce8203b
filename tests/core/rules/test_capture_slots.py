"""Slots for captures: which lines make one, in which order."""

from __future__ import annotations

import pytest
from maniple.core.config.model import ProxySpec
from maniple.core.rules.capture_slots import slot_at, slots_of
from maniple.tests.core.rules.lines import read


def spec_of(lines: str, name: str = "f") -> ProxySpec:
    key = {"f": "front", "b": "back", "l": "both"}[name]
    (spec,) = [one for one in read(**{key: lines}).proxies if one.name == name]
    return spec


REQUEST: tuple[tuple[str, list[tuple[int, bytes]]], ...] = (
    ("", []),
    ("capture request header Host len 5", [(5, b"host")]),
    ("declare capture request len 7", [(7, b"")]),
    ("http-request capture path len 9", [(9, b"")]),
    ("tcp-request content capture src len 9", [(9, b"")]),
    ("http-request capture path id 0", []),
    ("http-request capture path len 9 if { path len }", [(9, b"")]),
    ("http-request set-header capture len", []),
    ("capture response header X len 5\ndeclare capture response len 5", []),
    (
        "http-request capture path len 3\ncapture request header A len 1\ndeclare capture request len 2",
        [(3, b""), (1, b"a"), (2, b"")],
    ),
)


@pytest.mark.parametrize(("lines", "expected"), REQUEST, ids=[row[0] or "-" for row in REQUEST])
def test_of_requests(lines: str, expected: list[tuple[int, bytes]]) -> None:
    assert [(slot.length, slot.header) for slot in slots_of(spec_of(lines), request=True)] == expected


def test_of_responses() -> None:
    spec = spec_of("capture response header X len 5\nhttp-request capture path len 9\ndeclare capture response len 6")
    assert [(slot.length, slot.header) for slot in slots_of(spec, request=False)] == [(5, b"x"), (6, b"")]


def test_backends_have_none_listen_sections_have() -> None:
    assert slots_of(spec_of("http-request capture path len 9", "b"), request=True) == ()
    assert len(slots_of(spec_of("http-request capture path len 9", "l"), request=True)) == 1


def test_slot_of_a_line() -> None:
    lines = "declare capture request len 7\nhttp-request deny if FALSE\nhttp-request capture path len 9"
    spec = spec_of(lines)
    assert [slot_at(spec, rule.place) for rule in spec.rules] == [0, -1, 1]
