from __future__ import annotations

import os
from typing import Any

import pytest
from maniple.core.addresses import Address
from maniple.core.config.control import read_control, read_master
from maniple.core.config.model import Place

HERE = Place("x.cfg", 3, 5)
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("/x", {"level": "operator", "mode": None, "expose_listeners": False}),
    ("/x mode 660 level admin expose-fd listeners", {"mode": 0o660, "level": "admin", "expose_listeners": True}),
    ("/x user root group root", {"uid": 0, "gid": 0}),
    ("/x uid 7 gid 8", {"uid": 7, "gid": 8}),
    ("ipv4@127.0.0.1:9999 level user", {"address": Address("inet", "127.0.0.1", 9999, 9999), "level": "user"}),
    ("abns@name", {"address": Address("abns", "name")}),
]
BAD = [
    ("", "an address or path is expected"),
    ("/x level boss", "expects user, operator or admin"),
    ("/x level", "`level` expects an argument"),
    ("/x mode 9", "`mode 9`: an octal number"),
    ("/x uid -1", "`uid -1`: a number"),
    ("/x user nosuchuser", "no such user"),
    ("/x expose-fd all", "expects listeners"),
    ("/x colour red", "unknown word 'colour'"),
    ("localhost.invalid:80", "a numeric address"),
]


@pytest.mark.parametrize(("text", "fields"), GOOD)
def test_read(text: str, fields: dict[str, Any]) -> None:
    spec, ignored = read_control(text.split(), HERE)
    assert {name: getattr(spec, name) for name in fields} == fields
    assert spec.place == HERE and not ignored


@pytest.mark.parametrize(("text", "complaint"), BAD)
def test_refuse(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_control(text.split(), HERE)


def test_words_without_effect_are_named() -> None:
    words = "/x name cli mode 600 thread 1/1 v4v6"
    assert read_control(words.split(" "), HERE)[1] == ["name cli", "thread 1/1", "v4v6"]


def test_master() -> None:
    """Management 9.4: words separated by commas; everything is allowed unless a level is written."""
    spec = read_master(f"/tmp/m,uid,{os.getuid()},mode,600")
    assert (spec.address.host, spec.mode, spec.uid, spec.level) == ("/tmp/m", 0o600, os.getuid(), "admin")
    assert read_master("/tmp/m,level,user").level == "user"


def test_lines_of_a_file(read: Any) -> None:
    parsed = read("global\n stats socket /x level admin name cli\n stats socket /y\n stats timeout 1m\n")
    assert [(spec.address.host, spec.level) for spec in parsed.good.globals.controls] == [
        ("/x", "admin"),
        ("/y", "operator"),
    ]
    assert parsed.good.globals.control_timeout == 60000
