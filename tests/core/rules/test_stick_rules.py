"""`stick` rules: which lines are looked at, what is noted, what becomes of it. (Compared with HAProxy in
tests/wire/test_stick.)"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.ruleset import EMPTY
from maniple.core.rules.stick_rules import forget, make_stick_set, stores_of, write
from maniple.core.session import FORCED
from maniple.tests.core.rules.lines import compile_at, compile_lines, mistake, mistakes

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
TABLES = "backend t\n  stick-table type string len 4 size 9\nbackend u\n  stick-table type integer size 9\n"
OWN = "stick-table type string len 4 size 9 expire 10s"


def asked(**more: Any) -> Any:
    """A request on a connection that is kept."""
    return SimpleNamespace(wanted=None, stores=(), persistence=0, server=None, request_number=1, **more)


def play(rules: Any, x: Any, server: Any) -> Any:
    """A request that goes to `server` unless the rules bind it, and its response; where it went."""
    rules.stick.run(x)
    x.server = x.wanted or server
    for act in stores_of(rules.stick, rules.stick_response):
        assert act(x) is None
    return x.server


def test_on() -> None:
    rules, site = compile_at(back=f"{OWN}\nstick on str(a)")
    one, two, _ = site.backends["b"].servers
    assert play(rules, asked(), two) is two
    assert play(rules, asked(), one) is two
    # A server that is down is not taken; who takes its place is kept.
    two.usable = False
    assert play(rules, asked(), one) is one
    two.usable = True
    assert play(rules, asked(), two) is one
    assert len(site.trackers.tables["b"]) == 1


def test_who_is_bound_stays() -> None:
    rules, site = compile_at(back=f"{OWN}\nstick on str(a)")
    one, two, _ = site.backends["b"].servers
    play(rules, asked(), two)
    x = asked()
    x.wanted = one
    assert play(rules, x, two) is one
    assert play(rules, asked(), two) is one


def test_servers_that_are_down() -> None:
    for lines, flags, taken in (("", 0, False), ("option persist\n", 0, True), ("", FORCED, True)):
        rules, site = compile_at(back=f"{OWN}\n{lines}stick on str(a)")
        one, _, down = site.backends["b"].servers
        play(rules, asked(), down)
        x = asked()
        x.persistence = flags
        assert play(rules, x, one) is (down if taken else one)


def test_a_key_that_is_not_there(make_scope: Any) -> None:
    rules, site = compile_at(back=f"{OWN}\nstick on hdr(none)\nstick match hdr(none)\nstick store-request hdr(none)")
    x = make_scope(request=REQUEST)
    x.stores = ("old",)
    x.wanted = None
    rules.stick.run(x)
    assert (x.stores, x.wanted) == ((), None)
    assert len(site.trackers.tables["b"]) == 0


def test_servers_that_are_not_kept() -> None:
    rules, site = compile_at(back=f"{OWN}\ndefault-server non-stick\nstick on str(a)")
    play(rules, asked(), site.backends["b"].servers[0])
    assert len(site.trackers.tables["b"]) == 0


def test_what_is_run_for_responses() -> None:
    assert stores_of(EMPTY, EMPTY) == ()
    matching = compile_lines(back=f"{OWN}\nstick match str(a)")
    assert stores_of(matching.stick, matching.stick_response) == ()
    storing = compile_lines(back=f"{OWN}\nstick store-request str(a)")
    assert stores_of(storing.stick, storing.stick_response) == (write,)
    late = compile_lines(back=f"{OWN}\nstick store-response str(a)")
    assert stores_of(late.stick, late.stick_response) == (forget, late.stick_response.run, write)
    assert make_stick_set([]) is EMPTY


def test_needs() -> None:
    rules = compile_lines(back=f"{OWN}\nstick on src,ipmask(24) if {{ path /a }}\nstick store-response res.hdr(a)")
    assert rules.stick.needs == Needs.CONNECTION | Needs.HEAD
    assert rules.stick_response.needs == Needs.RESPONSE
    assert [rule.text for rule in rules.stick.rules] == ["stick on src,ipmask(24) if { path /a }"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stick on src table no", "there is no stick table 'no'"),
        ("stick on src", "'b' has no stick table"),
        ("stick match hdr(a) table", "expects the name of a table"),
        ("stick match path table u x", "`if` or `unless` is expected instead of 'x'"),
        ("stick match nothing", "nothing"),
        ("stick match src table u", "a value of type ip is no key of table 'u' (integer)"),
        ("stick on res.hdr(a) table t", "res.hdr"),
        ("stick store-response path table t", "path"),
        ("stick on path table t if nope", "nope"),
    ],
)
def test_mistakes(line: str, message: str) -> None:
    assert message in mistake(back=line, more=TABLES)


# Against a model: tables are dictionaries.

KINDS = ("match", "on", "store-request", "store-response")
RULES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from("ab"), st.sampled_from("btu"), st.booleans()), max_size=12
)
REQUESTS = st.lists(st.tuples(st.integers(0, 2), st.sets(st.integers(0, 2), max_size=2)), min_size=1, max_size=6)
MODEL_TABLES = "backend t\n  stick-table type string len 4 size 9\nbackend u\n  stick-table type string len 4 size 9\n"


class Model:
    """What the manual says, line by line."""

    def __init__(self, rules: Any) -> None:
        self.rules = rules
        self.tables: dict[str, dict[str, int]] = {"b": {}, "t": {}, "u": {}}

    def play(self, balanced: int, down: set[int]) -> int:
        wanted = None
        noted: list[tuple[str, str]] = []
        for kind, key, table, holds in self.rules:
            if kind == "store-response":
                continue
            if kind != "match" and any(one == table for one, _ in noted):
                continue
            if not holds:
                continue
            if kind != "store-request":
                known = self.tables[table].get(key)
                if wanted is None and known is not None and known not in down:
                    wanted = known
            if kind != "match" and len(noted) < 8:
                noted.append((table, key))
        server = balanced if wanted is None else wanted
        late: list[tuple[str, str]] = []
        for kind, key, table, holds in self.rules:
            if kind == "store-response" and holds and all(one != table for one, _ in late):
                late.append((table, key))
        for table, key in [*noted, *late][:8]:
            self.tables[table][key] = server
        return server


@settings(max_examples=60, deadline=None)
@given(RULES, REQUESTS)
def test_like_the_model(rules: Any, requests: Any) -> None:
    # Some without a condition: these look at what is noted themselves.
    holding = {"a": " if TRUE", "b": ""}
    lines = [
        f"stick {kind} str({key}) table {table}{holding[key] if holds else ' if FALSE'}"
        for kind, key, table, holds in rules
    ]
    compiled, site = compile_at(back="\n".join([OWN, *lines]), more=MODEL_TABLES)
    servers = site.backends["b"].servers
    model = Model(rules)
    for balanced, down in requests:
        for index, server in enumerate(servers):
            server.usable = index not in down
        assert play(compiled, asked(), servers[balanced]) is servers[model.play(balanced, down)]
    for name, entries in model.tables.items():
        table = site.trackers.tables[name]
        cell = table.cell("server_id")
        if cell is None:
            assert not entries
            continue
        found = {table.key(slot).rstrip(b"\0").decode(): cell.value(slot, 0) for slot in table.slots()}
        assert found == {key: servers[index].spec.id for key, index in entries.items()}


@pytest.mark.parametrize("line", ["stick on src table nope", "tcp-request content track-sc0 src table nope"])
def test_tables_that_do_not_exist(line: str) -> None:
    (error,) = mistakes(back=line)
    assert error.word == "nope" and error.hint == "a section has one by a `stick-table` line"
    tables = "\n".join(f"backend {name}\n stick-table type ip size 1k" for name in ("one", "two"))
    (error,) = mistakes(back=line, more=tables)
    assert error.hint == "tables are one, two"
