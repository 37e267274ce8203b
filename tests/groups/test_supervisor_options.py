from __future__ import annotations

from maniple.groups.supervisor_options import SupervisorOptions


def test_options_have_defaults() -> None:
    assert SupervisorOptions() == SupervisorOptions(quiet=False, master_worker=False, daemon=False, pidfile=None)
