from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import GlobalSpec
from maniple.core.config.resolve import written_sizes

WHOLE = """
defaults
    mode http
    timeout client 10s
    timeout connect 1s
    timeout server 10s
"""


def test_a_complete_configuration_has_no_report(read: Any) -> None:
    outcome = read(WHOLE + "listen l\n bind :80\n server a :81\n")
    assert list(outcome.diagnostics) == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("connect 2s", {"connect": 2000, "queue": 2000, "tarpit": 2000}),
        ("connect 2s|queue 3s|tarpit 4s", {"connect": 2000, "queue": 3000, "tarpit": 4000}),
        ("http-request 2s", {"http_request": 2000, "http_keep_alive": 2000}),
        ("http-request 2s|http-keep-alive 5s", {"http_request": 2000, "http_keep_alive": 5000}),
        ("client 2s", {"client": 2000, "client_hs": 2000, "http_request": None, "http_keep_alive": None}),
        ("client 0", {"client": None}),
        ("tunnel 1h", {"tunnel": 3600000, "client_fin": None}),
    ],
)
def test_timeouts_that_stand_in(read: Any, written: str, expected: dict[str, int | None]) -> None:
    lines = "".join(f" timeout {line}\n" for line in written.split("|"))
    times = read(f"listen l\n{lines}").proxy("l").timeouts
    assert {name: getattr(times, name) for name in expected} == expected


def test_sides_take_what_is_theirs(read: Any) -> None:
    outcome = read("""
        defaults
            timeout client 1s
            timeout server 2s
            timeout connect 3s
            maxconn 9
            retries 7
            default_backend b
            http-reuse never
            option httplog
        frontend f
        backend b
    """)
    front, back = outcome.good.proxies
    assert (front.timeouts.client, front.timeouts.server, front.timeouts.queue) == (1000, None, None)
    assert (back.timeouts.client, back.timeouts.server, back.timeouts.queue) == (None, 2000, 3000)
    assert (front.maxconn, front.retries, front.http_reuse, front.default_backend) == (9, 3, "safe", "b")
    assert (back.maxconn, back.retries, back.http_reuse, back.default_backend) == (None, 7, "never", None)
    assert (front.log_format is None, back.log_format) == (False, None)


def test_ids_are_the_first_free_ones(read: Any) -> None:
    outcome = read("frontend a\n id 2\nbackend b\nbackend c\n server x :80\n server y :80 id 1\n server z :80\n")
    assert [proxy.id for proxy in outcome.good.proxies] == [2, 1, 3]
    assert [server.id for server in outcome.good.proxies[2].servers] == [2, 1, 3]


REFERENCES = [
    ("frontend f\n id 4\nbackend b\n id 4\n", "4:5 backend 'b' has the same id 4 as frontend 'f' (case.cfg:1)"),
    ("frontend f\n default_backend b\n", "2:18 frontend 'f': there is no backend 'b'"),
    ("frontend f\n default_backend f\n", "2:18 frontend 'f': there is no backend 'f'"),
    (
        "frontend f\n mode http\n default_backend b\nbackend b\n",
        "3:18 frontend 'f' has mode http and its backend backend 'b' (case.cfg:4) mode tcp",
    ),
    ("backend b\n server a :80\n server a :81\n", "3:9 backend 'b' already has a server 'a' (line 2)"),
    ("backend b\n server a :80 id 5\n server b :81 id 5\n", "3:9 id 5 is already that of server 'a'"),
    ("backend b\n server a :80 track x\n", "2:9 server 'a' tracks 'x': there is no such server"),
    ("backend b\n server a :80 track a\n", "2:9 server 'a' tracks itself in a circle"),
    ("backend b\n server a :80\n server b :80 track a\n", "3:9 server 'b' tracks 'a', which is not checked"),
    ("backend b\n server a :80 check track a\n", "2:9 server 'a' cannot be checked and track another"),
    ("global\n nbthread 2\n nbgroup 4\n", "3:2 4 groups cannot share 2 threads"),
    (
        "global\n nbthread 4\n nbgroup 2\nfrontend f\n bind :80 thread 2-3\n",
        "5:2 `bind :80`: threads 2-3 are not all in one group",
    ),
    (
        "global\n nbthread 4\n nbgroup 2\nfrontend f\n bind :80 thread 2/3\n",
        "5:2 `bind :80`: thread 2/3 does not exist",
    ),
    ("global\n nbthread 4\nfrontend f\n bind :80 thread 5\n", "4:2 `bind :80`: thread 5 does not exist: there are 4"),
    ("global\n nbthread 4\nfrontend f\n bind :80 thread 1/5\n", "4:2 `bind :80`: thread 1/5 does not exist"),
    (
        "global\n thread-group 1 1-3\n thread-group 2 4\nfrontend f\n bind :80 thread 2/2\n",
        "5:2 `bind :80`: thread 2/2 does not exist: group sizes are 3, 1",
    ),
    ("global\n nbgroup 1\n nbthread 65\n", "2:2 group 1 has 65 threads, and 64 are the most: write nbgroup 2"),
    ("global\n nbthread 4\n thread-group 1 1-5\n", "3:2 thread 5 of thread-group 1 does not exist: nbthread is 4"),
]


@pytest.mark.parametrize(("text", "complaint"), REFERENCES)
def test_refuse(read: Any, text: str, complaint: str) -> None:
    (error,) = read(text).errors
    assert error.startswith(complaint)


@pytest.mark.parametrize(
    "text",
    [
        "frontend f\n default_backend b\nbackend b\n mode http\n",
        "frontend f\n mode http\n default_backend l\nlisten l\n mode http\n",
        "frontend f\n default_backend f\nbackend f\n",
        "frontend f\n disabled\n default_backend none\n",
        "backend b\n server a :80 check\n server b :80 track a\nbackend c\n server x :80 track b/b\n",
        "global\n nbthread 4\n nbgroup 2\nfrontend f\n bind :80 thread 1/2,2/all\n bind :81 thread odd\n",
        "frontend f\n bind :80 thread 200\n",
    ],
)
def test_allowed(read: Any, text: str) -> None:
    assert read(text).errors == []


WARNINGS = [
    ("frontend f\n timeout client 1s\n", "frontend 'f' has no `bind` line"),
    ("listen l\n timeout client 1s\n", "listen 'l' has no `bind` line"),
    ("frontend f\n bind :80\n", "frontend 'f' lacks `timeout client`: connections that hang are never ended"),
    ("backend b\n server a :80\n", "backend 'b' lacks `timeout connect`, `timeout server`"),
    (
        "frontend f\n bind :80\n timeout client 1s\n option forwardfor\n",
        "`option forwardfor` is ignored in frontend 'f'",
    ),
    ("frontend f\n bind :80\n timeout client 1s\n monitor-uri /x\n", "`monitor-uri` is ignored in frontend 'f'"),
    ("backend b\n cookie S\n", "`cookie` is ignored in backend 'b': it needs mode http"),
    ("backend b\n option http-no-delay\n", "`option http-no-delay` is ignored in backend 'b'"),
    ("frontend f\n bind :80\n timeout client 1s\n option tcplog\n", "frontend 'f' has a log format and no `log` line"),
    (
        "frontend f\n bind :80\n timeout client 1s\n log stdout local0\n option httplog\n",
        "`option httplog` in frontend 'f' needs mode http: the format of `option tcplog` is used",
    ),
    ("global\n tune.bufsize 1000\n tune.maxrewrite 600\n", "tune.maxrewrite (600) is lowered to half of tune.bufsize"),
]


@pytest.mark.parametrize(("text", "complaint"), WARNINGS)
def test_warn(read: Any, text: str, complaint: str) -> None:
    (warning,) = read(text).warnings
    assert warning.split(" ", 1)[1].startswith(complaint)


@pytest.mark.parametrize("text", ["frontend f\n disabled\n", "backend b\n", "backend b\n disabled\n server a :80\n"])
def test_nothing_to_warn_about(read: Any, text: str) -> None:
    assert list(read(text).diagnostics) == []


def test_no_warnings_beside_errors(read: Any) -> None:
    assert read("frontend f\n bind :80\n timeout client x\n").warnings == []


def test_maxconn_and_fullconn(read: Any) -> None:
    outcome = read("""
        global
            maxconn 1000
        frontend f
            default_backend b
        frontend g
            maxconn 505
            default_backend b
        backend b
        backend c
            fullconn 3
        backend d
    """)
    assert [p.maxconn for p in outcome.good.proxies] == [1000, 505, None, None, None]
    assert [p.fullconn for p in outcome.good.proxies] == [None, None, 151, 3, 1]
    assert read("frontend f\n default_backend b\nbackend b\n").proxy("b").fullconn is None


def test_error_files_must_fit_a_buffer(read: Any) -> None:
    reply = b"HTTP/1.0 503 X\r\n\r\n" + b"x" * 20000
    (error,) = read("listen l\n errorfile 503 x\n", {"x": reply}).errors
    assert error == "2:2 the reply of `errorfile 503` has 20018 bytes, tune.bufsize is 16384"


def test_error_files_are_inherited_one_by_one(read: Any) -> None:
    text = "defaults\n errorloc 404 /a\n errorloc 503 /b\nlisten l\n errorloc 404 /c\n"
    assert {status: reply.value for status, reply in read(text).proxy("l").error_files.items()} == {
        404: "/c",
        503: "/b",
    }


def test_listen_is_its_own_backend(read: Any) -> None:
    outcome = read("listen a\nlisten b\n default_backend a\n")
    assert [p.default_backend for p in outcome.good.proxies] == ["a", "a"]


@pytest.mark.parametrize(
    ("threads", "groups", "sizes"), [(28, 4, (7,) * 4), (5, 2, (3, 2)), (None, 2, None), (4, None, (4,))]
)
def test_written_sizes(threads: int | None, groups: int | None, sizes: tuple[int, ...] | None) -> None:
    assert written_sizes(GlobalSpec(nbthread=threads, nbgroup=groups)) == sizes
