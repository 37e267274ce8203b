"""Actions on header lines, of requests and of responses."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.proxy_rules import check_rules
from maniple.tests.core.rules.lines import FRONT_LINE, mistake, read, run_request, run_response, sent, sent_back

HEAD = b"Host: h\r\nX-A: one\r\nX-B: two\r\nX-List: a, b;q=1 ,c\r\nx-a: again\r\nContent-Length: 0\r\n\r\n"
LINES = ["host: h", "x-a: one", "x-b: two", "x-list: a, b;q=1 ,c", "x-a: again", "content-length: 0"]


def changed(*replaced: str, drop: str = "", add: tuple[str, ...] = ()) -> list[str]:
    """LINES with others of the same name, without those that start with `drop`, with more at the end."""
    lines = [line for line in LINES if not drop or not line.startswith(drop)]
    for line in replaced:
        name = line.partition(":")[0]
        lines = [line if one.partition(":")[0] == name else one for one in lines]
    return [*lines, *add]


CASES = (
    ("set-header X-A new", changed(drop="x-a", add=("x-a: new",))),
    ("set-header X-New new", changed(add=("x-new: new",))),
    ("set-header X-A %[str(abc)]", changed(drop="x-a", add=("x-a: abc",))),
    ("set-header X-A %[str()]", changed(drop="x-a", add=("x-a: ",))),
    ("set-header Content-Length 5", LINES),
    ("add-header X-A more", changed(add=("x-a: more",))),
    ("add-header X-A %[int(5)]", changed(add=("x-a: 5",))),
    ("del-header X-A", changed(drop="x-a")),
    ("del-header none", LINES),
    ("del-header content-length", LINES),
    ("del-header x-a -m str", changed(drop="x-a")),
    ("del-header X- -m beg", changed(drop="x-")),
    ("del-header LIST -m end", changed(drop="x-list")),
    ("del-header lis -m sub", changed(drop="x-list")),
    ("del-header ^x-[ab]$ -m reg", [line for line in LINES if line[:3] not in ("x-a", "x-b")]),
    ("del-header . -m reg", ["content-length: 0"]),
    (r"replace-header X-B (t)(wo) \2\1", changed("x-b: wot")),
    (r"replace-header X-B nothing x", LINES),
    (r"replace-header none .* x", LINES),
    (r"replace-value X-List b(.*) B\1", changed("x-list: a,B;q=1,c")),
    (r"replace-value X-List ^c$ 1,2", changed("x-list: a, b;q=1 ,1,2")),
    (r"replace-header X-List b\S* %[int(7)]", changed("x-list: 7")),
)


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_of_requests(make_scope: Any, line: str, expected: list[str]) -> None:
    x = make_scope(request=b"GET / HTTP/1.1\r\n" + HEAD)
    received = x.head
    assert run_request(line, x) is None
    assert sent(x).decode().split("\r\n") == ["GET / HTTP/1.1", *expected, ""]
    assert not received.block.edited, "heads are shared"


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_of_responses(make_scope: Any, line: str, expected: list[str]) -> None:
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", response=b"HTTP/1.1 200 OK\r\n" + HEAD)
    assert run_response(line, x) is None
    assert sent_back(x).decode().split("\r\n") == ["HTTP/1.1 200 OK", *expected, ""]
    assert not x.head.block.edited


def test_each_line_of_a_name_is_replaced_by_itself(make_scope: Any) -> None:
    x = make_scope(request=b"GET / HTTP/1.1\r\n" + HEAD)
    run_request(r"replace-header X-A ^(.).* \1", x)
    assert [line for line in sent(x).split(b"\r\n") if line.startswith(b"x-a")] == [b"x-a: o", b"x-a: a"]


def test_one_after_the_other(make_scope: Any) -> None:
    x = make_scope(request=b"GET / HTTP/1.1\r\n" + HEAD)
    run_request(
        "set-header X-A 1\nhttp-request add-header X-A 2\nhttp-request set-header Y %[hdr(x-a)]-%[hdr_cnt(x-a)]", x
    )
    assert sent(x).endswith(b"x-a: 1\r\nx-a: 2\r\ny: 2-2\r\n")


def test_host_is_known_to_later_rules(make_scope: Any) -> None:
    x = make_scope(request=b"GET / HTTP/1.1\r\n" + HEAD)
    run_request("set-header Host other\nhttp-request set-header Y %[base]", x)
    assert x.head.block.host == b"other"
    assert sent(x).endswith(b"y: other/\r\n")


def test_no_line_end_gets_into_a_head(make_scope: Any) -> None:
    x = make_scope(request=b"GET /%0d%0aEvil:1 HTTP/1.1\r\nHost: h\r\n\r\n")
    run_request("set-header X %[path,url_dec]\nhttp-request replace-header Host .* %[path,url_dec]", x)
    assert b"\nevil" not in sent(x).lower()
    assert sent(x).count(b"\r\n") == 3


@pytest.mark.parametrize("version", [10, 11])
def test_early_hints(make_scope: Any, version: int) -> None:
    x = make_scope(request=b"GET /a HTTP/1.%d\r\nHost: h\r\n\r\n" % (version - 10))
    run_request("early-hint Link <%[path]>\nhttp-request early-hint X y", x)
    assert x.hints == ([b"link: </a>\r\n", b"x: y\r\n"] if version == 11 else None)
    assert not x.head.block.edited


@pytest.mark.parametrize(
    "line",
    [
        "set-header Connection close",
        "add-header Keep-Alive 5",
        "replace-header Connection (.*) a",
        "replace-value Proxy-Connection a b",
        "early-hint Connection x",
    ],
)
def test_what_each_side_says_itself_earns_a_warning(make_scope: Any, line: str) -> None:
    """HAProxy takes such lines; the line does nothing here."""
    found = check_rules(read(f"http-request {line}"))
    (warning,) = found.warnings
    name = line.split()[1]
    assert found.errors == [] and (warning.line, warning.word) == (FRONT_LINE, name)
    assert f"maniple says `{name}` itself, on each side: the line does nothing" in warning.message
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\nConnection: a\r\nProxy-Connection: a\r\n\r\n")
    before = sent(x)
    run_request(f"{line}\nhttp-request set-header a b", x)
    assert sent(x) == before + b"a: b\r\n" and not x.hints
    answer = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", response=b"HTTP/1.1 200 OK\r\n\r\n")
    if "hint" not in line:
        run_response(line, answer)
        assert sent_back(answer).count(b"\r\n") == 1


WRONG = (
    ("set-header", "14 `set-header` expects the name of a header"),
    ("set-header A", "14 `set-header` expects a value"),
    ('set-header A ""', "14 `set-header` expects a value"),
    ("set-header A: b", "25 `set-header`: 'A:' is no name of a header"),
    ("set-header A b c", "29 `set-header`: `if` or `unless` is expected instead of 'c'"),
    ("del-header A -m dir", "30 `del-header`: unknown matching method 'dir'"),
    ("del-header ( -m reg", "25 `del-header`: "),
    ("replace-header A ( b", "31 `replace-header`: "),
    ("set-header A %[nothing]", "29 unknown fetch 'nothing'"),
    ("set-headr A b", "14 `http-request` has no action 'set-headr'"),
)


@pytest.mark.parametrize(("line", "expected"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, expected: str) -> None:
    column, _, message = expected.partition(" ")
    assert mistake(f"http-request {line}").startswith(f"{int(column) + 4} {message}")


def test_names_with_controls_cannot_be_values() -> None:
    assert "CR, LF or NUL" in mistake('http-request set-header A "a\\nb"')
