from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest
from maniple.core.config.model import Configuration, Place, ProxySpec, ThreadSet
from maniple.core.config.parser import load

TEXT = """
frontend x
    bind :80 thread 1/2
    errorloc 404 /x
backend x
    server a 192.0.2.1:80
listen y
"""


@pytest.fixture
def configuration() -> Configuration:
    result, diagnostics = load([("x", TEXT)], {})
    assert result is not None, diagnostics.render()
    return result


def test_sides() -> None:
    place = Place("x", 1)
    sides = {kind: ProxySpec(place, "p", kind) for kind in ("frontend", "backend", "listen")}
    assert [(spec.has_frontend, spec.has_backend) for spec in sides.values()] == [
        (True, False),
        (False, True),
        (True, True),
    ]


def test_a_proxy_is_found_by_name_and_side(configuration: Configuration) -> None:
    front, back = configuration.proxy("x", backend=False), configuration.proxy("x", backend=True)
    assert front is not None
    assert back is not None
    assert (front.kind, back.kind) == ("frontend", "backend")
    assert configuration.proxy("y", backend=True) is configuration.proxy("y", backend=False)
    assert configuration.proxy("z", backend=True) is None


def test_a_configuration_can_be_sent_to_another_process(configuration: Configuration) -> None:
    assert pickle.loads(pickle.dumps(configuration)) == configuration


def test_it_is_frozen(configuration: Configuration) -> None:
    with pytest.raises(FrozenInstanceError):
        configuration.proxies = ()  # type: ignore[misc]


def test_no_ranges_is_every_thread() -> None:
    assert ThreadSet() == ThreadSet(())
