"""Sticky sessions over main and backup backends (schedulers.md D3): the cases of TempestaFW's unit tests, those of its
session tests, and each rule by its number."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from maniple.core.balance.pin_table import PinTable
from maniple.core.balance.pins import PLACES
from maniple.tests.wire.rig.named import Answer, Farm, Proxy
from maniple.tests.wire.rig.ours import LoopThread

TEXT = """
frontend f
    bind 127.0.0.1:1
    use_backend other if { path_beg /other }
    use_backend spare if { path_beg /spare }
    default_backend main
backend main
    backup-backend spare
    sticky cookie S $sticky
    $lines
    server $m1
    server $m2
    server $m3
backend spare
    sticky cookie S $sticky
    server $r1
    server $r2
backend other
    sticky cookie S $sticky
    server $o1
"""
MAIN = ("main/m1", "main/m2", "main/m3")
SPARE = ("spare/r1", "spare/r2")


def text(*lines: str, sticky: str = "") -> str:
    return TEXT.replace("$sticky", sticky).replace("$lines", "\n    ".join(lines))


@pytest.fixture
def farm(loop_thread: LoopThread) -> Iterator[Farm]:
    farm = Farm(loop_thread, "m1", "m2", "m3", "r1", "r2", "o1")
    yield farm
    farm.close()


class Browser:
    """A client that keeps the cookie."""

    def __init__(self, proxy: Proxy, name: str = "S", cookie: str | None = None) -> None:
        self.proxy = proxy
        self.name = name
        self.cookie = cookie

    def ask(self, path: str = "/", *fields: str, method: str = "GET") -> Answer:
        fields = (*fields, f"Cookie: a=1; {self.name}={self.cookie}; z=2") if self.cookie is not None else fields
        answer = self.proxy.ask(path, *fields, method=method)
        self.cookie = answer.cookie(self.name) or self.cookie
        return answer

    def who(self, times: int = 1, path: str = "/") -> Counter[str]:
        return Counter(self.ask(path).by for _ in range(times))


def pinned(by: str, times: int = 4) -> Counter[str]:
    return Counter({by: times})


def table_of(proxy: Proxy, name: str = "sticky/S") -> Any:
    runtime: Any = proxy.run.runtime
    return next(one for one in runtime._sweeper._tables if one.name == name)


# TempestaFW's cases.


def test_sessions_are_pinned(farm: Farm) -> None:
    proxy = farm.start(text())
    browsers = [Browser(proxy) for _ in range(6)]
    servers = [browser.ask().by for browser in browsers]
    assert set(servers) == {"m1", "m2", "m3"}
    for browser, server in zip(browsers, servers, strict=True):
        assert browser.who(16) == pinned(server, 16)


def test_sched_one_sg_offline_srv(farm: Farm) -> None:
    """One group: a session's server goes offline. D3.4: strict is refused until the server is back, failover moves."""
    for mode in ("strict", "failover"):
        proxy = farm.start(text(f"sticky-mode {mode}"))
        browser = Browser(proxy)
        server = browser.ask().by
        proxy.down(f"main/{server}")
        if mode == "strict":
            assert [browser.ask().status for _ in range(4)] == [503] * 4
            proxy.up(f"main/{server}")
            assert browser.who(4) == pinned(server)
        else:
            moved = browser.ask().by
            assert moved in {"m1", "m2", "m3"} - {server}
            proxy.up(f"main/{server}")
            # It stays on the other one.
            assert browser.who(4) == pinned(moved)


def test_sched_backup_sg(farm: Farm) -> None:
    """All of main is down: the backup; the session stays there when main returns (D3.5)."""
    proxy = farm.start(text())
    browser = Browser(proxy)
    assert browser.ask().by in {"m1", "m2", "m3"}
    proxy.down(*MAIN)
    server = browser.ask().by
    assert server in {"r1", "r2"}
    proxy.up(*MAIN)
    assert browser.who(8) == pinned(server, 8)
    # Who has no session is on main.
    assert set(proxy.who(6)) == {"m1", "m2", "m3"}
    # Its server goes, and it may move: main first (D3.4).
    proxy.down(f"spare/{server}")
    moved = browser.ask().by
    assert moved in {"m1", "m2", "m3"}
    proxy.up(f"spare/{server}")
    assert browser.who(4) == pinned(moved)


def test_resuse_conn(farm: Farm) -> None:
    """The backup is a main backend itself: what a session has there is used again, either way (D3.1, D3.4)."""
    proxy = farm.start(text())
    for _ in range(4):
        browser = Browser(proxy)
        server = browser.ask("/spare").by
        assert server in {"r1", "r2"}
        # main is down, and the backup has a server of this session.
        proxy.down(*MAIN)
        assert browser.who(3) == pinned(server, 3)
        proxy.up(*MAIN)
        assert browser.who(3) == pinned(server, 3)
    # The other way round: found while main was asked for, honoured where its backend is.
    proxy.down(*MAIN)
    browsers = [Browser(proxy) for _ in range(4)]
    servers = [browser.ask().by for browser in browsers]
    assert set(servers) == {"r1", "r2"}
    assert [browser.ask("/spare").by for browser in browsers] == servers


# By the numbers of D3.


def test_d3_1_one_pin_for_each_backend(farm: Farm) -> None:
    proxy = farm.start(text())
    browser = Browser(proxy)
    server = browser.ask().by
    assert browser.ask("/other").by == "o1"
    spare = browser.ask("/spare").by
    for _ in range(3):
        assert (browser.ask().by, browser.ask("/other").by, browser.ask("/spare").by) == (server, "o1", spare)


def test_d3_2_a_known_key_has_its_server_whatever_its_load(farm: Farm) -> None:
    proxy = farm.start(text().replace("$m1\n", "$m1 maxconn 1\n"))
    browser = Browser(proxy)
    while browser.ask().by != "m1":
        browser = Browser(proxy)
    first = threading.Thread(target=proxy.ask, args=("/hold", f"Cookie: S={browser.cookie}"))
    first.start()
    assert farm.servers["m1"].held.wait(5)
    answers: list[Answer] = []
    second = threading.Thread(target=lambda: answers.append(browser.ask()))
    second.start()
    backend = proxy.run.runtime.backends[0]
    deadline = time.monotonic() + 5
    while not backend.servers[0].waiting.length:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    # The others are free, and it waits for its own.
    farm.servers["m1"].release.set()
    first.join()
    second.join()
    assert [answer.by for answer in answers] == ["m1"]


def test_d3_3_each_request_touches_the_session(farm: Farm) -> None:
    proxy = farm.start(text(sticky="lifetime 60s"))
    browser = Browser(proxy)
    browser.ask()
    table = table_of(proxy)
    (slot,) = table.slots()
    now = time.monotonic_ns() // 1_000_000
    table.arrays.due[slot] = now + 5000
    browser.ask()
    assert table.remaining(slot, now) > 50_000


@pytest.mark.parametrize("mode", ["strict", "failover"])
def test_d3_4_drained(farm: Farm, mode: str) -> None:
    """Bound requests go on."""
    proxy = farm.start(text(f"sticky-mode {mode}"))
    browser = Browser(proxy)
    server = browser.ask().by
    proxy.set("drain", f"main/{server}")
    assert browser.who(4) == pinned(server)
    assert server not in proxy.who(4)


@pytest.mark.parametrize("mode", ["strict", "failover"])
def test_d3_4_removed(farm: Farm, mode: str) -> None:
    """A server that is not there any more binds nobody: as after a reload, in another instance with the same secret."""
    first = farm.start(text(f"sticky-mode {mode}"))
    browser = Browser(first)
    server = browser.ask().by
    second = farm.start(text(f"sticky-mode {mode}").replace(f"    server ${server}\n", ""))
    table = table_of(first)
    (slot,) = table.slots()
    key, pins = table.key(slot), PinTable(table).pins(slot)
    theirs = table_of(second)
    found = theirs.track(key, time.monotonic_ns() // 1_000_000)
    for place, pin in enumerate(pins):
        theirs.cell("gpt", place).set(found, pin, 0)
    theirs.release(found)
    # The same secret.
    signer: Any = next(run for run in second.run.runtime.frontends["f"].default_route.plan if hasattr(run, "__self__"))
    mine: Any = next(run for run in first.run.runtime.frontends["f"].default_route.plan if hasattr(run, "__self__"))
    signer.__self__._signer._secret = mine.__self__._signer._secret
    browser.proxy = second
    moved = browser.ask().by
    assert moved in {"m1", "m2", "m3"} - {server}
    assert browser.who(4) == pinned(moved)


def test_d3_4_strict_on_the_backup(farm: Farm) -> None:
    proxy = farm.start(text("sticky-mode strict"))
    proxy.down(*MAIN)
    browser = Browser(proxy)
    server = browser.ask().by
    assert server in {"r1", "r2"}
    proxy.up(*MAIN)
    proxy.down(f"spare/{server}")
    assert [browser.ask().status for _ in range(3)] == [503] * 3
    proxy.up(f"spare/{server}")
    assert browser.who(3) == pinned(server, 3)


def test_d3_4_all_down(farm: Farm) -> None:
    proxy = farm.start(text())
    browser = Browser(proxy)
    server = browser.ask().by
    proxy.down(*MAIN, *SPARE)
    assert browser.ask().status == 503
    proxy.up(*MAIN)
    assert browser.who(2) == pinned(server, 2)


def grow_idle(proxy: Proxy, seconds: int) -> None:
    """All sessions were used that much earlier."""
    table = table_of(proxy)
    for slot in table.slots():
        for place in range(PLACES, 2 * PLACES):
            cell = table.cell("gpt", place)
            cell.set(slot, max(0, cell.value(slot, 0) - seconds), 0)


@pytest.mark.parametrize(
    ("rule", "idle", "returns"),
    [("never", 10**6, False), ("idle 5m", 290, False), ("idle 5m", 300, True), ("always", 0, True)],
)
def test_d3_5_when_a_session_returns(farm: Farm, rule: str, idle: int, returns: bool) -> None:
    proxy = farm.start(text(f"sticky-return {rule}"))
    proxy.down(*MAIN)
    browser = Browser(proxy)
    server = browser.ask().by
    grow_idle(proxy, idle)
    assert browser.who(2) == pinned(server, 2), "while main is down"
    proxy.up(*MAIN)
    grow_idle(proxy, idle)
    found = browser.ask().by
    assert (found in {"m1", "m2", "m3"}) is returns
    assert browser.who(3) == pinned(found, 3)


def test_d3_6_it_follows_what_really_happened(farm: Farm) -> None:
    """Its server does not accept connections, and `option redispatch` sends the request elsewhere."""
    lines = ("retries 1", "option redispatch 1", "timeout connect 50ms")
    proxy = farm.start(text(*lines, sticky="lifetime 0"))
    browser = Browser(proxy)
    server = browser.ask().by
    before = browser.cookie
    kept = next(one for one in proxy.run.runtime.backends[0].servers if one.name == server)
    # Nobody listens there any more.
    farm.servers[server].close()
    for connection in proxy.run.thread.call(lambda: list(kept.pool.drain())):
        proxy.run.thread.call(connection.retire)
    moved = browser.ask().by
    assert moved in {"m1", "m2", "m3"} - {server}
    assert browser.cookie != before
    assert browser.who(3) == pinned(moved, 3)
    # Also by what the table says alone.
    assert kept.counts.wredis == 1


def test_d3_8_not_enforced(farm: Farm) -> None:
    proxy = farm.start(text(sticky="lifetime 90s options Secure"))
    answer = proxy.ask()
    assert answer.status == 200
    (line,) = answer.fields["set-cookie"]
    assert line.partition("; ")[2] == "Path=/; Secure; Max-Age=90"
    # The cookie is set once.
    assert proxy.ask("/", f"Cookie: S={answer.cookie('S')}").cookie("S") is None


def test_d3_8_no_cache_keeps_a_session(farm: Farm) -> None:
    proxy = farm.start(text())
    path = "/?say=Cache-Control:+max-age=60"
    answer = proxy.ask(path)
    assert answer.fields["cache-control"] == ["max-age=60", "private"]
    assert proxy.ask(path, f"Cookie: S={answer.cookie('S')}").fields["cache-control"] == ["max-age=60"]
    assert "cache-control" not in proxy.ask("/", method="POST").fields


HTML = "Accept: text/html,application/xhtml+xml;q=0.9"


def test_d3_8_enforced(farm: Farm) -> None:
    proxy = farm.start(text(sticky="enforce max-misses 100"))
    browser = Browser(proxy)
    answer = browser.ask("/a/b?c=d", HTML)
    assert (answer.status, answer.fields["location"]) == (302, ["/a/b?c=d"])
    assert answer.fields["cache-control"] == ["no-store"]
    assert browser.cookie is not None
    assert all(not server.requests for server in farm.servers.values()), "nothing reaches a server"
    answer = browser.ask("/a/b?c=d", HTML)
    assert answer.status == 200
    assert browser.who(4) == pinned(answer.by)
    assert proxy.ask("/", HTML, method="HEAD").status == 302
    assert proxy.ask("/", HTML, "Content-Length: 0", method="POST").status == 403
    assert proxy.ask("/", "Accept: */*").status == 403
    assert proxy.ask("/").status == 403
    assert proxy.ask("/", HTML, "Cookie: S=bad").status == 302
    # Nobody is sent to another host.
    assert proxy.ask("//evil.test/x", HTML).fields["location"] == ["/.//evil.test/x"]
    assert proxy.ask("http://x.test/y?z", HTML).fields["location"] == ["/y?z"]


def test_d3_8_max_misses(farm: Farm) -> None:
    proxy = farm.start(text(sticky="enforce max-misses 3"))
    statuses = [proxy.ask("/", HTML).status for _ in range(6)]
    # A rate's periods are fixed ones: of misses around the end of one a little is forgotten (HAProxy's formula).
    assert statuses in ([302] * 3 + [403] * 3, [302] * 4 + [403] * 2)
    # Who has a cookie does not miss.
    table_of(proxy, "sticky/S/misses").remove(bytes(10) + b"\xff\xff\x7f\0\0\1")
    browser = Browser(proxy)
    assert browser.ask("/", HTML).status == 302
    assert [browser.ask("/", HTML).status for _ in range(5)] == [200] * 5


@pytest.fixture
def secret(tmp_path: Any) -> str:
    path = tmp_path / "secret"
    path.write_bytes(bytes(range(40)))
    return f"global\n    secret-file {path}\n"


def test_d3_9_a_second_instance_honours_the_cookie(farm: Farm, secret: str) -> None:
    """And one that was started again: neither has an entry of the session."""
    first = farm.start(secret + text())
    second = farm.start(secret + text())
    for _ in range(6):
        browser = Browser(first)
        server = browser.ask().by
        browser.proxy = second
        assert browser.who(3) == pinned(server, 3)
        # It is pinned there, too: the cookie's hint is not asked any more.
        second.down(f"main/{server}")
        moved = browser.ask().by
        second.up(f"main/{server}")
        assert browser.who(2) == pinned(moved, 2)


def test_d3_9_another_secret(farm: Farm) -> None:
    first, second = farm.start(text()), farm.start(text())
    browser = Browser(first)
    browser.ask()
    before = browser.cookie
    browser.proxy = second
    browser.ask()
    assert browser.cookie != before, "one more session"


@pytest.mark.parametrize(
    ("sticky", "field", "other"),
    [("bind-ua", "User-Agent: a", "User-Agent: b"), ("bind-ip", "X-From: 192.0.2.1", "X-From: 192.0.2.2")],
)
def test_d3_9_bound_to_the_client(farm: Farm, sticky: str, field: str, other: str) -> None:
    lines = text(sticky=sticky).replace(
        "    bind", "    http-request set-src req.hdr(x-from) if { req.hdr(x-from) -m found }\n    bind", 1
    )
    proxy = farm.start(lines)
    cookie = proxy.ask("/", field).cookie("S")
    assert proxy.ask("/", field, f"Cookie: S={cookie}").cookie("S") is None
    assert proxy.ask("/", other, f"Cookie: S={cookie}").cookie("S") is not None


def test_d3_9_the_cookie_is_told_anew_at_half_its_life(farm: Farm, secret: str) -> None:
    proxy = farm.start(secret + text(sticky="lifetime 60s"))
    browser = Browser(proxy)
    server = browser.ask().by
    sticky: Any = next(run for run in proxy.run.runtime.frontends["f"].default_route.plan if hasattr(run, "__self__"))
    signer = sticky.__self__._signer
    now = int(time.time())
    assert browser.cookie is not None
    token = signer.read(browser.cookie.encode(), now)
    browser.cookie = signer.issue(token.key, token.hint, now - 20).decode()
    assert browser.ask().cookie("S") is None
    browser.cookie = signer.issue(token.key, token.hint, now - 40).decode()
    answer = browser.ask()
    assert answer.by == server
    assert answer.cookie("S") is not None
    # Expired: a new session (D3.10).
    browser.cookie = signer.issue(token.key, token.hint, now - 61).decode()
    browser.ask()
    assert browser.cookie is not None
    assert signer.read(browser.cookie.encode(), now).key != token.key


def test_d3_10_bad_cookies(farm: Farm) -> None:
    proxy = farm.start(text())
    cookie = proxy.ask().cookie("S")
    assert cookie is not None
    for bad in ("x", cookie[:-1], cookie + "A", cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), "A" * 5000, ""):
        answer = proxy.ask("/", f"Cookie: S={bad}")
        assert (answer.status, answer.cookie("S") is not None) == (200, True), bad
    for twice in ((f"Cookie: S={cookie}; S=x",), (f"Cookie: S={cookie}", f"Cookie: S={cookie}")):
        assert proxy.ask("/", *twice).status == 400


# Sessions that others name.

LEARN = """
frontend f
    bind 127.0.0.1:1
    default_backend main
backend main
    $sticky
    backup-backend spare
    server $m1
    server $m2
    server $m3
backend spare
    server $r1
"""


def test_learn_cookie(farm: Farm) -> None:
    proxy = farm.start(LEARN.replace("$sticky", "sticky learn cookie J"))
    for session in ("a", "b", "c", "d"):
        answer = proxy.ask(f"/?say=Set-Cookie:+x=1;Path=/&say=Set-Cookie:+J={session};Path=/")
        assert answer.fields["set-cookie"] == ["x=1;Path=/", f"J={session};Path=/"]
        assert proxy.who(4, f"Cookie: J={session}") == pinned(answer.by)
    # What nobody has said is not learned from requests.
    assert len(proxy.who(6, "Cookie: J=unheard")) == 3
    table = table_of(proxy, "sticky/J")
    assert len(table) == 4
    # Empty: the session is over. Two, or one that is too long: not learned.
    proxy.ask("/?say=Set-Cookie:+J=;Path=/", "Cookie: J=a")
    assert len(table) == 3
    proxy.ask("/?say=Set-Cookie:+J=e&say=Set-Cookie:+J=f")
    proxy.ask(f"/?say=Set-Cookie:+J={'e' * 257}")
    assert len(table) == 3
    proxy.ask(f"/?say=Set-Cookie:+J={'e' * 256}")
    assert len(table) == 4
    assert proxy.ask("/", "Cookie: J=a; J=b").status == 400


def test_learn_header(farm: Farm) -> None:
    proxy = farm.start(LEARN.replace("$sticky", "sticky learn header X-Session"))
    server = proxy.ask("/?say=X-Session:+42").by
    assert proxy.who(4, "x-session: 42") == pinned(server)
    # The session moves with its server.
    proxy.down(f"main/{server}")
    moved = proxy.ask("/", "X-Session: 42").by
    proxy.up(f"main/{server}")
    assert proxy.who(4, "X-Session: 42") == pinned(moved)
    proxy.down(*MAIN)
    assert proxy.who(2, "X-Session: 42") == pinned("r1", 2)
    proxy.up(*MAIN)
    assert proxy.who(2, "X-Session: 42") == pinned("r1", 2)


def test_a_header_is_a_key_from_its_first_sight(farm: Farm) -> None:
    proxy = farm.start(LEARN.replace("$sticky", "sticky header X-Room"))
    servers = {room: proxy.ask("/", f"X-Room: {room}").by for room in "abcdef"}
    assert set(servers.values()) == {"m1", "m2", "m3"}
    for room, server in servers.items():
        assert proxy.who(3, f"X-Room: {room}") == pinned(server, 3)
    assert len(proxy.who(6)) == 3
    assert proxy.ask("/", "X-Room: a", "X-Room: b").status == 400
    assert "set-cookie" not in proxy.ask("/", "X-Room: a").fields


# Beside other persistence.


def test_who_is_bound_already_is_left_alone(farm: Farm) -> None:
    lines = ("use-server m2 if { path /two }", "ignore-persist if { path /free }")
    proxy = farm.start(text(*lines))
    browser = Browser(proxy)
    while (server := browser.ask().by) == "m2":
        browser = Browser(proxy)
    before = browser.cookie
    assert browser.who(3, "/two") == pinned("m2", 3)
    assert len(browser.who(6, "/free")) == 3
    assert proxy.ask("/free").cookie("S") is None
    assert browser.who(3) == pinned(server, 3)
    assert browser.cookie == before


def test_rules_go_before_sessions(farm: Farm) -> None:
    """T#1043: a pinned session that asks for what is denied is denied."""
    proxy = farm.start(text("http-request deny if { path /no }"))
    browser = Browser(proxy)
    browser.ask()
    assert browser.ask("/no").status == 403


def test_a_table_that_is_full(farm: Farm) -> None:
    """The oldest session makes room; its cookie's hint still says where it was."""
    proxy = farm.start(text(sticky="size 2"))
    browsers = [Browser(proxy) for _ in range(5)]
    servers = [browser.ask().by for browser in browsers]
    assert [browser.ask().by for browser in browsers] == servers
    assert len(table_of(proxy)) <= 2
