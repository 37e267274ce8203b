"""`backup-backend`, `sticky`, `sticky-mode`, `sticky-return`, `secret-file`."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.balance.pins import PLACES
from maniple.core.config.dump import dump
from maniple.core.config.sticky_spec import ALWAYS, IDLE, NEVER, StickySpec

BACK = "backend b\n mode http\n "
SPARE = "backend r\n mode http\n"
GOOD = [
    ("sticky cookie S", StickySpec("cookie", "S")),
    ("sticky cookie S enforce", StickySpec("cookie", "S", enforce=True)),
    ("sticky cookie S max-misses 4 enforce", StickySpec("cookie", "S", enforce=True, max_misses=4)),
    ("sticky cookie S lifetime 90s size 7", StickySpec("cookie", "S", 90_000, 7)),
    ("sticky cookie S lifetime 0 size 1k", StickySpec("cookie", "S", 0, 1024)),
    ("sticky cookie S bind-ip bind-ua", StickySpec("cookie", "S", bind_ip=True, bind_ua=True)),
    ("sticky cookie S options 'Path=/; Secure'", StickySpec("cookie", "S", options="Path=/; Secure")),
    ("sticky cookie S options '' size 100000", StickySpec("cookie", "S", options="")),
    ("sticky learn cookie J lifetime 30m", StickySpec("learn cookie", "J", 1_800_000)),
    ("sticky learn header X-Session", StickySpec("learn header", "x-session")),
    ("sticky header X-Room size 5", StickySpec("header", "x-room", size=5)),
]
BAD = [
    ("sticky cookie", "`sticky` expects"),
    ("sticky ticket T", "unknown word 'ticket'"),
    ("sticky learn S x", "`sticky learn` expects cookie or header"),
    ("sticky learn cookie", "`sticky learn cookie` expects <name>"),
    ("sticky cookie a=b", "not the name of a cookie"),
    ("sticky header 'a b'", "not the name of a header"),
    (f"sticky cookie {'a' * 121}", "not the name of a cookie"),
    ("sticky cookie S lifetme 3", "unknown word 'lifetme'"),
    ("sticky cookie S lifetime", "`sticky ... lifetime` expects a value"),
    ("sticky cookie S lifetime 5", "must be at least 1000 ms"),
    ("sticky cookie S size 0", "must be at least 1"),
    ("sticky cookie S max-misses 2", "`sticky ... max-misses` needs 'enforce'"),
    ("sticky cookie S enforce max-misses 0", "must be at least 1"),
    ("sticky learn cookie S enforce", "`sticky learn cookie` has no 'enforce'"),
    ("sticky header S bind-ip", "`sticky header` has no 'bind-ip'"),
    ("sticky cookie S\n sticky cookie T", "a backend has one `sticky` line at most"),
    ("sticky cookie S\n cookie S insert", "name the same cookie"),
    ("sticky cookie S\n mode tcp", "`sticky` in backend 'b' needs mode http"),
    ("sticky-mode loose", "one of strict, failover is expected"),
    ("sticky-return idle", "expects never, always, or idle and a time"),
    ("sticky-return always 5s", "expects never, always, or idle and a time"),
    ("sticky-return idle 0", "must be at least 1 ms"),
    ("backup-backend", "expects <backend>"),
    ("backup-backend q", "there is no backend 'q'"),
    ("backup-backend b", "cannot be its own backup"),
    ("backup-backend t\nbackend t\n mode tcp", "has mode http and its backup 't' mode tcp"),
    ("backup-backend t\nbackend t\n mode http\n disabled", "there is no backend 't'"),
]


@pytest.mark.parametrize(("line", "spec"), GOOD)
def test_good(read: Any, line: str, spec: StickySpec) -> None:
    configuration = read(BACK + line + "\n").good
    assert configuration.proxies[0].sticky == spec
    assert read(dump(configuration)).good.proxies[0].sticky == spec


@pytest.mark.parametrize(("line", "message"), BAD)
def test_bad(read: Any, line: str, message: str) -> None:
    (report,) = read(BACK + line + "\n").diagnostics.errors
    assert message in report.message


def test_all_lines(read: Any) -> None:
    text = BACK + "backup-backend r\n option backup-on-full\n sticky learn cookie S\n sticky-mode strict\n"
    for line, value in (("never", NEVER), ("always", ALWAYS), ("idle 5m", 300_000)):
        configuration = read(f"{text} sticky-return {line}\n{SPARE}").good
        for found in (configuration, read(dump(configuration)).good):
            spec = found.proxies[0]
            assert (spec.backup_backend, spec.sticky_strict, spec.sticky_return) == ("r", True, value)
            assert "backup-on-full" in spec.options


def test_each_may_be_the_others_backup(read: Any) -> None:
    assert read(BACK + "backup-backend r\n" + SPARE + " backup-backend b\n").good


def test_defaults_and_frontends(read: Any) -> None:
    text = "defaults\n mode http\n sticky header X\n sticky-mode strict\n backup-backend r\n"
    spare = SPARE + " backup-backend b\n"
    front, back, _ = read(text + "frontend f\n default_backend b\nbackend b\n" + spare).good.proxies
    assert (front.sticky, front.sticky_strict, front.backup_backend) == (None, False, "")
    assert (back.sticky, back.sticky_strict, back.backup_backend) == (StickySpec("header", "x"), True, "r")
    (back, _) = read(text + "backend b\n sticky header Y\n sticky-mode failover\n" + spare).good.proxies
    assert (back.sticky, back.sticky_strict) == (StickySpec("header", "y"), False)


def test_use_backend_from(read: Any) -> None:
    text = BACK + "sticky header X\n backup-backend r\n" + SPARE + "backend c\n mode http\n use_backend_from b\n"
    (_, _, spec) = read(text).good.proxies
    assert (spec.sticky, spec.backup_backend) == (StickySpec("header", "x"), "r")


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("option backup-on-full", "needs a `backup-backend`"),
        ("sticky-mode strict", "needs a `sticky` line"),
        ("sticky-return always", "needs a `sticky` line"),
    ],
)
def test_warnings(read: Any, line: str, warning: str) -> None:
    assert any(warning in text for text in read(f"{BACK}{line}\n").warnings)


def test_the_table_of_sessions(read: Any) -> None:
    text = BACK + "sticky cookie S size 5 lifetime 90s enforce\nbackend c\n mode http\n sticky header X\n"
    tables = read(text).good.tables
    assert set(tables) == {"sticky/S", "sticky/S/misses", "sticky/x"}
    shape = tables["sticky/S"].shape
    assert (shape.key, shape.width, shape.size, shape.expire, shape.purge) == ("binary", 16, 5, 90_000, True)
    assert [(one.name, one.elements) for one in shape.stored] == [("gpt", 2 * PLACES)]
    assert tables["sticky/x"].shape.expire == IDLE
    assert read("global\n table-file /x\n" + text).good.tables["sticky/S"].file == "/x"


def test_backends_share_sessions_if_they_agree(read: Any) -> None:
    same = BACK + "sticky cookie S lifetime 9s\nbackend c\n mode http\n sticky cookie S lifetime {}\n"
    assert set(read(same.format("9s")).good.tables) == {"sticky/S"}
    (report,) = read(same.format("8s")).diagnostics.errors
    assert "share the sessions of 'S' and differ in lifetime" in report.message


def test_secret_file(read: Any) -> None:
    text = "global\n secret-file /s\n" + BACK + "sticky cookie S\n"
    outcome = read(text, {"/s": b"s" * 32})
    assert outcome.good.globals.secret == b"s" * 32
    assert not any("secret" in text for text in outcome.warnings)
    assert "ssss" not in repr(outcome.good)
    assert "secret-file /s" in dump(outcome.good)
    (report,) = read(text, {"/s": b"s" * 31}).diagnostics.errors
    assert "has 31 bytes, a secret 32" in report.message
    (report,) = read(text).diagnostics.errors
    assert "cannot read" in report.message


def test_without_a_secret_file(read: Any) -> None:
    text = BACK + "sticky cookie S\nbackend c\n mode http\n sticky cookie T\n"
    assert sum("without a `secret-file`" in text for text in read(text).warnings) == 1
    assert not any("secret" in text for text in read(BACK + "sticky header X\n").warnings)
