"""What a backend's cookie decides: requests read, cookies inserted, against the table of manual 8.5's letters."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.balance.cookie_dates import NO_DATES, write_date
from maniple.core.balance.persistence import Persistence
from maniple.core.balance.set_cookie import Fate
from maniple.core.config.cookie_spec import CookieSpec
from maniple.core.session import DIRECT, FORCED, IGNORED
from maniple.tests.core.balance.conftest import make_farm

NOW = 1_800_000_000
VALUES = (b"a", b"b", b"down", None, b"down")
DOWN = (2,)


def made(mode: str = "insert", persists: bool = False, **words: Any) -> tuple[Persistence, Backend]:
    farm = make_farm(weights="1 1 1 1 1b")
    for place in DOWN:
        farm.set_usable(farm.servers[place], False)
    return Persistence(CookieSpec("X", mode, **words), farm.servers, VALUES, persists), farm


def dated(name: bytes, last: int, first: int | None = None) -> bytes:
    value = name + b"|" + write_date(NOW + last)
    return value if first is None else value + b"|" + write_date(NOW + first)


# Values of the cookie, bits, bound before -> server, letter.
READ: list[tuple[list[bytes], int, bool, str, bytes]] = [
    ([], 0, False, "", b"N"),
    ([b"a"], 0, False, "a", b"V"),
    ([b"b"], FORCED, False, "b", b"V"),
    ([b"z"], 0, False, "", b"I"),
    ([b""], 0, False, "", b"I"),
    ([b"z", b"a"], 0, False, "a", b"V"),
    ([b"a", b"z"], 0, False, "a", b"V"),
    ([b"a", b"b"], 0, False, "a", b"V"),
    ([b"down"], 0, False, "e", b"V"),
    ([b"down"], FORCED, False, "c", b"D"),
    ([b"a"], IGNORED, False, "", b"U"),
    ([b"a"], 0, True, "", b"U"),
    ([b"a|"], 0, False, "a", b"V"),
]


@pytest.mark.parametrize(("values", "flags", "bound", "name", "letter"), READ)
def test_read(values: list[bytes], flags: int, bound: bool, name: str, letter: bytes) -> None:
    persistence, _ = made()
    found = persistence.read(values, flags, bound, NOW)
    assert (found.server.name if found.server else "", found.letter) == (name, letter)


def test_all_servers_of_a_value_are_down() -> None:
    persistence, farm = made()
    farm.set_usable(farm.servers[4], False)
    assert persistence.read([b"down"], 0, False, NOW)[:2] == (None, b"D")
    assert persistence.read([b"down", b"z"], 0, False, NOW)[:2] == (None, b"D")
    assert persistence.read([b"down", b"b"], 0, False, NOW)[:2] == (farm.servers[1], b"V")


def test_option_persist() -> None:
    persistence, farm = made(persists=True)
    assert persistence.read([b"down"], 0, False, NOW)[:2] == (farm.servers[2], b"D")


DATES: list[tuple[dict[str, Any], bytes, bytes]] = [
    ({}, dated(b"a", -9999), b"V"),
    ({"maxidle": 100}, b"a", b"V"),
    ({"maxidle": 100}, dated(b"a", -90), b"V"),
    ({"maxidle": 100}, dated(b"a", -110), b"E"),
    ({"maxidle": 100}, dated(b"a", 86000), b"V"),
    ({"maxidle": 100}, dated(b"a", 87000), b"E"),
    ({"maxidle": 100}, dated(b"a", 0, -9999), b"V"),
    ({"maxidle": 100}, b"a|/////", b"E"),
    ({"maxlife": 100}, dated(b"a", -9999), b"V"),
    ({"maxlife": 100}, dated(b"a", 0, -90), b"V"),
    ({"maxlife": 100}, dated(b"a", 0, -110), b"O"),
    ({"maxlife": 100}, dated(b"a", 0, 87000), b"O"),
    ({"maxlife": 100, "maxidle": 50}, dated(b"a", -60, -110), b"O"),
]


@pytest.mark.parametrize(("words", "value", "letter"), DATES)
def test_dates(words: dict[str, Any], value: bytes, letter: bytes) -> None:
    persistence, farm = made(**words)
    found = persistence.read([value], 0, False, NOW)
    assert found.letter == letter
    assert (found.server is farm.servers[0]) is (letter == b"V")
    if letter != b"V":
        assert found.dates == NO_DATES


def test_prefixed_values_have_no_dates() -> None:
    persistence, farm = made("prefix", maxidle=5)
    assert persistence.read([b"a~x|AAAAB"], 0, False, NOW) == (farm.servers[0], b"V", NO_DATES)
    assert persistence.read([b"~x"], 0, False, NOW).letter == b"I"


FATES = [
    ("insert", {}, 0, 0, Fate.REMOVED),
    ("insert", {}, 3, 0, Fate.REMOVED),
    ("insert", {"preserve": True}, 0, DIRECT, Fate.KEPT),
    ("rewrite", {}, 0, DIRECT, Fate.REPLACED),
    ("rewrite", {}, 3, 0, Fate.KEPT),
    ("prefix", {}, 0, 0, Fate.PREFIXED),
    ("prefix", {"indirect": True}, 0, DIRECT, Fate.REMOVED),
    ("prefix", {"indirect": True}, 0, 0, Fate.PREFIXED),
    ("", {}, 0, DIRECT, Fate.KEPT),
    ("", {"indirect": True}, 0, DIRECT, Fate.REMOVED),
]


@pytest.mark.parametrize(("mode", "words", "place", "flags", "fate"), FATES)
def test_fates(mode: str, words: dict[str, bool], place: int, flags: int, fate: Fate) -> None:
    persistence, farm = made(mode, **words)
    assert persistence.fate_of(farm.servers[place], flags) is fate


OLD, FRESH = NOW - 50, NOW + 2
INSERTIONS: list[tuple[dict[str, Any], int, int, tuple[int, int], bytes, bool, bytes]] = [
    ({}, 0, 0, NO_DATES, b"GET", False, b"I"),
    ({}, 3, 0, NO_DATES, b"GET", False, b"I"),
    ({}, 0, DIRECT, NO_DATES, b"GET", False, b""),
    ({}, 0, IGNORED, NO_DATES, b"GET", False, b""),
    ({}, 0, 0, NO_DATES, b"GET", True, b"I"),
    ({"preserve": True}, 0, 0, NO_DATES, b"GET", True, b""),
    ({"preserve": True}, 0, 0, NO_DATES, b"GET", False, b"I"),
    ({"postonly": True}, 0, 0, NO_DATES, b"GET", False, b""),
    ({"postonly": True}, 0, 0, NO_DATES, b"POST", False, b"I"),
    ({"maxidle": 100}, 0, DIRECT, NO_DATES, b"GET", False, b"U"),
    ({"maxidle": 100}, 0, DIRECT, (OLD, 0), b"GET", False, b"U"),
    ({"maxidle": 100}, 0, DIRECT, (FRESH, 0), b"GET", False, b""),
    ({"maxidle": 100}, 0, DIRECT, (FRESH, OLD), b"GET", False, b"U"),
    ({"maxlife": 100}, 0, DIRECT, (FRESH, OLD), b"GET", False, b""),
    ({"maxlife": 100}, 0, DIRECT, (OLD, OLD), b"GET", False, b"U"),
    ({"maxlife": 100}, 0, DIRECT, NO_DATES, b"GET", False, b"U"),
    ({}, 0, DIRECT, (OLD, 0), b"GET", False, b"U"),
    ({}, 3, DIRECT, (OLD, 0), b"GET", False, b"I"),
    ({"mode": "rewrite"}, 0, 0, NO_DATES, b"GET", False, b""),
]


@pytest.mark.parametrize(("words", "place", "flags", "dates", "method", "found", "letter"), INSERTIONS)
def test_insertions(
    words: dict[str, Any],
    place: int,
    flags: int,
    dates: tuple[int, int],
    method: bytes,
    found: bool,
    letter: bytes,
) -> None:
    persistence, farm = made(**words)
    added = persistence.insertion(farm.servers[place], flags, dates, NOW, method, found)
    assert (added.letter if added else b"") == letter
    if added:
        assert added.value.startswith(b"X=" + (VALUES[place] or b"; Expires="))
