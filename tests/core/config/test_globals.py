from __future__ import annotations

from typing import Any

import pytest

GOOD: list[tuple[str, str, Any]] = [
    ("maxconn 10", "maxconn", 10),
    ("nbthread 28", "nbthread", 28),
    ("nbgroup 4", "nbgroup", 4),
    ("nbgroup auto", "nbgroup", None),
    ("thread-groups 4", "nbgroup", 4),
    ("uid 5", "uid", 5),
    ("gid 5", "gid", 5),
    ("user root", "user", "root"),
    ("user root", "uid", 0),
    ("group root", "gid", 0),
    ("daemon", "daemon", True),
    ("pidfile /x", "pidfile", "/x"),
    ("description a b", "description", "a b"),
    ("node a.b-c_d", "node", "a.b-c_d"),
    ("hard-stop-after 5s", "hard_stop_after", 5000),
    ("grace 3s", "grace", 3000),
    ("ulimit-n 100", "ulimit_n", 100),
    ("tune.bufsize 32k", "tune.bufsize", 32768),
    ("tune.maxrewrite 100", "tune.maxrewrite", 100),
    ("tune.http.maxhdr 64", "tune.maxhdr", 64),
    ("tune.http.logurilen 64", "tune.logurilen", 64),
    ("tune.http.head-cache 0", "tune.head_cache", 0),
    ("tune.maxaccept -1", "tune.maxaccept", -1),
    ("tune.idletimer 1s", "tune.idletimer", 1000),
    ("tune.rcvbuf.client 16k", "tune.rcvbuf_client", 16384),
    ("tune.sndbuf.server 16k", "tune.sndbuf_server", 16384),
    ("tune.listener.balance least", "tune.listener_balance", "least"),
    ("tune.listener.default-shards by-group", "tune.default_shards", "by-group"),
    ("tune.listener.default-shards by-process", "tune.default_shards", "1"),
    ("tune.watchdog.warn 500", "tune.watchdog_warn", 500),
    ("tune.watchdog.kill 1m", "tune.watchdog_kill", 60000),
    ("stats socket /x level admin", "stats_lines", (("socket", "/x", "level", "admin"),)),
    ("stats timeout 3s", "stats_lines", (("timeout", "3s"),)),
    ("stats timeout 3s", "control_timeout", 3000),
    ("stats maxconn 3", "control_maxconn", 3),
    ("chroot /x", "chroot", "/x"),
    ("mworker-max-reloads 50", "max_reloads", 50),
]
BAD = [
    ("maxconn", "`maxconn` expects <number>"),
    ("maxconn -3", "at least 0"),
    ("maxconn 10m", "an integer is expected"),
    ("nbthread 0", "from 1 to 256"),
    ("nbthread 257", "from 1 to 256"),
    ("nbthread 4 5", "extra argument '5'"),
    ("nbgroup 0", "from 1 to 256"),
    ("nbgroup x", "an integer is expected"),
    ("user nosuchuser", "no such user"),
    ("group nosuchgroup", "no such group"),
    ("uid x", "an integer is expected"),
    ("daemon foo", "extra argument 'foo'"),
    ("description", "expects <text>"),
    ("node foo bar", "extra argument 'bar'"),
    ("node 'foo bar'", "letters, digits"),
    ("hard-stop-after", "expects <time>"),
    ("hard-stop-after foo", "is not a number with a unit"),
    ("tune.listener.balance fair", "one of hash, least, cpu"),
    ("tune.listener.default-shards 3", "one of by-process, by-thread, by-group"),
    ("tune.watchdog.kill -1", "negative"),
    ("tune.bufsize 0", "at least 1"),
    ("tune.http.maxhdr 32768", "from 1 to 32767"),
    ("tune.idletimer 70s", "from 0 to 65535 ms"),
    ("tune.foo 3", "unknown keyword 'tune.foo' in the global section"),
    ("stats", "`stats` expects one of "),
    ("nbproc 2", "`nbproc` was removed from HAProxy"),
    ("stats socket", "`stats socket` expects <address>"),
    ("stats socket /x mode 888", "octal"),
    ("stats socket foo", "`stats socket`:"),
    ("stats maxconn 0", "at least 1"),
    ("mode http", "unknown keyword 'mode' in the global section"),
    ("setenv A", "expects <name> <value>"),
]


@pytest.mark.parametrize(("line", "field", "value"), GOOD)
def test_read(read: Any, line: str, field: str, value: Any) -> None:
    spec = read(f"global\n {line}\n").good.globals
    found = getattr(spec.tune, field[5:]) if field.startswith("tune.") else getattr(spec, field)
    assert found == value


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    (error,) = read(f"global\n {line}\n").errors
    assert complaint in error


@pytest.mark.parametrize("line", ["maxconn", "ulimit-n", "tune.maxaccept", "tune.rcvbuf.client"])
def test_the_first_of_several_is_kept(read: Any, line: str) -> None:
    outcome = read(f"global\n {line} 10\nglobal\n {line} 20\n")
    assert outcome.good == read(f"global\n {line} 10\n").good
    assert outcome.warnings == [f"4:2 `{line}` was already specified in line 2: the first one is kept"]


def test_the_last_of_several_is_kept(read: Any) -> None:
    assert read("global\n nbthread 2\n nbthread 3\n").good.globals.nbthread == 3


def test_user_and_uid_are_one_setting(read: Any) -> None:
    outcome = read("global\n uid 7\n user root\n uid 8\n")
    assert (outcome.good.globals.uid, outcome.good.globals.user) == (7, None)
    assert len(outcome.warnings) == 2


def test_variables_are_set_for_the_lines_below(read: Any) -> None:
    outcome = read("""
        global
            setenv N 3
            presetenv N 4
            maxconn "$N"
            setenv M 5
            unsetenv N
            nbthread "${N-2}"
            resetenv N
            description "x${M-}"
    """)
    spec = outcome.good.globals
    assert (spec.maxconn, spec.nbthread, spec.description) == (3, 2, "x")
