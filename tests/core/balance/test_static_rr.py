"""static-rr: the weights of the file, whatever happens later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from maniple.core.balance.backend import Backend


@pytest.mark.parametrize("weights", ["1 1 1", "1 2 5", "5 2 1", "10 1 1", "4 3 2 1"])
def test_weights_of_the_file(weights: str, farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    shares = list(map(int, weights.split()))
    assert Counter(choices(farm("static-rr", weights), sum(shares))) == dict(zip("abcd", shares, strict=False))


def test_later_weights_do_nothing_but_zero(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm("static-rr", "1 1 2")
    choices(backend, 1)
    backend.set_weight(backend.servers[0], 100)
    assert Counter(choices(backend, 40)) == {"a": 10, "b": 10, "c": 20}
    backend.set_weight(backend.servers[0], 0)
    assert Counter(choices(backend, 30)) == {"b": 10, "c": 20}
    backend.set_weight(backend.servers[0], 7)
    assert Counter(choices(backend, 40)) == {"a": 10, "b": 10, "c": 20}


def test_change_of_weight_keeps_the_place(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm("static-rr", "1 1 1")
    assert choices(backend, 1) == "a"
    backend.set_weight(backend.servers[2], 9)
    assert choices(backend, 2) == "bc"


def test_weight_zero_in_the_file_counts_as_one_later(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm("static-rr", "0 2")
    assert choices(backend, 2) == "bb"
    backend.set_weight(backend.servers[0], 50)
    assert Counter(choices(backend, 3)) == {"a": 1, "b": 2}
