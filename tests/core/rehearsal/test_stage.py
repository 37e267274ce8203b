from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.config.model import Configuration
from maniple.core.errors import ConfigError
from maniple.core.rehearsal.stage import Stage

Configured = Callable[[str], Configuration]

TEXT = """\
frontend f
    bind :80
    http-request deny if { path /x }
    use_backend b if { path /b }
frontend off
    disabled
    bind :81
backend b
    http-response del-header server
    server s 127.0.0.1:1
listen l
    bind :82
    use-server s if { path /s }
    server s 127.0.0.1:1
"""


def test_it_has_what_is_enabled_and_knows_its_rules(configured: Configured) -> None:
    stage = Stage(configured(TEXT))
    try:
        assert set(stage.frontends) == {"f", "l"} and set(stage.backends) == {"b", "l"}
        known = {(proxy, kind) for proxy, kind, _ in stage.known().values()}
        assert known == {
            ("frontend f", "http-request"),
            ("frontend f", "use_backend"),
            ("backend b", "http-response"),
            ("listen l", "use-server"),
        }
        runs = set(stage.known())
        assert set(stage.frontends["f"].plan[:-1]) <= runs
        assert set(stage.frontends["l"].route.plan[:-1]) <= runs
    finally:
        stage.close()
    assert stage.loop.is_closed()


def test_errors_of_rules_and_logs(configured: Configured) -> None:
    for line in ("http-request deny if nowhere", "capture request header host len 0"):
        configuration = configured(f"frontend f\n    bind :80\n    {line}\n")
        with pytest.raises(ConfigError) as caught:
            Stage(configuration)
        assert caught.value.line == 9
