from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import GlobalSpec
from maniple.groups.placement_words import PlacementWords


def test_of_a_configuration() -> None:
    spec = GlobalSpec(nbgroup=2, nbthread=4, cpu_policy=("resource", "threads-per-core", "1"), cpu_set=(("reset",),))
    words = PlacementWords.of(spec)
    assert words == PlacementWords(2, 4, (), (), (("reset",),), ("resource", "threads-per-core", "1"))
    assert words.policy == "resource" and words.one_thread_per_core and words.groups_written
    assert words.shapes == ["nbgroup", "nbthread"]
    bare = PlacementWords.of(GlobalSpec())
    assert bare.policy is None and not bare.one_thread_per_core and not bare.groups_written and not bare.shapes


@pytest.mark.parametrize(
    ("written", "groups", "nbthread"),
    [
        ({}, 3, None),
        ({"nbthread": 2}, 3, None),
        ({"nbgroup": 2}, 3, None),
        ({"nbgroup": 2, "nbthread": 4}, 3, 6),
        ({"nbgroup": 2, "nbthread": 5}, 1, 3),
        ({"thread_groups": (("1", "1-3"), ("2", "4"))}, 4, 12),
    ],
)
def test_scaled(written: dict[str, Any], groups: int, nbthread: int | None) -> None:
    words = PlacementWords(**written, cpu_set=(("reset",),))
    scaled = words.scaled(groups)
    assert (scaled.nbgroup, scaled.nbthread, scaled.thread_groups, scaled.cpu_set) == (
        groups,
        nbthread,
        (),
        (("reset",),),
    )
    assert scaled.at_runtime and scaled.groups_written == words.groups_written
    assert scaled.scaled(1).groups_written == words.groups_written
