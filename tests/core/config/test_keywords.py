from __future__ import annotations

import pytest
from maniple.core.config import sections  # fills the tables
from maniple.core.config.drafts import ProxyDraft
from maniple.core.config.keywords import (
    ANY,
    BIND_KEYWORDS,
    GLOBAL_KEYWORDS,
    OPTIONS,
    PROXY_KEYWORDS,
    SERVER_KEYWORDS,
    Keyword,
    State,
    Table,
    nearest,
)
from maniple.core.config.lexer import Word
from maniple.core.config.statement import Statement

ISSUE_GLOBAL = [
    "maxconn",
    "nbthread",
    "nbgroup",
    "thread-groups",
    "thread-group",
    "cpu-map",
    "cpu-set",
    "cpu-policy",
    "log",
    "user",
    "group",
    "uid",
    "gid",
    "daemon",
    "pidfile",
    "description",
    "node",
    "hard-stop-after",
]
ISSUE_PROXY = [
    "mode",
    "bind",
    "server",
    "default-server",
    "server-template",
    "balance",
    "default_backend",
    "maxconn",
    "backlog",
    "fullconn",
    "retries",
    "http-reuse",
    "errorfile",
    "errorloc",
    "errorloc302",
    "errorloc303",
    "log",
    "log-format",
    "disabled",
    "enabled",
    "description",
    "id",
    "source",
    "monitor-uri",
    "pool-min-conn",
    "pool-half-life",
    "pool-purge-batches",
]
ISSUE_OPTIONS = [
    "httpclose",
    "http-server-close",
    "http-keep-alive",
    "forwardfor",
    "dontlognull",
    "redispatch",
    "abortonclose",
    "httplog",
    "tcplog",
    "http-ignore-probes",
    "http-no-delay",
    "clitcpka",
    "srvtcpka",
    "tcpka",
    "allbackups",
    "prefer-last-server",
    "persist",
    "log-health-checks",
]
ISSUE_SERVER = [
    "weight",
    "backup",
    "disabled",
    "enabled",
    "maxconn",
    "minconn",
    "maxqueue",
    "id",
    "cookie",
    "check",
    "inter",
    "fastinter",
    "downinter",
    "rise",
    "fall",
    "port",
    "addr",
    "source",
    "pool-max-conn",
    "pool-low-conn",
    "pool-purge-delay",
    "max-reuse",
    "tcp-ut",
    "slowstart",
    "on-error",
    "error-limit",
    "observe",
    "track",
    "pool-min-conn",
    "pool-half-life",
    "pool-purge-batches",
]
ISSUE_TIMEOUTS = [
    "client",
    "server",
    "connect",
    "http-request",
    "http-keep-alive",
    "queue",
    "tunnel",
    "client-fin",
    "server-fin",
    "check",
    "tarpit",
]


def noop(statement: Statement, draft: ProxyDraft) -> None:
    pass


def words(text: str) -> list[Word]:
    return [Word(word, 1) for word in text.split()]


def test_the_longest_name_is_found() -> None:
    table: Table[ProxyDraft] = Table("x")
    for name in ("timeout client", "timeout client fin", "retries"):
        table.add(Keyword(name, ANY, "", "", "x", noop))
    found = table.find(words("timeout client fin 3"))
    assert found is not None
    assert (found[0].name, found[1]) == ("timeout client fin", 3)
    found = table.find(words("timeout client 3"))
    assert found is not None
    assert (found[0].name, found[1]) == ("timeout client", 2)
    assert table.find(words("timeout")) is None
    assert table.followers("timeout") == ["client", "client fin"]


def test_a_name_is_registered_once() -> None:
    table: Table[ProxyDraft] = Table("x")
    table.add(Keyword("a", ANY, "", "", "x", noop))
    with pytest.raises(ValueError, match="registered twice"):
        table.add(Keyword("a", ANY, "", "", "x", noop))


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (GLOBAL_KEYWORDS, ISSUE_GLOBAL),
        (PROXY_KEYWORDS, ISSUE_PROXY),
        (PROXY_KEYWORDS, [f"timeout {name}" for name in ISSUE_TIMEOUTS]),
        (OPTIONS, ISSUE_OPTIONS),
        (SERVER_KEYWORDS, ISSUE_SERVER),
    ],
    ids=["global", "proxies", "timeouts", "options", "server"],
)
def test_the_promised_keywords_are_registered(table: Table[object], names: list[str]) -> None:
    assert [name for name in names if name not in table] == []


@pytest.mark.parametrize("table", [GLOBAL_KEYWORDS, PROXY_KEYWORDS, OPTIONS, BIND_KEYWORDS, SERVER_KEYWORDS])
def test_every_keyword_is_documented(table: Table[object]) -> None:
    for keyword in table:
        assert keyword.summary.endswith("."), keyword.name
        assert "\n" not in keyword.summary
        assert keyword.reader, keyword.name
        assert keyword.sections, keyword.name
        assert bool(keyword.shape) == (keyword.most != 0), keyword.name
        if keyword.name != "process":  # always refused, with what to write instead
            assert keyword.state in (State.IN_FORCE, State.ACCEPTED)


def test_nearest() -> None:
    assert nearest("blance", ["balance", "backlog"]) == "did you mean `balance`?"
    assert nearest("zzzzz", ["balance", "backlog"]) == ""


def test_all_tables_are_filled_by_the_sections() -> None:
    assert len(sections.TABLES) >= 8
    assert PROXY_KEYWORDS.names("backend")
