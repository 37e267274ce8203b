"""Every error says what to do: lines that maniple takes are broken in many ways, and each error has a hint.

The lines are the examples of all keywords (config/examples) and all fetches, converters and actions, which have
tests of their own. EXCEPTIONS are the errors that have none, with the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from maniple.core.addresses import Address
from maniple.core.config import keywords
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.examples import such_as
from maniple.core.config.keywords import State, Table
from maniple.core.config.parser import load
from maniple.core.config.sections import EXAMPLES, NAMED_SECTIONS
from maniple.core.report.examination import examine
from maniple.core.rules.actions import ACTIONS
from maniple.core.rules.catalogue import CONVERTERS, FETCHES

EXCEPTIONS = {
    r"^alert: ": "what `.alert` says is up to who writes it",
    r"^cannot read the file: ": "of a configuration named by its whole path: there is nothing to add to the reason",
}
TABLES = (
    keywords.GLOBAL_KEYWORDS,
    keywords.PROXY_KEYWORDS,
    keywords.RULE_SET_KEYWORDS,
    keywords.OPTIONS,
    keywords.BIND_KEYWORDS,
    keywords.SERVER_KEYWORDS,
    *(table for _, table in NAMED_SECTIONS.values()),
)
HEAD = "defaults d\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"


def sections_of(table: Table[object], sections: frozenset[str], lines: list[str]) -> str:
    """The lines where they belong."""
    start = ""
    if table is keywords.GLOBAL_KEYWORDS:
        kind = "global"
    elif table is keywords.BIND_KEYWORDS:
        kind, start = "frontend x", "bind :81 "
    elif table is keywords.SERVER_KEYWORDS:
        kind, start = "backend x", "server y 127.0.0.1:80 "
    elif table is keywords.RULE_SET_KEYWORDS:
        kind = "request-rules x"
    else:
        kind = next(f"{kind} x" for kind in ("backend", "frontend", *NAMED_SECTIONS) if kind in sections)
    return kind + "\n" + "".join(f" {start}{line}\n" for line in lines)


def broken(line: str) -> Iterator[str]:
    """The line without each word, with each word twice, mistyped, or something else in its place."""
    words = line.split()
    yield f"{line} extra"
    for index, word in enumerate(words):
        for other in ([], [word, word], [word[:-1] + "_"], ["-1"], ["99999999999999"], [f'{word}("']):
            yield " ".join([*words[:index], *other, *words[index + 1 :]])


def numeric(address: Address) -> Address:
    return replace(address, kind="inet", host="127.0.0.1") if address.kind == "name" else address


def read_file(path: str) -> bytes:
    if path.startswith("/etc/maniple"):
        return b"HTTP/1.0 503 Busy\r\n\r\n"
    raise FileNotFoundError(2, "No such file or directory")


def check(text: str) -> Diagnostics:
    _, found = load([("x", text)], dict(os.environ), resolve_name=numeric, read_file=read_file, examine=examine)
    return found


def without_hint(found: Diagnostics) -> list[str]:
    """The errors, as they are shown."""
    return [
        f"{one.headline()}"
        for one in found.errors
        if not one.hint and not any(re.search(pattern, one.message) for pattern in EXCEPTIONS)
    ]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_keywords(table: Table[object]) -> None:
    errors = 0
    for keyword in table:
        if keyword.state is State.KNOWN:
            continue
        lines = list(broken(such_as(table, keyword).removeprefix("such as `")[:-1]))
        found = check(HEAD + sections_of(table, keyword.sections, lines))
        assert without_hint(found) == []
        assert all(one.place.column > 0 for one in found.errors), found.render()
        errors += len(found.errors)
    assert errors


def test_sections() -> None:
    for example in EXAMPLES.values():
        for line in broken(example):
            assert without_hint(check(f"{HEAD}{line}\n")) == [], line


EXPRESSIONS = ("{}(", "{}(x,y,z,0,0,0,0,0,0,0,0,0,0,0)", "{}(-1)")


def test_expressions() -> None:
    """Each fetch and converter with wrong arguments, where it has nothing to say, and with its name mistyped; many in
    one configuration."""
    lines = [f'http-request set-var(txn.x) "{form.format(name)}"' for name in FETCHES for form in EXPRESSIONS]
    lines += [f'http-request set-var(txn.x) "path,{form.format(name)}"' for name in CONVERTERS for form in EXPRESSIONS]
    lines += [f"tcp-request connection set-var(sess.x) {name}" for name in FETCHES]
    lines += [f"http-request set-var(txn.x) {name}_" for name in [*FETCHES][::10]]
    lines += [f'acl a{number} "{name}" -m' for number, name in enumerate(FETCHES)]
    found = check(f"{HEAD}frontend f\n bind :80\n" + "".join(f" {line}\n" for line in lines))
    assert without_hint(found) == []
    assert len({one.place.line for one in found.errors}) > len(lines) / 2


ACTION_LINES = (
    "{}",
    "{}(",
    "{}()",
    "{}(x,y,z)",
    "{} x",
    "{} -1 -1 -1",
    "{}(txn.x) nosuch",
    "{} if",
    "{} extra extra if TRUE extra",
)


def test_actions() -> None:
    sides: dict[str, list[str]] = {"backend f": [" server s :1"], "frontend f": [" bind :80"]}
    for name, entry in ACTIONS.items():
        kind = sorted(entry.sets)[0]
        side = "frontend f" if kind.endswith(("connection", "session")) or kind == "use_backend" else "backend f"
        sides[side] += [f" {kind} {form.format(name)}" for form in ACTION_LINES]
        sides["backend f"].append(f" http-response {name}")
    for side, lines in sides.items():
        found = check(HEAD + "\n".join([side, *lines, ""]))
        assert without_hint(found) == []
        assert len({one.place.line for one in found.errors}) > len(lines) / 2


CASES = (
    ("frontend f", "bind 8080", 7, "no port in '8080'", "such as `bind :8080`"),
    ("frontend f", "bind :80 nmae x", 11, "unknown word 'nmae'", "did you mean `name`?"),
    ("frontend f", "bind :80 shards no", 18, "is expected", "such as `shards by-thread`"),
    ("frontend f", "mode htp", 7, "one of tcp, http is expected", "did you mean `http`?"),
    ("frontend f", "maxconn many", 10, "an integer is expected", "such as `maxconn 100`"),
    ("frontend f", "timeout client", 2, "expects <time>", "such as `timeout client 30s`"),
    ("frontend f", "timeout", 2, "expects one of", "such as `timeout client`"),
    ("frontend f", "default_backend", 2, "expects <backend>", "such as `default_backend app`"),
    ("frontend f", "default_backend nosuch", 18, "there is no backend 'nosuch'", "it is made by a section `backend no"),
    ("frontend f", "acl path /static", 11, "a keyword is expected", "a criterion is a fetch or one of its ACL"),
    ("frontend f", "http-request deny if", 20, "an ACL is expected after 'if'", "such as `if { path_beg /static }`"),
    ("frontend f", "http-request deny if a", 23, "there is no ACL 'a'", "an `acl` line above the rule makes it"),
    ("frontend f", "http-request deny deny_status x", 32, "'x' is no number", "a status is from 200 to 599"),
    ("frontend f", "http-request set-header A", 15, "expects", "usage: set-header <name> <format>"),
    ("frontend f", "http-request set-header A %[path", 28, "']' is missing", "such as %[src]"),
    ("frontend f", "http-request set-header A %[status]", 30, "nothing to say here", "it has in `tcp-response content"),
    ("frontend f", "http-response set-header A %[path]", 31, "nothing to say here", "set-var(txn.kept) path`"),
    ("frontend f", "http-request deny if { src 300.0.0.1 }", 29, "not a valid IPv4", "such as 192.0.2.1"),
    ("frontend f", "http-request deny if { path -m reg ( }", 37, "is invalid", "behind a backslash"),
    ("frontend f", "http-request deny if { fe_conn gt x }", 36, "neither a number", "operators are eq, ge, gt, le, lt"),
    ("frontend f", "http-request set-var(foo.a) path", 23, "'foo.a' is no variable", "it starts with one of proc."),
    ("frontend f", "http-request wait-for-body time 5x", 34, "unknown unit 'x'", "a time is an integer and a unit"),
    ("frontend f", "use_backend nosuch", 14, "there is no backend 'nosuch'", "it is made by a section"),
    ("frontend f", "capture cookie a size 5", 19, "expects len", "such as `capture cookie SID len 32`"),
    ("frontend f", "compression algo gzip", 2, "not supported by maniple yet", "`maniple check --keywords`"),
    ("backend b", "server s 1:x", 11, "invalid port 'x'", "an address is written as 192.0.2.1:8000"),
    ("backend b", "server a/b :1", 9, "character '/' is not permitted", "a name has letters, digits"),
    ("backend b", "server s :1 track t", 9, "there is no such server", "a server is named as <server>"),
    ("backend b", "balance leastcon", 10, "unknown algorithm", "did you mean `leastconn`?"),
    ("backend b", "stick-table type ip size 1k peers p", 36, "no peers section 'p'", "made by a section `peers p`"),
    ("backend b", "stick on src table t", 21, "there is no stick table 't'", "by a `stick-table` line"),
    ("userlist u", "group g users ann", 16, "has no user 'ann'", "it is made by a line `user ann`"),
    ("resolvers r", "hold nx", 2, "expects <time>", "such as `hold nx 30s`"),
    ("global", "nbthread four", 11, "an integer is expected", "such as `nbthread 4`"),
    ("global", "no nbthread 4", 5, "cannot stand before", "write `nbthread` as it should be, or leave the line out"),
    ("global", ".if nosuch(x)", 6, "unknown predicate", "such as `.if version_atleast(3.0)"),
    ("global", 'setenv A "b', 11, "quote", "close it, or write"),
)  # fmt: skip


@pytest.mark.parametrize(("section", "line", "column", "text", "hint"), CASES, ids=[case[1] for case in CASES])
def test_hints(section: str, line: str, column: int, text: str, hint: str) -> None:
    ending = " .endif\n" if line.startswith(".if") else ""
    (one,) = check(f"{HEAD}{section}\n {line}\n{ending}").errors
    assert one.place.line == 7 and one.place.column == column
    assert text in one.message
    assert hint in one.hint
