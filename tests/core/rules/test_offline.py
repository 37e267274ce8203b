from __future__ import annotations

import pytest
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import FETCHES
from maniple.core.rules.offline import NOTES, notes_of
from maniple.core.rules.vocabulary import terms

assert keywords.MODULES


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("path_beg /queue", []),
        ("hdr(queue) -m found", []),
        ("queue(b) gt 5", ["queue"]),
        ("set-header X %[rand(5)]%[uuid]", ["rand", "uuid"]),
        ("set-var(txn.x) date,utime(%F)", ["date"]),
        ("sc_http_req_rate(0) gt 5", ["sc_http_req_rate"]),
        ("set-header X %[var(proc.n)]", ["proc.n"]),
        ("nbsrv(a) gt 0", ["nbsrv"]),
        ("stick on", ["stick"]),
        ("stick store-request", []),
        ("do-resolve(txn.a,r,ipv4) hdr(host)", ["do-resolve"]),
    ],
)
def test_what_is_said(text: str, names: list[str]) -> None:
    assert [note.split(" ")[0] for note in notes_of(text)] == names


def test_every_name_is_a_fetch() -> None:
    known = {*FETCHES, *(term.name for term in terms())}
    assert set(NOTES) <= known
