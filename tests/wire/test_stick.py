"""`stick` rules on the wire, as HAProxy has them: which server has a request, and what the tables know afterwards.

A request has its key in the header K. `/look` is answered by the proxy, with the id of the server that the tables know
of that key; `/seed` goes to a backend of its own, whose servers may be others under the same names. The server that has
a request is in the log line, and in what the servers see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Await, End, Raise, Request, Response, Send, Sleep, Until

TABLE = "type string len 16 size 100 expire 100s"
ON = "stick on hdr(K)"
SERVERS = "server s1 {s1}\nserver s2 {s2}\nserver s4 {s4}"
SEED = "server s1 {s1}\nserver s2 {s2}\nserver s3 {s3}"
NAMES = ("s1", "s2", "s3", "s4")


def get(ask: str) -> Send:
    """`key`, `key /path`, `key /path Header: value`; a key `-` is none."""
    key, _, rest = ask.partition(" ")
    path, _, line = rest.partition(" ")
    lines = [f"GET {path or '/'} HTTP/1.1", "Host: x.test"]
    if key != "-":
        lines.append(f"K: {key}")
    lines += [one.strip() for one in line.split("|") if one]
    return Send("\r\n".join([*lines, "", ""]).encode())


def answers(name: str, number: int, more: str = "") -> tuple[Any, ...]:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: JS={name}-session; path=/\r\n{more}\r\n"
    return (Request(), Send(head.encode())) * number


def indented(lines: str) -> str:
    return "".join(f"    {line.strip()}\n" for line in lines.splitlines() if line.strip())


def case(
    name: str,
    asks: Sequence[str],
    back: str = ON,
    *,
    servers: str = SERVERS,
    seed: str = SEED,
    seeding: str = "stick on hdr(K) table b",
    front: str = "",
    table: str = TABLE,
    more: str = "",
    tables: Sequence[str] = ("b",),
    answer: str = "",
    **words: Any,
) -> Case:
    """One client that asks one after the other."""
    shown = ",".join(f"%[hdr(K),table_server_id({one})]" for one in tables)
    whole = "frontend f\n    bind {bind}\n    use_backend seed if { path /seed }\n    default_backend b\n"
    if tables:
        shown = ",".join(f"%[hdr(K),table_server_id({one})]" for one in tables)
        whole += f'    http-request return status 200 hdr Look "{shown}" if {{ path /look }}\n'
    whole += indented(front)
    whole += f"backend b\n    stick-table {table}\n{indented(back)}{indented(servers)}"
    whole += f"backend seed\n{indented(seeding)}{indented(seed)}{more}"
    steps = [step for ask in asks for step in (get(ask), Response())]
    origins = {one: (answers(one, len(asks), answer),) * 6 for one in NAMES} | words.pop("origins", {})
    clients = words.pop("clients", ((*steps, CLOSE),))
    lines = words.pop("lines", len(asks))
    return Case(f"stick: {name}", clients, origins, whole=whole, lines=lines, **words)


def in_turn(*sends: Send) -> tuple[tuple[Any, ...], ...]:
    """Clients of one request each, one after the other."""
    return tuple(
        (*((Await(f"c{number - 1}"),) if number else ()), send, Response(), CLOSE, Raise(f"c{number}"))
        for number, send in enumerate(sends)
    )


SAME = ("a", "b", "a", "b", "c", "a", "-", "-", "d", "a /look", "b /look", "x /look")
DOWN = "server s1 {s1}\nserver s2 {s2} disabled\nserver s3 {s3}"
GONE = "server s1 {s1}\nserver s2 {refusing}\nserver s3 {s3}"
SEEDED = ("x /seed", "a /seed", "a", "a", "a /look", "a", "x /look")

BASIC = (
    case("on", SAME),
    case("match without store", SAME, "stick match hdr(K)"),
    case("store without match", SAME, "stick store-request hdr(K)"),
    case("match and store", SAME, "stick match hdr(K)\nstick store-request hdr(K)"),
    case("store before match", SAME, "stick store-request hdr(K)\nstick match hdr(K)"),
    case("if", ("a", "a", "a /q", "a /q", "a", "a /look"), "stick on hdr(K) if { path /q }"),
    case("unless", ("a", "a", "a /q", "a /q", "a", "a /look"), "stick on hdr(K) unless { path /q }"),
    case("by an ACL", ("a", "a", "a /q", "a /q", "a"), "acl q path /q\nstick on hdr(K) if q"),
    case("converters", ("Ab", "aB", "ab", "AB /look", "ab /look"), "stick on hdr(K),lower"),
    case("keys cut to their length", ("0123456789abcdefX", "0123456789abcdefY", "0123456789abcde")),
    case("integers", ("7", "07", "-", "nan", "7", "0", "nan"), table="type integer size 100", tables=()),
    case("binary", SAME[:-3], "stick on hdr(K),sha1", table="type binary len 20 size 100", tables=()),
    case("addresses", SAME, "stick on src", table="type ip size 100", tables=()),
    case("ipv6", SAME, "stick on src", table="type ipv6 size 100", tables=()),
    case(
        "forwarded",
        ("- / X-Forwarded-For: 10.0.0.1", "- / X-Forwarded-For: 10.0.0.2", "- / X-Forwarded-For: 10.0.0.1", "-"),
        "stick on req.hdr_ip(X-Forwarded-For,-1)\nstick on src",
        table="type ip size 100",
        tables=(),
    ),
    case(
        "several clients",
        ("-",) * 7,
        "stick on src",
        table="type ip size 100",
        tables=(),
        sources=tuple(f"127.0.0.{number}" for number in (1, 2, 1, 2, 3, 1, 2)),
        clients=in_turn(*(get("-") for _ in range(7))),
    ),
    case("a full table", ("a", "b", "a", "b", "a /look", "b /look"), table=f"{TABLE} size 1"),
    case("nopurge", ("a", "b", "a", "b", "a /look", "b /look"), table=f"{TABLE} size 1 nopurge"),
    case("the table of another", SAME, "stick on hdr(K) table t", more=f"backend t\n    stick-table {TABLE}\n"),
)

SEVERAL = (
    case(
        "first line of a table",
        ("a", "a", "a / L: b", "b", "b /look", "- / L: b", "- / L: c", "c /look", "c"),
        "stick on hdr(K)\nstick on hdr(L)",
    ),
    case(
        "both of two tables",
        ("a / L: b", "z", "a", "- / L: b", "z / L: b", "c / L: b", "a / L: c", "a / L: q", "b /look", "z /look"),
        "stick on hdr(K)\nstick on hdr(L) table t",
        more=f"backend t\n    stick-table {TABLE}\n",
        tables=("b", "t"),
    ),
    case(
        "skipped conditions",
        ("a / L: b", "b", "b /look", "a /q", "n /q", "n /look"),
        "stick store-request hdr(K)\nstick store-request hdr(L) if { path / }\nstick match hdr(K) if { path /q }",
    ),
    case(
        "nine stores",
        ("a", "a /look"),
        "\n".join(f"stick store-request hdr(K) table t{number}" for number in range(9)),
        more="".join(f"backend t{number}\n    stick-table {TABLE}\n" for number in range(9)),
        tables=[f"t{number}" for number in range(9)],
    ),
    case(
        "eight and one of the response",
        ("a", "a /look"),
        "\n".join(f"stick store-request hdr(K) table t{number}" for number in range(7))
        + "\nstick store-response str(a) table t7\nstick store-response str(a) table t8",
        more="".join(f"backend t{number}\n    stick-table {TABLE}\n" for number in range(9)),
        tables=[f"t{number}" for number in range(9)],
    ),
)

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
LATER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
RESPONSES = (
    case(
        "learned of a response",
        ("-", "- / Cookie: JS=s1-session", "-", "- / Cookie: JS=s1-session", "s1-session /look", "s2-session /look"),
        "stick store-response res.cook(JS)\nstick match req.cook(JS)",
    ),
    case(
        "request and response into one table",
        ("a", "a", "s1-session /look", "a /look", "b / Cookie: JS=s1-session", "b /look"),
        "stick on hdr(K)\nstick store-response res.cook(JS)",
    ),
    case(
        "first line of a table, responses",
        ("a", "s1-session /look", "n /look", "one /look"),
        "stick store-response res.hdr(None)\nstick store-response res.cook(JS)\nstick store-response str(one)",
    ),
    case(
        "conditions of responses",
        ("a", "s1-session /look", "a", "s2-session /look"),
        "stick store-response res.cook(JS) if { res.cook(JS) -m beg s2 }",
    ),
    case("status", ("a", "n /look"), "stick store-response str(n) if { status 200 }"),
    case(
        "before the rules of responses",
        ("a", "new /look", "s1-session /look"),
        "http-response set-header Set-Cookie JS=new\nstick store-response res.cook(JS)",
    ),
    case(
        "variables",
        ("a", "b", "a /look", "a"),
        "http-request set-var(txn.k) hdr(K)\nstick store-response var(txn.k)\nstick match hdr(K)",
    ),
    case(
        "several lines of Set-Cookie",
        ("a", "q /look", "s1-session /look"),
        "stick store-response res.cook(q)",
        answer="Set-Cookie: p=1\r\nSet-Cookie: q=q\r\n",
    ),
    case(
        "interim responses",
        ("a", "200 /look", "103 /look", "a /look"),
        f"{ON}\nstick store-response status",
        origins={"s1": ((Request(), Send(HINTS), Send(LATER)),), "s2": (), "s4": ()},
    ),
    case(
        "upgrades",
        ("a / Connection: upgrade|Upgrade: x",),
        f"{ON}\nstick store-response status",
        origins={"s1": ((Request(), Send(UPGRADED), Until(b"bye"), CLOSE),), "s2": (), "s4": ()},
        clients=(
            (get("a / Connection: upgrade|Upgrade: x"), Until(b"\r\n\r\n"), Send(b"bye"), End(), CLOSE, Raise("up")),
            *((Await("up"), get(f"{key} /look"), Response(), CLOSE) for key in ("a", "101")),
        ),
        lines=3,
    ),
    case("response denied", ("a", "a /look"), f"{ON}\nhttp-response deny"),
    case("request denied", ("a", "a /deny", "b /deny", "a", "b /look"), f"{ON}\nhttp-request deny if {{ path /deny }}"),
    case(
        "request returned",
        ("a", "b /here", "b /look"),
        f"{ON}\nhttp-request return status 200 if {{ path /here }}",
    ),
)

IDLE = ("s2.connection",)
"""We keep no idle connection to a server in maintenance."""
PERSIST = "force-persist if { path /force }\nignore-persist if { path /ignore }"
STATES = (
    case("server down", SEEDED, servers=DOWN),
    case("server down, persist", SEEDED[:4], f"{ON}\noption persist", servers=DOWN.replace("{s2}", "{refusing}")),
    case("server down, persist, there", SEEDED, f"{ON}\noption persist", servers=DOWN, ignore=IDLE),
    case(
        "server down, force-persist",
        ("x /seed", "a /seed", "a /force", "a", "a /force", "a /look"),
        f"{ON}\n{PERSIST}",
        servers=DOWN,
        ignore=IDLE,
    ),
    case("ignore-persist", ("a", "b", "a /ignore", "a", "a /look"), f"{ON}\n{PERSIST}"),
    case("refused", SEEDED[:5], f"{ON}\nretries 0", servers=GONE),
    case("refused, redispatch", SEEDED, f"{ON}\nretries 1\noption redispatch", servers=GONE),
    case("refused, redispatch, match only", SEEDED, "stick match hdr(K)\nretries 1\noption redispatch", servers=GONE),
    case("weight 0", SEEDED, servers="server s1 {s1}\nserver s2 {s2} weight 0\nserver s3 {s3}"),
    case("backup", SEEDED, servers="server s1 {s1}\nserver s2 {s2} backup\nserver s3 {s3}"),
    case(
        "unknown server",
        ("x /seed", "y /seed", "a /seed", "a", "a", "a /look"),
        servers="server q {s1} id 8\nserver r {s2} id 9",
    ),
    case("non-stick", SAME, servers="server s1 {s1}\nserver s2 {s2} non-stick\nserver s4 {s4}"),
    case(
        "non-stick by default",
        SAME,
        servers="default-server non-stick\nserver s1 {s1}\nserver s2 {s2} stick\nserver s4 {s4}",
    ),
    case("use-server first", ("a", "a /use", "a", "a /look"), f"{ON}\nuse-server s4 if {{ path /use }}"),
    case(
        "use-server that is down",
        ("x /seed", "a /seed", "a /use"),
        f"{ON}\nuse-server s1 if {{ path /use }}",
        servers="server s1 {s1} disabled\nserver s2 {s2}",
    ),
    case(
        "cookie first",
        ("a", "b", "a / Cookie: C=two", "a", "b / Cookie: C=no"),
        f"{ON}\ncookie C insert indirect",
        servers="server s1 {s1} cookie one\nserver s2 {s2} cookie two",
    ),
    case(
        "cookie of a server that is down",
        ("x /seed", "a /seed", "a / Cookie: C=two", "x / Cookie: C=two", "a"),
        f"{ON}\ncookie C insert indirect",
        servers="server s1 {s1} cookie one\nserver s2 {s2} cookie two disabled\nserver s4 {s4} cookie four",
    ),
    case("nobody there", ("a", "a", "a /look"), servers="server s1 {s1} disabled"),
)

KEYS = (
    case("by name, ids differ", ("x /seed", "a /seed", "a", "x", "a /look"), servers="server s2 {s2}\nserver s1 {s1}"),
    case("by id, names differ", ("x /seed", "a /seed", "a", "x", "a /look"), servers="server q1 {s1}\nserver q2 {s2}"),
    case(
        "ids of their own",
        ("a", "b", "a", "b", "a /look", "b /look"),
        servers="server s1 {s1} id 70\nserver s2 {s2} id 7",
    ),
    case("srvkey addr", SAME, table=f"{TABLE} srvkey addr"),
    case(
        "srvkey addr, names differ",
        ("x /seed", "a /seed", "a", "x", "a /look"),
        servers="server q {s2} id 8\nserver r {s1} id 9",
        table=f"{TABLE} srvkey addr",
    ),
    case(
        "srvkey addr, same address twice",
        ("x /seed", "a /seed", "a", "x", "a /look"),
        servers="server q {s3} id 7\nserver r {s2} id 8\nserver u {s2} id 9",
        table=f"{TABLE} srvkey addr",
    ),
    case(
        "srvkey addr, addresses differ",
        ("x /seed", "a /seed", "a", "x", "a /look"),
        servers="server s1 {s2}\nserver s2 {s1}",
        table=f"{TABLE} srvkey addr",
    ),
)


WHOLE = f"""listen l
    bind {{bind}}
    stick-table {TABLE}
    use_backend c if {{ path /c }}
    http-request deny if {{ path /deny }}
    {ON}
    server s1 {{s1}}
    server s2 {{s2}}
backend c
    {ON} table l
    server s2 {{s2}}
    server s1 {{s1}}
"""
HELD = (Request(), Raise("taken"), Await("asked"), Send(LATER), Request(), Send(LATER))
OTHERS = (
    Case(
        "stick: a listen",
        (tuple(step for key in ("a", "b", "a", "b /c", "c /deny", "c", "a /c") for step in (get(key), Response())),),
        {one: (answers(one, 7),) * 6 for one in NAMES},
        whole=WHOLE,
        lines=7,
    ),
    case(
        "a full server",
        ("a",),
        "stick on hdr(K)\ntimeout queue 900ms",
        servers="server s1 {s1} maxconn 1\nserver s2 {s2}",
        clients=(
            (get("a"), Response(), get("a"), Response(), CLOSE),
            (Await("taken"), get("a"), Sleep(0.1), Raise("asked"), Response(), CLOSE),
        ),
        origins={"s1": ((Request(), Send(LATER), *HELD),)},
        lines=3,
    ),
    case(
        "a full server, no room to wait",
        ("a",),
        "stick on hdr(K)\noption redispatch",
        servers="server s1 {s1} maxconn 1 maxqueue 1\nserver s2 {s2}",
        clients=(
            (get("a"), Response(), get("a"), Response(), CLOSE),
            (Await("taken"), get("a"), Raise("waits"), Response(), CLOSE),
            (Await("waits"), Sleep(0.1), get("a"), Response(), Raise("asked"), CLOSE),
        ),
        origins={"s1": ((Request(), Send(LATER), *HELD),)},
        lines=4,
    ),
)

CASES = (*BASIC, *SEVERAL, *RESPONSES, *STATES, *KEYS, *OTHERS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_stick(case: Case, plays: Plays) -> None:
    plays.compare(case)
