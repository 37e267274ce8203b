"""HAProxy's flags as it reads them. What HAProxy itself answers to the same words is asked in test_compat.py."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.cli.haproxy_flags import (
    FLAGS,
    Arguments,
    Effect,
    FlagError,
    MissingArgument,
    UsageError,
    parse,
    usage,
)

READ: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("-f a.cfg", {"files": ["a.cfg"]}),
    ("-f a.cfg -f b.cfg", {"files": ["a.cfg", "b.cfg"]}),
    ("-f a -- b -c", {"files": ["a", "b", "-c"]}),
    ("-- -f", {"files": ["-f"]}),
    ("-fa.cfg -c", {"files": ["-c"]}),
    ("-c -V -q", {"check": True, "verbose": True, "quiet": True}),
    ("-cV", {"check": True}),
    ("-Vc", {"verbose": True}),
    ("-cc x", {"condition": "x"}),
    ("-ccx -q", {"condition": "-q"}),
    ("-v -Z", {"show_version": True}),
    ("-vx", {"show_version": True}),
    ("-vv", {"show_version": True, "show_build": True}),
    ("-vvv", {"show_version": True, "show_build": True}),
    ("-D -p pid", {"daemon": True, "pidfile": "pid"}),
    ("-W", {"master_worker": True}),
    ("-Ws", {"master_worker": True, "systemd": True}),
    ("-Wsx", {"master_worker": True, "systemd": True}),
    ("-W -Ws -W", {"master_worker": True, "systemd": True}),
    ("-db", {"foreground": True}),
    ("-dbx", {"foreground": True}),
    ("-d", {"debug": True}),
    ("-dq", {"debug": True}),
    ("-de -dp -dk -dv -dS -dZ -dF -dG -dR -dI -dV -dt -dth1", {}),
    ("-dr", {"ignore_unresolved": True}),
    ("-dD", {"diagnostic": True}),
    ("-dW", {"zero_warning": True}),
    ("-dL", {"dump_libraries": True}),
    ("-dC", {"dump_lines": True}),
    ("-dC1,2", {"dump_lines": True, "dump_key": "1,2"}),
    ("-dKcfg,smp", {"dump_keywords": ["cfg", "smp"]}),
    ("-dK", {}),
    ("-dM", {}),
    ("-dM0x50,no-merge,tag", {}),
    ("-dM,merge", {}),
    ("-dMmerge,help -Z", {"memory_help": True}),
    ("-n 10 -N 20 -m 30", {"maxconn": 10, "proxy_maxconn": 20, "memory": 30}),
    ("-n x", {"maxconn": 0}),
    ("-n 12x", {"maxconn": 12}),
    ("-n -f -c", {"maxconn": 0, "check": True}),
    ("-C dir -L peer", {"directory": "dir", "local_peer": "peer"}),
    ("-sf -c", {"check": True}),
    ("-sf 1 2 -st 3 -c", {"finish": [1, 2], "terminate": [3], "check": True}),
    ("-sff 7", {"finish": [7]}),
    ("-x /run/s -S /run/m", {"old_socket": "/run/s", "master_socket": "/run/m"}),
    ("-x -c", {"old_socket": "-c"}),
]


@pytest.mark.parametrize(("line", "fields"), READ)
def test_reads(line: str, fields: dict[str, Any]) -> None:
    expected = Arguments()
    for name, value in fields.items():
        setattr(expected, name, value)
    assert parse(line.split()) == expected


@pytest.mark.parametrize(
    "line", ["a.cfg", "-", "-Z", "-h", "--help", "--version", "-4", "-6", "-s", "-sx", "-cc", "-x", "-c zz", "-sf 0"]
)
def test_is_no_command_line(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line.split())


@pytest.mark.parametrize("line", ["-f", "-v -f", "-Z -f", "-C", "-n", "-N", "-m", "-L", "-p", "-S", "-Cx", "-cc x -f"])
def test_last_flag_lacks_its_argument(line: str) -> None:
    with pytest.raises(MissingArgument):
        parse(line.split())


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("-sf a", "-sf option: some bytes unconsumed in PID list {a}"),
        ("-st 12a", "-st option: some bytes unconsumed in PID list {a}"),
        ("-dMzz", "-dM: unknown pool debugging feature <zz>"),
        ("-dM50,xx", "-dM: unknown pool debugging feature <xx>"),
        ("-dM0x,fail", "-dM: unknown pool debugging feature <0x>"),
        ("-dMzz,help", "-dM: unknown pool debugging feature <zz>"),
    ],
)
def test_argument_cannot_be_read(line: str, text: str) -> None:
    with pytest.raises(FlagError, match="^" + text.replace("{", r"\{").replace("}", r"\}") + "$"):
        parse(line.split())


@given(st.lists(st.text(alphabet="-cdfvVqDWwsStxnmLpKMC0a,", max_size=5), max_size=6))
def test_never_fails_otherwise(words: list[str]) -> None:
    with contextlib.suppress(UsageError, MissingArgument, FlagError):
        assert isinstance(parse(words), Arguments)


def test_usage_shows_every_flag_and_its_effect() -> None:
    text = usage("maniple-haproxy")
    assert text.startswith("Usage : maniple-haproxy [-f <cfgfile|cfgdir>]*")
    for flag in FLAGS:
        assert flag.text in text and flag.summary in text
    assert text.count(f"({Effect.ACCEPTED.value})") == sum(flag.effect is Effect.ACCEPTED for flag in FLAGS)


def test_documentation_is_the_table() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "maniple-haproxy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(-.*?)` \| (.*?) \| (.*?) \|$", page.partition("## Answers")[0], re.MULTILINE)
    expected = [(flag.text.replace("|", "\\|"), flag.effect.value, flag.summary) for flag in FLAGS]
    assert rows == expected
