"""Sites of configurations that do not run."""

from __future__ import annotations

from maniple.core.rules.site import LiveSite, checked_site
from maniple.core.rules.variables import Limits
from maniple.tests.core.rules.lines import read


def test_names_of_both_sides() -> None:
    site = checked_site(read(), {"A": "b"})
    assert set(site.frontends) == {"f", "l"}
    assert set(site.backends) == {"b", "c", "l"}
    assert site.environment == {"A": "b"}
    assert (site.thread, site.threads, site.variables) == (0, 1, {})


def test_servers_are_idle_and_up_unless_disabled() -> None:
    site = checked_site(read(back="balance roundrobin\nserver s4 127.0.0.1:4 backup\nserver s5 127.0.0.1:5 weight 0"))
    backend = site.backends["b"]
    facts = {one.name: (one.usable, one.eligible, one.backup, one.served) for one in backend.servers}
    assert facts == {
        "s1": (True, True, False, 0),
        "s2": (True, True, False, 0),
        "s3": (False, False, False, 0),
        "s4": (True, True, True, 0),
        "s5": (True, False, False, 0),
    }
    assert (backend.active_count, backend.backup_count) == (2, 1)
    assert [one.name for one in backend.candidates] == ["s1", "s2"]


def test_backups_are_candidates_where_there_is_nobody_else() -> None:
    site = checked_site(read(both="server s4 127.0.0.1:4 backup\nserver s5 127.0.0.1:4 disabled"))
    only = site.backends["l"]
    assert [one.name for one in only.candidates] == ["s1"]
    assert only.active_count == 1 and only.backup_count == 1


def test_process_is_quiet() -> None:
    process = checked_site(read()).process
    assert (process.connections, process.draining) == (0, False)
    assert process.date() > 1.7e9


def test_live_sites_share_nothing() -> None:
    one, other = (LiveSite({}, {}, None) for _ in range(2))
    assert one.variables is not other.variables
    assert one.pattern_files is not other.pattern_files
    assert isinstance(one.limits, Limits)
