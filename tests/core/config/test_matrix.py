from __future__ import annotations

from maniple.core.config.keywords import State
from maniple.core.config.matrix import COLUMNS, Row, render, rows
from maniple.core.config.sections import SECTIONS


def find(name: str, place: str) -> Row:
    (row,) = [row for row in rows() if row.name == name and (place in row.places or not row.places)]
    return row


def test_a_row_in_force() -> None:
    row = find("timeout client", "frontend")
    assert row.places == ("defaults", "frontend", "listen")
    assert (row.shape, row.arity, row.reader, row.state) == ("<time>", (1, 1), "relay", State.IN_FORCE)
    assert row.summary == "Inactivity of the client."


def test_states() -> None:
    assert find("check", "server").state is State.ACCEPTED
    assert find("ssl", "server").state is State.KNOWN
    assert find("stick-table", "backend").state is State.IN_FORCE
    assert find("option httpchk", "backend").state is State.KNOWN
    assert find("mailers", "").state is State.KNOWN
    assert find("option dontlognull", "frontend").invertible


def test_the_beginning_of_a_keyword_is_not_missing() -> None:
    missing = {row.name for row in rows() if row.state is State.KNOWN}
    assert not missing & {"stick", "tcp-request", "capture", "declare", "capture request"}
    assert {"email-alert", "email-alert to", "compression"} <= missing


def test_no_row_twice() -> None:
    keys = [(row.name, row.places) for row in rows()]
    assert len(keys) == len(set(keys))
    assert all(place in COLUMNS for row in rows() for place in row.places)


def test_every_section_has_rows() -> None:
    listed = {place for row in rows() for place in row.places}
    assert listed == set(COLUMNS)
    assert set(COLUMNS) - {"bind", "server"} == set(SECTIONS)
    for place, name in (
        ("userlist", "user"),
        ("http-errors", "errorfile"),
        ("resolvers", "nameserver"),
        ("peers", "peer"),
        ("request-rules", "use_backend"),
        ("response-rules", "http-response"),
    ):
        assert any(row.name == name and place in row.places and row.summary for row in rows()), name


def test_render() -> None:
    text = render([find("timeout client", "frontend"), find("check", "server"), find("option dontlognull", "frontend")])
    lines = text.splitlines()
    assert lines[0].split() == ["keyword", "places", "state", "reader", "arguments"]
    assert lines[1].split() == ["timeout", "client", "-dfl---------", "in", "force", "relay", "<time>"]
    assert lines[2] == "    Inactivity of the client."
    assert lines[3].split() == ["check", "------S------", "accepted", "checks"]
    assert lines[5].split()[-1] == "(no)"
    assert max(len(line) for line in render().splitlines()) < 200
    assert text.endswith("\n")
