from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.conditions import ConditionFacts
from maniple.core.config.environment import Environment
from maniple.core.config.parser import load, load_files

SECTIONS = [
    ("foo bar", "1:1 unknown section 'foo'"),
    ("bind :80", "1:1 unknown section 'bind'"),
    ("global foo", "1:8 `global` cannot take the extra argument 'foo'"),
    ("frontend", "1:1 `frontend` expects a name"),
    ("frontend 'a b'", "1:10 character ' ' is not permitted in the frontend name 'a b'"),
    ("backend a/b", "1:9 character '/' is not permitted"),
    ("frontend a :80", "1:12 `frontend a`: addresses belong on a `bind` line"),
    ("frontend a from", "1:12 `frontend ... from` expects the name of a defaults section"),
    ("frontend a from b c", "1:19 `frontend` cannot take the extra argument 'c'"),
    ("frontend a from b", "1:17 there is no defaults section 'b'"),
    ("defaults a from b", "1:17 there is no defaults section 'b'"),
    ("defaults 'a b'", "1:10 character ' '"),
    ("mailers x", "1:1 HAProxy's section `mailers` is not supported by maniple yet"),
]


@pytest.mark.parametrize(("line", "complaint"), SECTIONS)
def test_wrong_section_lines(read: Any, line: str, complaint: str) -> None:
    (error,) = read(line + "\n").errors
    assert error.startswith(complaint)


def test_all_errors_are_told(read: Any) -> None:
    outcome = read("""
        frontend f
            bind :99999
            maxconn x
            foo
        backend b
            server a
            balance what
    """)
    assert outcome.configuration is None
    assert [error.split()[0] for error in outcome.errors] == ["2:10", "3:13", "4:5", "6:5", "7:13"]


def test_defaults_the_latest_wins(read: Any) -> None:
    outcome = read("""
        defaults
            mode http
            retries 5
        backend a
        defaults
            retries 6
        backend b
    """)
    assert [(p.mode, p.retries) for p in outcome.good.proxies] == [("http", 5), ("tcp", 6)]


def test_named_defaults_and_chains(read: Any) -> None:
    outcome = read("""
        defaults one
            mode http
            retries 5
        defaults two from one
            retries 6
        defaults from two
            fullconn 7
        backend a from one
        backend b from two
        backend c
    """)
    found = [(p.mode, p.retries, p.fullconn) for p in outcome.good.proxies]
    assert found == [("http", 5, 1), ("http", 6, 1), ("http", 6, 7)]


def test_an_ambiguous_name_is_an_error_when_it_is_used(read: Any) -> None:
    assert read("defaults a\ndefaults a\nfrontend f\n").errors == []
    (error,) = read("defaults a\ndefaults a\nfrontend f from a\n").errors
    assert error == "3:17 defaults section 'a' is ambiguous: it stands at case.cfg:1 and case.cfg:2"


def test_extra_words_of_defaults_are_ignored(read: Any) -> None:
    assert read("defaults a b\n").warnings == ["1:12 `defaults a`: 'b' is ignored"]


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("frontend", "backend", True),
        ("backend", "frontend", True),
        ("frontend", "frontend", False),
        ("backend", "backend", False),
        ("listen", "backend", False),
        ("frontend", "listen", False),
    ],
)
def test_names_of_proxies(read: Any, first: str, second: str, allowed: bool) -> None:
    errors = read(f"{first} x\n{second} x\n").errors
    expected = [] if allowed else [f"2:{len(second) + 2} {second} 'x' has the same name as {first} 'x' (case.cfg:1)"]
    assert errors == expected


def test_sections_that_maniple_lacks_are_one_error_each(read: Any) -> None:
    outcome = read("""
        mailers r
            mailer a 127.0.0.1:25
            foo
        ring x
            size 3
        frontend f
            bind :80
            foo
    """)
    assert [error.split(" ", 1)[0] for error in outcome.errors] == ["1:1", "4:1", "8:5"]


@pytest.mark.parametrize("section", ["userlist u", "resolvers r", "peers p", "http-errors e", "request-rules q"])
def test_options_belong_to_proxies(read: Any, section: str) -> None:
    (error,) = read(f"{section}\n option httplog\n").errors
    assert re.match(r"2:2 unknown keyword 'option' in an? [a-z-]+ section", error)


UNKNOWN = [
    ("blance roundrobin", "unknown keyword 'blance' in a listen section", "did you mean `balance`?"),
    ("timout client 3", "unknown keyword 'timout' in a listen section", "did you mean `timeout client`?"),
    ("tmieout conect 3", "unknown keyword 'tmieout' in a listen section", "did you mean `timeout connect`?"),
    ("optoin httplog", "unknown keyword 'optoin' in a listen section", "did you mean `option`?"),
    ("httplog", "unknown keyword 'httplog' in a listen section", ""),
    ("nbthread 4", "unknown keyword 'nbthread' in a listen section", "it belongs in the global section"),
    ("stick-table x", "`stick-table` cannot take 'x'", None),
    ("stats enable", "HAProxy keyword `stats enable` is not supported by maniple yet", ""),
    ("http-check expect status 200", "HAProxy keyword `http-check expect` is not supported by maniple yet", ""),
    ("reqadd X", "`reqadd` was removed from HAProxy", "use `http-request add-header`"),
    ("option httpclos", "unknown option 'httpclos'", "did you mean `httpclose`?"),
    ("option splice-auto", "HAProxy keyword `option splice-auto` is not supported by maniple yet", ""),
    ("no retries", "`no` cannot stand before `retries`", ""),
    ("no foo", "unknown keyword 'foo' in a listen section", ""),
    ("qqqq", "unknown keyword 'qqqq' in a listen section", ""),
]


@pytest.mark.parametrize(("line", "message", "hint"), UNKNOWN)
def test_unknown_keywords(read: Any, line: str, message: str, hint: str) -> None:
    (report,) = read(f"listen l\n {line}\n").diagnostics.errors
    assert report.message == message
    if hint:
        assert report.hint == hint


def test_accepted_keywords_are_notices(read: Any) -> None:
    outcome = read("listen l\n option log-health-checks\n timeout check 3s\n")
    assert outcome.notices == [
        "2:9 `option log-health-checks`: accepted, not yet in force",
        "3:2 `timeout check`: accepted, not yet in force",
    ]


def test_conditions_and_variables(read: Any) -> None:
    text = """
        global
        .if streq("$X",on)
            maxconn "${N}"
        .else
            foo
        .endif
    """
    assert read(text, environment={"X": "on", "N": "5"}).good.globals.maxconn == 5
    assert len(read(text, environment={"X": "off"}).errors) == 1


def test_facts_of_conditions() -> None:
    source = [("x", ".if feature(WARP)\nglobal\n maxconn 5\n.endif\n")]
    for known, expected in ((True, 5), (False, None)):
        configuration, diagnostics = load(source, {}, facts=ConditionFacts(features={"WARP": known}))
        assert configuration is not None, diagnostics.render()
        assert configuration.globals.maxconn == expected


def test_files_share_the_global_section_and_defaults_but_no_section_goes_on() -> None:
    sources = [
        ("a", "global\n nbthread 3\ndefaults\n retries 7\nbackend x\n"),
        ("b", "retries 2\nglobal\n maxconn 4\nbackend y\n"),
    ]
    _, diagnostics = load(sources, {})
    assert [(r.place.file, r.place.line) for r in diagnostics.errors] == [("b", 1)]
    configuration, _ = load([sources[0], ("b", sources[1][1].partition("\n")[2])], {})
    assert configuration is not None
    assert (configuration.globals.nbthread, configuration.globals.maxconn) == (3, 4)
    assert [p.retries for p in configuration.proxies] == [7, 7]


def test_a_given_environment_is_altered() -> None:
    environment = Environment({})
    load([("x", "global\n setenv A b\n")], environment)
    assert environment["A"] == "b"


def test_load_files_and_directories(tmp_path: Path) -> None:
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "20.cfg").write_text("backend b\n")
    (folder / "10.cfg").write_text("backend a\n")
    (folder / "README").write_text("not read\n")
    (folder / ".hidden.cfg").write_text("not read\n")
    (tmp_path / "last.cfg").write_text("backend c\n")
    configuration, diagnostics = load_files([folder, tmp_path / "last.cfg"], {})
    assert configuration is not None, diagnostics.render()
    assert [proxy.name for proxy in configuration.proxies] == ["a", "b", "c"]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    good = tmp_path / "good.cfg"
    good.write_text("backend a\n foo\n")
    configuration, diagnostics = load_files([tmp_path / "none.cfg", good], {})
    assert configuration is None
    assert len(diagnostics.errors) == 2
    assert "cannot read the file: No such file" in diagnostics.render()


def test_an_empty_configuration() -> None:
    configuration, diagnostics = load([], {})
    assert configuration is not None
    assert configuration.proxies == ()
    assert len(diagnostics) == 0
