"""The global section; that it reads back is held by test_dump."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.dump_global import global_lines
from maniple.core.config.global_spec import GlobalSpec, TuneSpec


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({}, []),
        ({"uid": 5, "daemon": True}, ["uid 5", "daemon"]),
        ({"user": "root", "uid": 0}, ["user root"]),
        ({"hard_stop_after": 90_000, "grace": 1500}, ["hard-stop-after 90s", "grace 1500ms"]),
        ({"cpu_map": (("1/1", "0", "3"),)}, ["cpu-map 1/1 0 3"]),
        ({"table_file": "/x"}, ["table-file /x"]),
        ({"tune": TuneSpec(bufsize=1 << 20, idletimer=5)}, ["tune.bufsize 1m", "tune.idletimer 5"]),
        ({"tune": TuneSpec(default_shards="1")}, ["tune.listener.default-shards by-process"]),
    ],
)
def test_only_what_is_not_the_default_is_written(fields: dict[str, Any], lines: list[str]) -> None:
    assert [one for one in global_lines(GlobalSpec(**fields)) if one != "log-tag haproxy"] == lines


def test_every_tuning_is_written() -> None:
    """A field that is forgotten here would be lost in the dump."""
    changed: dict[str, Any] = {}
    for name in TuneSpec.__dataclass_fields__:
        default = getattr(TuneSpec(), name)
        changed[name] = "2" if name == "default_shards" else "cpu" if isinstance(default, str) else 77
    assert len([one for one in global_lines(GlobalSpec(tune=TuneSpec(**changed))) if "tune." in one]) == len(changed)
