"""random(draws): the distribution of the draws, and the better of two."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.balance.chance import Chance
from maniple.core.errors import ConfigError
from maniple.core.session import Exchange
from maniple.pools.waiting import Ticket


class Script(random.Random):
    """Returns numbers that were written down."""

    def __init__(self, numbers: list[float]) -> None:
        super().__init__()
        self.numbers = numbers

    def random(self) -> float:
        return self.numbers.pop(0)


def test_one_draw_follows_the_weights(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(weights="1 2 5", algorithm=Chance(("1",), random.Random(7)))
    assert Counter(choices(backend, 8000)) == pytest.approx({"a": 1000, "b": 2000, "c": 5000}, rel=0.1)


@pytest.mark.parametrize(
    ("served", "draws", "chosen"),
    [
        ([3, 1, 2], [0.1, 0.5], "b"),
        ([3, 1, 2], [0.5, 0.1], "b"),
        ([3, 1, 2], [0.1, 0.9], "c"),
        ([3, 1, 2], [0.1, 0.1], "a"),
        ([2, 2, 2], [0.9, 0.1], "c"),
    ],
)
def test_less_loaded_of_two(
    served: list[int], draws: list[float], chosen: str, farm: Callable[..., Backend], exchange: Exchange
) -> None:
    backend = farm(algorithm=Chance((), Script(draws)))
    for server, number in zip(backend.servers, served, strict=True):
        for _ in range(number):
            backend.took(server)
    better = backend.choose(exchange)
    assert better is not None
    assert better.name == chosen


def test_load_is_in_proportion_to_the_weight(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1 4", algorithm=Chance((), Script([0.1, 0.9])))
    backend.took(backend.servers[0])
    for _ in range(3):
        backend.took(backend.servers[1])
    assert backend.choose(exchange) is backend.servers[1]


def test_tie_goes_to_the_one_with_the_lower_rate(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1 1", algorithm=Chance((), Script([0.1, 0.1, 0.1, 0.9, 0.1, 0.9])))
    names = ""
    for moment in (1000.0, 1001.0, 9000.0):
        exchange.head_at = moment
        server = backend.choose(exchange)
        assert server is not None
        names += server.name
    # a; b, because a had one within the second; a again, because nobody had.
    assert names == "aba"


def test_winner_without_room_is_replaced(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(maxconn=1, algorithm=Chance(("1",), Script([0.5] * 5)))
    a, b, c = backend.servers
    placed = [backend.place(exchange, number, number, avoid=a) for number in range(3)]
    assert placed == [b, c, a]
    assert isinstance(backend.place(exchange, "waiter", 9), Ticket)


def test_avoided_is_replaced_by_its_neighbour(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(algorithm=Chance((), random.Random(1)))
    assert set(choices(backend, 60, avoid="a")) == {"b", "c"}
    assert choices(farm("random", "1"), 2, avoid="a") == "aa"
    assert choices(farm("random", ""), 1) == "-"


@pytest.mark.parametrize("argument", ["0", "-1", "two", "2 3"])
def test_wrong_draws(argument: str, farm: Callable[..., Backend]) -> None:
    with pytest.raises(ConfigError, match="draws"):
        farm(f"random {argument}")


def test_rates_survive_a_change_of_the_farm(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm("random(3)")
    choices(backend, 30)
    backend.set_weight(backend.servers[0], 0)
    assert set(choices(backend, 60)) == {"b", "c"}
