from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import Any

from maniple.core.report.fields import BY_NAME, COUNTER, FIELDS, GAUGE, MAX, NAMES, TEXT, TYPES, fields_of
from maniple.pools import counters


def test_positions_that_programs_rely_on() -> None:
    known = {0: "pxname", 1: "svname", 17: "status", 32: "type", 48: "req_tot", 62: "agent_status", 95: "idle_conn_cur"}
    known |= {73: "addr", 84: "connect", 85: "reuse", 94: "eint", 99: "uweight", 118: "cache_hint_hits"}
    assert {at: NAMES[at] for at in known} == known
    assert len(NAMES) == len(set(NAMES)) == 119


def test_every_field_is_described() -> None:
    for field in FIELDS:
        assert field.kind in (COUNTER, GAUGE, MAX, TEXT)
        assert field.scope
        assert set(field.scope) <= set(TYPES)
        assert 5 < len(field.meaning) < 80


def test_maxima_and_gauges_agree_with_the_counters() -> None:
    for name in counters.MAXIMA & set(BY_NAME) - {"lastsess"}:
        assert BY_NAME[name].kind == MAX
    for name in counters.GAUGES & set(BY_NAME):
        assert BY_NAME[name].kind == GAUGE


def test_fields_of() -> None:
    assert "algo" in {field.name for field in fields_of("B")}
    assert "algo" not in {field.name for field in fields_of("S")}
    assert "pxname" in {field.name for field in fields_of("L")}


def show_stat(path: Path) -> str:
    deadline = time.monotonic() + 5
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.01)
                continue
            connection.sendall(b"show stat\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def test_same_columns_as_haproxy(fresh_oracle: Any, haproxy_program: str, tmp_path: Path) -> None:
    path = tmp_path / "stats"
    fresh_oracle.start(
        f"global\n stats socket {path}\ndefaults\n mode http\n timeout client 1s\n timeout server 1s\n"
        f" timeout connect 1s\nlisten web\n bind {fresh_oracle.listener('web')}\n option socket-stats\n"
        " server s1 127.0.0.1:9 check\n",
        haproxy_program,
    )
    text = show_stat(path)
    header, *rows = text.strip().splitlines()
    theirs = header.removeprefix("# ").split(",")
    shared = theirs[: theirs.index("-")]
    # 2.6 ends at agg_check_status (102); 3.0 has the next ten, 3.3 and later the rest.
    assert list(NAMES[: len(shared)]) == shared
    assert len(shared) >= 103
    letters = {str(number): letter for letter, number in TYPES.items()}
    for row in rows:
        cells = dict(zip(theirs, row.split(","), strict=False))
        if cells["pxname"] != "web":
            continue
        scope = letters[cells["type"]]
        for name in shared:
            if cells[name]:
                assert scope in BY_NAME[name].scope, (name, scope)
                assert BY_NAME[name].kind == TEXT or re.fullmatch(r"-?\d+", cells[name]), name
