"""Pieces of the generator; whole lines are compared with HAProxy's in report/test_log_format."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.format_pieces import Style
from maniple.core.rules.format_source import Remembered, Writer, hex_address, sample_shower, unique_id
from maniple.core.rules.format_syntax import parse_format

assert keywords.MODULES


def source(text: str, site: Any, **style: Any) -> str:
    writer = Writer(Style(**style), site, Stage.LOG)
    for part in parse_format(text):
        writer.add(part)
    return writer.finish()


def test_expressions_are_calls_where_they_stand(site: Any) -> None:
    written = source("%ci %[src] %[status]", site)
    assert written.count("(x))}") == 2
    assert "snapshot" not in written


def test_facts_are_asked_for_once(site: Any) -> None:
    assert source("%r %HM %s", site, snapshot=True).count("x.snapshot()") == 1
    assert "snapshot" not in source("%ci %f", site, snapshot=True)


def test_texts_cannot_bring_in_code(site: Any) -> None:
    written = source('{x.session} """ %% \\', site)
    scope: dict[str, Any] = {}
    exec(written, scope)
    assert scope["line"](None) == b'{x.session} """ % \\'


@pytest.mark.parametrize(
    ("style", "flags", "value", "shown"),
    [
        (Style(), "", None, "-"),
        (Style(), "", b"", "-"),
        (Style(), "Q", None, '""'),
        (Style(), "E", None, "-"),
        (Style(), "", b"a\nb\tc\x7f", "a#0Ab\tc#7F"),
        (Style(), "b", b"a\nb", "a\nb"),
        (Style(), "QE", b'a"b]', '"a\\"b\\]"'),
        (Style(missing=""), "", None, ""),
        (Style(missing="", encoded=True), "", b"a\nb", "a%0Ab"),
        (Style(missing=""), "", b"a\nb", "a\nb"),
        (Style(), "", b"\xc3\xa9\xff", "\u00e9\udcff"),
    ],
)
def test_sample_shower(style: Style, flags: str, value: bytes | None, shown: str) -> None:
    show = sample_shower(style, quoted="Q" in flags, escaped="E" in flags, raw="b" in flags)
    assert show(value) == shown


def test_unique_id_is_made_once() -> None:
    made = []

    def make(x: Any) -> bytes:
        made.append(x)
        return b"id"

    def exchange(make: Any, head: object) -> Any:
        frontend = SimpleNamespace(unique_id=make, spec=SimpleNamespace(mode="http"))
        return SimpleNamespace(unique_id=None, head=head, session=SimpleNamespace(frontend=frontend))

    x = exchange(make, object())
    assert unique_id(x) == unique_id(x) == b"id"
    assert len(made) == 1
    assert unique_id(exchange(None, object())) == b""
    assert unique_id(exchange(make, None)) == b"", "no request, no identifier"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("127.0.0.1", "7F000001"), ("::1", "0" * 31 + "1"), ("unix", "unix"), ("", "")],
)
def test_hex_address(text: str, shown: str) -> None:
    assert hex_address(text) == shown


def test_remembered_texts_are_bounded() -> None:
    made: list[bytes] = []

    def show(key: bytes) -> str:
        made.append(key)
        return key.decode()

    memory = Remembered(show, 3)
    assert [memory[b"a"], memory[b"a"], memory[b"b"], memory[b"c"]] == ["a", "a", "b", "c"]
    assert made == [b"a", b"b", b"c"]
    assert memory[b"d"] == "d"
    assert set(memory) == {b"d"}
    assert memory[b"x" * 500] == "x" * 500
    assert set(memory) == {b"d"}
