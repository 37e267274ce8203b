from __future__ import annotations

import pytest
from maniple.core.config.keywords import PROXY_KEYWORDS
from maniple.core.config.known import (
    KNOWN_BIND,
    KNOWN_GLOBAL,
    KNOWN_OPTIONS,
    KNOWN_PROXY,
    KNOWN_SECTIONS,
    KNOWN_SERVER,
    REMOVED,
)


def test_names_of_two_words() -> None:
    assert {"stats socket", "chroot"} <= KNOWN_GLOBAL
    assert {"http-request", "stick-table", "http-check expect", "use_backend"} <= KNOWN_PROXY


def test_arguments_of_words() -> None:
    assert KNOWN_BIND["ssl"] == 0
    assert KNOWN_BIND["crt"] == 1
    assert KNOWN_SERVER["send-proxy-v2"] == 0
    assert KNOWN_SERVER["sni"] == 1


def test_sections_and_options() -> None:
    assert {"peers", "resolvers", "mailers", "userlist", "cache", "ring", "http-errors"} <= KNOWN_SECTIONS
    assert {"program", "fcgi-app", "log-forward", "traces", "crt-store"} <= KNOWN_SECTIONS
    assert {"httpchk", "splice-auto", "originalto"} <= KNOWN_OPTIONS


@pytest.mark.parametrize("name", sorted(REMOVED))
def test_removed_keywords_are_no_longer_known(name: str) -> None:
    assert name not in PROXY_KEYWORDS
    assert name not in KNOWN_PROXY
    assert name.removeprefix("option ") not in KNOWN_OPTIONS or not name.startswith("option ")
