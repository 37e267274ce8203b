from __future__ import annotations

from collections.abc import Callable

from maniple.core.config.model import Configuration
from maniple.core.rehearsal.recorder import Recorder
from maniple.core.rehearsal.stage import Stage
from maniple.core.relay import passes


def test_plans_keep_their_shape(configured: Callable[[str], Configuration]) -> None:
    text = (
        "frontend f\n    bind :80\n    http-request set-header A 1\n    use_backend c if { path /c }\n"
        "    http-after-response set-header B 1\n    default_backend b\n"
        "backend b\n    http-request set-header C 1\n    server s 127.0.0.1:1\nbackend c\n    server s 127.0.0.1:1\n"
    )
    stage = Stage(configured(text))
    try:
        frontend = stage.frontends["f"]
        plan = frontend.plan
        recorder = Recorder(stage, frontend)
        assert len(frontend.plan) == len(plan) == 3
        assert frontend.plan[-1] is passes.leave_frontend
        assert frontend.plan[0] is not plan[0]
        for route in frontend.routes:
            assert len(route.plan) == (2 if route.backend is stage.backends["b"] else 1)
            assert len(route.after_plan) == 1 and route.whole == -1
        assert not frontend.ordinary and frontend.straight is None and recorder.passes == [] and recorder.choice is None
    finally:
        stage.close()


def test_a_frontend_without_rules_is_looked_at_too(configured: Callable[[str], Configuration]) -> None:
    stage = Stage(
        configured(
            "frontend f\n    bind :80\n    monitor-uri /m\n    default_backend b\nbackend b\n    server s 127.0.0.1:1\n"
        )
    )
    try:
        frontend = stage.frontends["f"]
        Recorder(stage, frontend)
        assert frontend.plan == (passes.monitor, passes.leave_frontend)
        assert len(frontend.route.plan) == 1
    finally:
        stage.close()
