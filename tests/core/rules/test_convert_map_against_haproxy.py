"""Every map converter with files that overlap, through HAProxy and through ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from maniple.core.rules import keywords
from maniple.core.rules.catalogue import CONVERTERS, Stage
from maniple.core.rules.convert_map import RESULTS, SOURCES
from maniple.core.rules.expression import compile_text
from maniple.core.rules.samples import STR, Type
from maniple.tests.core.rules import oracle

assert keywords.MODULES

KEYS: dict[str, list[str]] = {
    "str": ["abc", "ab", "ABC", "abc", "/img/png"],
    "beg": ["a", "abc", "ab", "/img", "A", "abc"],
    "end": ["c", "bc", "abc", ".png", "g"],
    "sub": ["b", "abc", "mg", "/"],
    "dir": ["img", "img/png", "abc", "/a/"],
    "dom": ["abc", "b.c", "com", "a"],
    "reg": ["^a(.)", "b+", "^/(img)/(.*)$", "(z)?x"],
    "int": ["5", "1:9", "7:", ":0", "8", "3-4"],
    "ip": ["10.0.0.0/8", "10.1.2.0/24", "10.1.2.3", "2001:db8::/32", "::/0", "2001:db8::5", "::ffff:1.2.3.4"],
}
VALUES: dict[str, list[str]] = {
    "str": ["one value  with blanks", "", "a\\b", "x,y", "\ttab", "6", "7"],
    "int": ["1", "-2", "3000000000", "4", "5", "6", "7"],
    "ip": ["1.1.1.1", "2001:db8::99", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6", "7.7.7.7"],
}
REGM = ["first \\1", "\\0\\0", "<\\2-\\1>", "\\1|\\x41\\\\"]
INPUTS: dict[Type, list[str]] = {
    SOURCES["str"]: [
        f"str({text})" for text in ("abc", "ABC", "ab", "zzz", "abcd", "/img/png", "/img/a.png", "x", "a.b.c")
    ]
    + ["str()", "str(www.abc.com:80/x)", "int(5)"],
    SOURCES["int"]: [f"int({number})" for number in (-5, 0, 1, 3, 5, 7, 8, 10, 99)] + ["str(7x)", "str()"],
    SOURCES["ip"]: [
        f"str({address})"
        for address in (
            "10.1.2.3",
            "10.1.2.4",
            "10.9.9.9",
            "11.0.0.1",
            "1.2.3.4",
            "2001:db8::5",
            "2001:db8::6",
            "2002:0a01:0203::1",
            "::10.1.2.3",
            "::ffff:10.9.9.9",
            "junk",
        )
    ],
}


def write_files(folder: Path) -> None:
    for method, keys in KEYS.items():
        for kind, values in VALUES.items():
            lines = ["# a comment", ""]
            lines += [f"{key} {value} " for key, value in zip(keys, values, strict=False)]
            (folder / f"{method}.{kind}").write_text("\n".join(lines) + "\n")
    lines = [f"{key}\t{value}" for key, value in zip(KEYS["reg"], REGM, strict=True)]
    (folder / "regm").write_text("\n".join(lines) + "\n")


def cases(folder: Path) -> list[oracle.Case]:
    found: list[oracle.Case] = []
    defaults = {"str": "none", "int": "-1", "ip": "9.9.9.9"}
    for method, source in SOURCES.items():
        for result in RESULTS:
            name = f"map_{method}" if result == "str" else f"map_{method}_{result}"
            path = folder / f"{method}.{'str' if result == 'key' else result}"
            for value in INPUTS[source]:
                found.append(oracle.Case(f"{value},{name}({path})", len(found), "3" if result == "key" else ""))
                if result != "key":
                    found.append(oracle.Case(f"{value},{name}({path},{defaults[result]})", len(found)))
    for value in INPUTS[SOURCES["str"]]:
        found.append(oracle.Case(f"{value},map({folder}/str.str)", len(found)))
        found.append(oracle.Case(f"{value},map_regm({folder}/regm,no)", len(found)))
    return found


def test_maps(site: Any, make_scope: Callable[..., Any], tmp_path: Path) -> None:
    program, version = oracle.find_haproxy()
    write_files(tmp_path)
    block = oracle.Block("request", b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 1)
    x = make_scope(request=block.request)
    wrong = []
    kept = [case for case in cases(tmp_path) if case.mark != "3" or version >= 3]
    for batch in oracle.batches(block, kept, 400):
        theirs, _ = oracle.ask(program, block, batch, tmp_path)
        for case, expected in zip(batch, theirs, strict=True):
            value = compile_text(case.text, site, Stage.FRONT_REQUEST, STR).run(x)
            if value != expected:
                wrong.append(f"{case.text}: ours {value!r}, HAProxy's {expected!r}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_map_is_compared(tmp_path: Path) -> None:
    used = {case.text.partition("),")[2].partition("(")[0] for case in cases(tmp_path)}
    assert {name for name in CONVERTERS if name.startswith("map")} - {"map_str"} <= used
