"""The feature list."""

from __future__ import annotations

import re
from typing import Any

from maniple.core.config.features import ENABLED_OPTIONS, FEATURES, feature_list


def test_list_as_haproxy_writes_it() -> None:
    assert feature_list({"A": True, "B": False}) == "+A -B"
    assert len(feature_list().split()) == len(FEATURES)


def test_claims_are_about_known_names() -> None:
    assert FEATURES["THREAD"]
    assert not FEATURES["QUIC"]
    assert {"EPOLL", "GETADDRINFO"} <= ENABLED_OPTIONS


def test_every_name_of_haproxy_is_answered(haproxy3: Any) -> None:
    listed = re.search(rb"Feature list : (.*)", haproxy3.run(["-vv"]).stdout)
    assert listed is not None
    assert {word[1:].decode() for word in listed[1].split()} <= FEATURES.keys()
