from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
from maniple.core.report.json_log import FIELDS, make_json_line
from maniple.core.session import NOT_REACHED, Exchange

Make = Callable[..., Exchange]
LINE = make_json_line("machine")


def test_every_field_stands_in_every_line(make_exchange: Make) -> None:
    found = orjson.loads(LINE(make_exchange()))
    assert list(found) == list(FIELDS)


def test_an_ordinary_exchange(make_exchange: Make) -> None:
    found = orjson.loads(LINE(make_exchange(request_captures=["a|b", None], request_cookie="sid=1")))
    assert found["time"] == "2009-02-13T23:31:30.260Z"
    assert (found["client"], found["client_port"], found["host"]) == ("192.0.2.7", 40000, "machine")
    assert (found["method"], found["target"], found["version"]) == ("GET", "/a?b=c", "HTTP/1.1")
    assert (found["server"], found["server_address"], found["status"]) == ("s1", "192.0.2.9", 200)
    names = ["idle", "request", "queue", "connect", "response", "transfer", "total"]
    assert [found[f"{name}_ms"] for name in names] == [10, 1, 2, 3, 4, 5, 15]
    assert found["request_captures"] == ["a|b", None]
    assert (found["request_cookie"], found["response_cookie"], found["unique_id"]) == ("sid=1", None, None)


def test_what_never_was_is_null(make_exchange: Make) -> None:
    moments = ("first_byte_at", "head_at", "slot_at", "connect_at", "response_at")
    facts = dict.fromkeys(moments, NOT_REACHED)
    found = orjson.loads(LINE(make_exchange(**facts, request_line=b"", status=-1, server_name="<NOSRV>")))
    assert found["time"] == "2009-02-13T23:31:30.250Z", "of the accept"
    nulls = {name for name, value in found.items() if value is None}
    assert nulls >= {"server", "server_address", "server_port", "method", "target", "version", "status", "queue_ms"}
    assert found["total_ms"] == 25


def test_any_bytes_make_one_line(make_exchange: Make) -> None:
    line = LINE(make_exchange(request_line=b'G\n /"\xff\\\xc3\xa9 X', termination=b"PR"))
    assert b"\n" not in line
    found = orjson.loads(line)
    assert (found["method"], found["target"], found["version"]) == ("G\n", '/"\\xff\\\u00e9', "X")


def test_the_fields_are_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "json-log.md").read_text(encoding="utf-8")
    for name, meaning in FIELDS.items():
        assert f"| `{name}` | {meaning} |" in text, name
