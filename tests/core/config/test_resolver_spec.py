from __future__ import annotations

import pickle

from maniple.core.config.model import Place
from maniple.core.config.resolver_spec import HOLDS, NameserverSpec, ResolversSpec


def test_defaults_are_those_of_the_manual() -> None:
    spec = ResolversSpec(Place("f", 1), "r")
    assert (spec.retries, spec.timeout_resolve, spec.timeout_retry, spec.payload) == (3, 1000, 1000, 512)
    assert {name: getattr(spec, f"hold_{name}") for name in HOLDS} == {
        "nx": 30000,
        "obsolete": 0,
        "other": 30000,
        "refused": 30000,
        "timeout": 30000,
        "valid": 10000,
    }


def test_it_travels_between_processes() -> None:
    spec = ResolversSpec(Place("f", 1), "r", (NameserverSpec(Place("f", 2), "a", "::1", 5353, True),))
    assert pickle.loads(pickle.dumps(spec)) == spec
