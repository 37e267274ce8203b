"""Requests played through configurations written in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.config import parser
from maniple.core.config.environment import Environment
from maniple.core.config.model import Configuration
from maniple.core.rehearsal.play import Seat, play
from maniple.core.rehearsal.stage import Stage
from maniple.core.rules.explanation import Explanation

DEFAULTS = """\
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 1s
    timeout tarpit 2s
"""
FILE = "t.cfg"


def read(text: str) -> Configuration:
    configuration, diagnostics = parser.load([(FILE, DEFAULTS + text)], Environment({}))
    assert configuration is not None, diagnostics.render()
    return configuration


@pytest.fixture
def configured() -> Callable[[str], Configuration]:
    return read


@pytest.fixture
def explain() -> Callable[..., Explanation]:
    """(configuration behind DEFAULTS, request, response) -> explanation; from 192.0.2.9 to the first frontend."""

    def explained(text: str, request: bytes, response: bytes | None = None, **facts: Any) -> Explanation:
        configuration = read(text)
        names = [proxy.name for proxy in configuration.proxies if proxy.has_frontend]
        facts = {"source": ("192.0.2.9", 4000), "destination": ("127.0.0.1", 80), "frontend": names[0], **facts}
        stage = Stage(configuration)
        try:
            return play(
                stage, Seat(facts["frontend"], ":80", "1", facts["source"], facts["destination"]), request, response
            )
        finally:
            stage.close()

    return explained
