"""Stick tables on the wire: what is counted when, and every fetch, converter and action, as HAProxy has it.

A path `/NNN` is answered by the server with that status; `/look` by the proxy, with what the table says. All keys are
the client's address unless a case says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from maniple.core.rules import convert_tables, fetch_tables, keywords
from maniple.core.rules.catalogue import CONVERTERS, FETCHES
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, RESET, Await, End, Raise, Request, Response, Send, Until

assert keywords.MODULES

COUNTS = "conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,bytes_in_cnt,bytes_out_cnt"
TABLE = f"type ip size 100 expire 100s store gpc0,{COUNTS}"
LOOKED = COUNTS.split(",")[:-2]


def tables(**lines: str) -> str:
    """Backends that only have a table."""
    return "".join(f"backend {name}\n    stick-table {line}\n" for name, line in lines.items())


def shown(names: Sequence[str], key: str = "src") -> str:
    return ",".join(f"%[{key},table_{name}(t)]" for name in names)


LOOK = f'http-request return status 200 hdr X-Look "{shown(LOOKED)}" if {{ path /look }}'
SEEN = (
    'http-after-response set-header X-Seen "%[sc_http_req_cnt(0)],%[sc_http_err_cnt(0)],%[sc_http_fail_cnt(0)],'
    '%[sc_conn_cur(0)],%[sc_conn_cnt(0)],%[sc_sess_cnt(0)],%[sc_tracked(0)],%[sc_trackers(0)]"'
)
ENDS = """
    http-request deny if { path /deny }
    http-request tarpit if { path /tarpit }
    http-request auth if { path /auth }
    http-request return status 404 if { path /return }
    http-request redirect location /x if { path /redirect }
    http-request reject if { path /reject }
    http-response deny if { res.hdr(X-Up) deny }
    timeout tarpit 20ms
"""


def get(path: str, more: str = "") -> Send:
    return Send(f"GET {path} HTTP/1.1\r\nHost: x.test\r\n{more}\r\n".encode())


def asked(*paths: str) -> tuple[Any, ...]:
    """A client's steps: one request after the other."""
    return tuple(step for path in paths for step in (get(path), Response()))


LOOK_LAST = asked("/return", "/look")
"""Of a client that looks when another has gone. The proxy may be told of both at a time; when it has answered the first
request, whose own answer means nothing, it is done with the other's end, too."""


def answers(*paths: str) -> tuple[Any, ...]:
    """The server's steps for those of them that reach it."""
    steps: list[Any] = []
    for path in paths:
        status = path[1:4]
        if status.isdigit():
            up = "deny" if path.endswith("denied") else "A"
            head = f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\nX-Up: {up}\r\n\r\nhello"
            steps += (Request(), Send(head.encode()))
    return tuple(steps)


def case(
    name: str,
    paths: Sequence[str],
    front: str = "",
    back: str = "",
    more: str = "",
    table: str = TABLE,
    settings: str = "",
    **words: Any,
) -> Case:
    """One client that asks for the paths, and looks in between and at the end."""
    whole = f"frontend f\n    bind {{bind}}\n    default_backend b\n    {LOOK}\n"
    whole += "".join(f"    {line.strip()}\n" for line in front.splitlines() if line.strip())
    whole += "backend b\n" + "".join(f"    {line.strip()}\n" for line in back.splitlines() if line.strip())
    whole += "    server s1 {s1}\n" + tables(t=table) + more
    origins = words.pop("origins", None) or {"s1": (answers(*paths),) * 3}
    clients = words.pop("clients", None) or ((*asked(*paths), CLOSE),)
    lines = words.pop("lines", len(paths))
    return Case(name, clients, origins, whole=whole, settings=settings, lines=lines, **words)


MIXED = (
    *("/200", "/look", "/404", "/500", "/501", "/505", "/look", "/deny", "/look", "/auth", "/return", "/redirect"),
    *("/look", "/200denied", "/look"),
)
TRACKS = {
    "connection": ("tcp-request connection track-sc0 src table t", ""),
    "session": ("tcp-request session track-sc0 src table t", ""),
    "content": ("tcp-request content track-sc0 src table t", ""),
    "request": ("http-request track-sc0 src table t", ""),
    "content of the backend": ("", "tcp-request content track-sc0 src table t"),
    "request of the backend": ("", "http-request track-sc0 src table t"),
    "response": ("http-response track-sc0 src table t", ""),
    "response of the backend": ("", "http-response track-sc0 src table t"),
    "connection and request": (
        "tcp-request connection track-sc0 src table t\nhttp-request track-sc0 int(5) table t",
        "http-request track-sc1 int(6) table t",
    ),
    "the first one of two": ("http-request track-sc0 src table t\nhttp-request track-sc0 int(5) table t", ""),
    "no key": ("http-request track-sc0 hdr(none),ipmask(32) table t\nhttp-request track-sc0 src table t", ""),
    "in a condition": ("http-request track-sc0 src table t if { path_beg /4 }", ""),
}


def counting() -> list[Case]:
    cases = [
        case(f"tables: counted by {name}", MIXED, f"{front}\n{SEEN}\n{ENDS}", back)
        for name, (front, back) in TRACKS.items()
    ]
    for scope in ("connection", "session"):
        front = (
            f"tcp-request connection track-sc0 src table t\ntcp-request {scope} reject if {{ src_conn_cnt(t) gt 1 }}"
        )
        clients = (
            (*asked("/200"), Raise("one"), Await("two"), get("/look"), Response(), CLOSE),
            (Await("one"), End(), Raise("two")),
        )
        cases.append(case(f"tables: rejected by {scope}", ("/200",), front, clients=clients, lines=2))
    tarpit = f"tcp-request connection track-sc0 src table t\n{SEEN}\n{ENDS}"
    cases += [
        case(
            f"tables: counted though {name}",
            ("/200",),
            tarpit,
            clients=(
                (*asked("/200"), Raise("one"), Await("done"), CLOSE),
                (Await("one"), *steps, Raise("two")),
                (Await("two"), *LOOK_LAST, Raise("done"), CLOSE),
            ),
            lines=4,
            ignore=("log", "client2.response0"),
            times=f"timeout http-keep-alive 3s\n{times}",
        )
        for name, steps, times in (
            ("tarpitted", (get("/tarpit"), Response(), CLOSE), ""),
            ("rejected", (get("/reject"), End(), CLOSE), ""),
            ("no request", (Send(b"bad\r\n\r\n"), End(), CLOSE), ""),
            ("too slow", (Send(b"GET /"), End(), CLOSE), "timeout http-request 100ms"),
            ("cut off", (Send(b"GET /"), RESET), ""),
            ("silent", (CLOSE,), ""),
            ("gone early", (get("/200"), Await("logged 2"), RESET), ""),
        )
    ]
    cases += [
        case(
            f"tables: failures, {name}",
            ("/200",),
            f"http-request track-sc0 src table t\n{SEEN}",
            origins={"s1": (steps,)},
            clients=((get("/200"), Until(b"\r\n\r\n"), Raise("one")), (Await("one"), get("/look"), Response(), CLOSE)),
            lines=2,
            ignore=("log", "client1"),
            times="timeout server 100ms",
        )
        for name, steps in (
            ("closed", (Request(), CLOSE)),
            ("garbage", (Request(), Send(b"garbage\r\n\r\n"), CLOSE)),
            ("late", (Request(), End(), CLOSE)),
        )
    ]
    return cases


# Fetches, converters, actions.

OTHER = "type ip size 10 expire 100s store gpc0"
ARRAYS = "type string len 4 size 10 expire 100s store gpc(2),gpt(2),gpc_rate(2,100s)"
EVERYTHING = (
    "type ip size 10 expire 100s store gpc0,gpc1,gpt0,server_id,conn_cnt,conn_cur,conn_rate(100s),sess_cnt,"
    "sess_rate(100s),http_req_cnt,http_req_rate(100s),http_err_cnt,http_err_rate(100s),http_fail_cnt,"
    "http_fail_rate(100s),bytes_in_cnt,bytes_in_rate(100s),bytes_out_cnt,bytes_out_rate(100s),glitch_cnt,"
    "glitch_rate(100s),gpc0_rate(100s),gpc1_rate(100s)"
)
MORE = tables(u=OTHER, v=ARRAYS)
INDEXED = ("get_gpc", "get_gpt", "gpc_rate", "inc_gpc", "clr_gpc")


def uses(name: str, kind: str) -> list[str]:
    """The ways to write a keyword: of what is tracked in the table of everything, in other tables, of nothing."""
    if kind == "converter":
        bare = name.removeprefix("table_")
        if bare in ("gpc", "gpt", "gpc_rate"):
            return [
                f"src,{name}(1,v)",
                f"src,{name}(0,v)",
                f"src,{name}(7,v)",
                f"src,{name}(1,t)",
                f"int(9),{name}(1,v)",
            ]
        found = [f"src,{name}({table})" for table in ("u", "v")] + [f"int(9),{name}({table})" for table in ("t", "u")]
        if bare in ("expire", "idle"):
            return [f"src,{name}(u,7)", f"int(9),{name}(t)", f"int(9),{name}(u,8)"]
        return found if bare in ("trackers", "in_table") else [f"src,{name}(t)", *found]
    prefix, _, bare = name.partition("_")
    if prefix == "src" and bare in INDEXED:
        return [f"{name}(1,v)", f"{name}(7,v)", f"{name}(1,t)"]
    if prefix == "src" or prefix == "table":
        return [f"{name}(t)", f"{name}(u)", f"{name}(v)"]
    if bare in INDEXED:
        return [f"{name}(1,1)", f"{name}(0,1)", f"{name}(1,0)", f"{name}(7,1)", f"{name}(1,2)"]
    if prefix == "sc":
        return [f"{name}(0)", f"{name}(1)", f"{name}(2)", *[f"{name}(0,u)"] * (bare not in ("tracked",))]
    return [name, f"{name}(u)"] if bare != "tracked" else [name]


def named(module: Any, table: Any) -> list[str]:
    return [name for name, entry in table.items() if entry.make.__module__ == module.__name__]


def keyword_cases() -> list[Case]:
    """Each keyword in each way, a header with all values for each handful."""
    listed = [text for name in named(fetch_tables, FETCHES) for text in uses(name, "fetch")]
    # Converters that change are of HAProxy 3.2: tests/core/rules/test_convert_tables has them.
    converters = [
        name for name in named(convert_tables, CONVERTERS) if not name.startswith(("table_inc_", "table_clr_"))
    ]
    listed += [text for name in converters for text in uses(name, "converter")]
    # HAProxy counts bytes as it holds messages, and we as they are on the wire; `table_trackers` of HAProxy counts the
    # look itself.
    listed = [text for text in listed if "bytes_" not in text and not text.startswith("src,table_trackers")]
    changing = [text for text in listed if "_inc_" in text or "_clr_" in text or "updt" in text]
    reading = [text for text in listed if text not in changing and not text.startswith("table_avl(v)")]
    front = """
        tcp-request connection track-sc0 src table t
        http-request track-sc1 src table v
        http-request sc-inc-gpc(1,1)
        http-request sc-add-gpc(1,1) 5
        http-request sc-add-gpc(0,1) int(3),add(4)
        http-request sc-set-gpt(1,1) 7
        http-request sc-set-gpt0(1) int(9)
        http-request sc-inc-gpc0(0)
        http-request sc-inc-gpc1(0)
        http-request sc-set-gpt0(0) int(-1)
        http-request sc-inc-gpc(0,0)
    """
    cases = []
    for kind, texts in (("reading", reading), ("changing", changing)):
        for start in range(0, len(texts), 60):
            part = texts[start : start + 60]
            values = "|".join(f"%[{text}]" for text in part)
            cases.append(
                case(
                    f"tables: {kind} keywords {start}",
                    ("/200", "/404", "/200"),
                    f'{front}\nhttp-after-response set-header X-Values "{values}"',
                    more=MORE,
                    table=EVERYTHING,
                )
            )
    return cases


def action_cases() -> list[Case]:
    def after(*texts: str) -> str:
        return 'http-after-response set-header X-Values "' + "|".join(f"%[{text}]" for text in texts) + '"'

    track = "http-request track-sc0 src table t\n"
    return [
        case(
            "tables: tags",
            ("/200a", "/200b", "/200c", "/200d", "/200e"),
            f"""{track}http-request sc-set-gpt0(0) 4294967297 if {{ path /200b }}
            http-request sc-set-gpt0(0) -7 if {{ path /200c }}
            http-request sc-set-gpt0(0) hdr(none) if {{ path /200d }}
            http-request sc-set-gpt0(0) str(12x) if {{ path /200e }}
            {after("sc_get_gpt0(0)")}""",
            table=EVERYTHING,
        ),
        case(
            "tables: counters in all scopes",
            ("/200", "/404"),
            f"""tcp-request connection track-sc0 src table t
            tcp-request connection sc-inc-gpc0(0)
            tcp-request session sc-inc-gpc0(0)
            tcp-request content sc-inc-gpc0(0)
            http-request sc-inc-gpc0(0)
            http-response sc-inc-gpc0(0)
            http-after-response sc-inc-gpc0(0)
            http-after-response sc-set-gpt0(0) sc_get_gpc0(0)
            {after("sc_get_gpc0(0)", "sc0_get_gpt0", "sc0_gpc0_rate", "sc1_tracked", "sc_get_gpc0(2)")}""",
            back="tcp-response content sc-inc-gpc1(0)\nhttp-request sc-inc-gpc0(0)",
            table=EVERYTHING,
        ),
        case(
            "tables: only the rate of a counter",
            ("/200", "/200"),
            f"{track}http-request sc-inc-gpc0(0)\n"
            + after("sc_inc_gpc0(0)", "sc_gpc0_rate(0)", "sc_get_gpc0(0)", "sc_clr_gpc0(0)"),
            table="type ip size 10 store gpc0_rate(100s)",
        ),
        case(
            "tables: denied by a rate",
            ("/200",) * 3 + ("/200x",) * 3,
            f"{track}http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 3 }}",
            table="type ip size 10 store http_req_rate(100s)",
        ),
        case(
            "tables: a flag that stays",
            ("/200", "/200bad", "/200", "/200"),
            f"""{track}http-request sc-inc-gpc0(0) if {{ path_end bad }}
            http-request deny if {{ sc_get_gpc0(0) gt 0 }}""",
            lines=4,
        ),
        case(
            "tables: too many at a time",
            ("/200",),
            "tcp-request connection track-sc0 src table t\ntcp-request connection reject if { sc_conn_cur(0) gt 2 }",
            clients=(
                (Await("out"), *asked("/look"), Raise("one"), Await("two"), CLOSE),
                (Await("one"), *LOOK_LAST, Raise("two"), CLOSE),
                (End(), CLOSE, Raise("out")),
            ),
            lines=3,
            ignore=("log",),
        ),
        case(
            "tables: the proxies' own",
            ("/200", "/200"),
            "stick-table type ip size 10 store gpc0,http_req_cnt\nhttp-request track-sc0 src\n"
            + after("sc0_http_req_cnt", "src_http_req_cnt", "src,table_http_req_cnt", "table_cnt", "src_inc_gpc0(b)"),
            back="stick-table type ip size 10 store gpc0\nhttp-request track-sc1 src\n"
            "http-request set-header x %[src_get_gpc0]",
        ),
        case(
            "tables: more sets of counters",
            ("/200", "/200"),
            "http-request track-sc7 src table t\n" + after("sc_http_req_cnt(7)", "sc_tracked(6)", "sc_tracked(7)"),
            settings="tune.stick-counters 8",
        ),
        case(
            "tables: keys of many kinds",
            ("/200a", "/200b"),
            "http-request track-sc0 path table s\nhttp-request track-sc1 base32 table i\n"
            "http-request track-sc2 src table x\n"
            + after(
                "sc_http_req_cnt(0)",
                "sc1_http_req_cnt",
                "sc2_conn_cnt",
                "str(/200b),in_table(s)",
                "str(/200a),in_table(s)",
            ),
            more=tables(
                s="type string len 20 size 10 store http_req_cnt",
                i="type integer size 10 store http_req_cnt",
                x="type ipv6 size 10 store conn_cnt",
            ),
        ),
        case(
            "tables: full, and the oldest goes",
            ("/200a", "/200b", "/200c", "/200a"),
            "http-request track-sc0 path table s\n"
            + after("table_cnt(s)", "table_avl(s)", "str(/200a),in_table(s)", "sc0_http_req_cnt"),
            more=tables(s="type string len 20 size 2 store http_req_cnt"),
        ),
        case(
            "tables: full, and nothing goes",
            ("/200a", "/200b", "/200c", "/200a"),
            "http-request track-sc0 path table s\n"
            + after("table_cnt(s)", "table_avl(s)", "sc_tracked(0)", "sc0_http_req_cnt"),
            more=tables(s="type string len 20 size 2 expire 10s nopurge store http_req_cnt"),
        ),
    ]


TCP = [
    Case(
        f"tables: tcp, {scope}",
        ((Send(b"abc"), Until(b"hello"), CLOSE),),
        {"s1": ((Until(b"abc"), Send(b"hello"), End(), CLOSE),)},
        whole=f"frontend f\n    bind {{bind}}\n    tcp-request {scope} track-sc0 src table t\n    default_backend b\n"
        '    log-format "x [] %[sc_conn_cnt(0)],%[sc_conn_cur(0)],%[sc_sess_cnt(0)],%[sc_kbytes_in(0)]"\n'
        "backend b\n    server s1 {s1}\n" + tables(t=TABLE),
        mode="tcp",
    )
    for scope in ("connection", "session", "content")
]
CASES = [*counting(), *keyword_cases(), *action_cases(), *TCP]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
