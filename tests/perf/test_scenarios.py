"""Scenarios: the traffic is what its title says."""

from __future__ import annotations

import pytest
from maniple.perf import scenarios
from maniple.perf.scenarios import BY_NAME, CLIENT, SCENARIOS, Cookies, Kind, Scenario, client_mark, request_head

AUTHORITY = "127.0.0.1:8080"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_head_is_one_whole_head(scenario: Scenario) -> None:
    head = request_head(scenario, AUTHORITY)
    assert head.endswith("\r\n\r\n")
    assert head.count("\r\n\r\n") == 1
    assert head.startswith(f"{scenario.method} /")
    assert f"Host: {AUTHORITY}\r\n" in head
    assert (CLIENT in head) == (scenario.cookies is not Cookies.NONE)
    assert ("Connection: close" in head) == (not scenario.keep_alive)
    assert (f"Content-Length: {scenario.upload}" in head) == bool(scenario.upload)


def test_browser_head_has_twelve_fields_and_about_600_bytes() -> None:
    head = request_head(BY_NAME["browser"], AUTHORITY).replace(CLIENT, client_mark(1))
    assert head.count("\r\n") - 2 == 12
    assert 560 <= len(head) <= 640


def test_names_are_unique_and_every_kind_is_used() -> None:
    assert len(BY_NAME) == len(SCENARIOS)
    assert {scenario.kind for scenario in SCENARIOS} == set(Kind)


def test_clients_differ() -> None:
    assert len({client_mark(number) for number in range(10_000)}) == 10_000
    assert all(len(client_mark(number)) == 8 for number in (0, 1, 9999))


def test_select() -> None:
    assert scenarios.select([]) == SCENARIOS
    assert [scenario.name for scenario in scenarios.select(["start", "small"])] == ["small", "start"]
    with pytest.raises(KeyError, match="bigger"):
        scenarios.select(["small", "bigger"])
