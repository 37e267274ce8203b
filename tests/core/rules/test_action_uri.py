"""Actions on the request line: what is forwarded, what later rules see, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.verdicts import Answer
from maniple.tests.core.rules.lines import mistake, run_request, sent

PLAIN = b"GET /a/b?q=1&r=2 HTTP/1.1\r\nHost: h\r\n\r\n"
ABSOLUTE = b"GET http://h/a/b?q=1&r=2 HTTP/1.1\r\nHost: h\r\n\r\n"

CASES = (
    # (action, target of an origin-form request, of an absolute one)
    ("set-path /new", "/new?q=1&r=2", "http://h/new?q=1&r=2"),
    ("set-path /x%[path]", "/x/a/b?q=1&r=2", "http://h/x/a/b?q=1&r=2"),
    ("set-pathq /new?z=1", "/new?z=1", "http://h/new?z=1"),
    ("set-pathq /new", "/new", "http://h/new"),
    ("set-query z=%[query]", "/a/b?z=q=1&r=2", "http://h/a/b?z=q=1&r=2"),
    ("set-query %[hdr(none)]", "/a/b?", "http://h/a/b?"),
    ("set-uri /u?v", "/u?v", "/u?v"),
    (r"replace-path (.*)/b \1/c", "/a/c?q=1&r=2", "http://h/a/c?q=1&r=2"),
    (r"replace-path nothing /c", "/a/b?q=1&r=2", "http://h/a/b?q=1&r=2"),
    (r"replace-pathq /a(/.*)q=(.).* /\2\1", "/1/b?", "http://h/1/b?"),
    (r"replace-uri ^/a /c", "/c", "http://h/a/b?q=1&r=2"),
    (r"replace-uri ^http://h(.*) /p\1", "/a/b?q=1&r=2", "/p/a/b?q=1&r=2"),
    ("replace-path .* /%[method]", "/GET?q=1&r=2", "http://h/GET?q=1&r=2"),
    ("normalize-uri query-sort-by-name", "/a/b?q=1&r=2", "http://h/a/b?q=1&r=2"),
)


@pytest.mark.parametrize(("line", "plain", "absolute"), CASES, ids=[case[0] for case in CASES])
def test_targets(make_scope: Any, line: str, plain: str, absolute: str) -> None:
    for request, target in ((PLAIN, plain), (ABSOLUTE, absolute)):
        x = make_scope(request=request)
        assert run_request(line, x) is None
        assert sent(x) == b"GET %b HTTP/1.1\r\nhost: h\r\n" % target.encode()
        assert x.head.line == request.partition(b"\r\n")[0], "logs show what was received"


def test_an_absolute_target_names_the_host(make_scope: Any) -> None:
    x = make_scope(request=PLAIN)
    assert run_request("set-uri http://Other.test:8080/u\nhttp-request set-header Y %[req.hdr(host)]", x) is None
    assert sent(x) == b"GET http://Other.test:8080/u HTTP/1.1\r\nhost: Other.test:8080\r\ny: Other.test:8080\r\n"


def test_later_rules_see_the_new_target(make_scope: Any) -> None:
    x = make_scope(request=PLAIN)
    run_request("set-path /n\nhttp-request set-query z\nhttp-request set-header Y %[pathq],%[url],%[query]", x)
    assert sent(x).endswith(b"y: /n?z,/n?z,z\r\n")


def test_methods(make_scope: Any) -> None:
    x = make_scope(request=PLAIN)
    assert (
        run_request("set-method PURGE\nhttp-request set-path /x if METH_GET\nhttp-request set-header M %[method]", x)
        is None
    )
    # Rules see the method as received, if it is a well-known one.
    assert sent(x) == b"PURGE /x?q=1&r=2 HTTP/1.1\r\nhost: h\r\nm: GET\r\n"
    x = make_scope(request=PLAIN.replace(b"GET", b"FIND"))
    assert run_request("set-method PURGE\nhttp-request set-header M %[method]", x) is None
    assert sent(x).endswith(b"m: PURGE\r\n")


STARS = (("set-path /x", "/x"), ("replace-path .* /y", "*"), ("normalize-uri path-strip-dot", "*"))


@pytest.mark.parametrize(("line", "target"), STARS)
def test_asterisk(make_scope: Any, line: str, target: str) -> None:
    x = make_scope(request=b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
    assert run_request(line, x) is None
    assert sent(x).split(b" ")[1] == target.encode()


FAILING = (
    "set-path %[str()]",
    "set-path no-slash",
    "set-path '/a b'",
    "set-uri %[str()]",
    "set-uri 'a b'",
    "set-method %[str()]",
    "set-method 'A B'",
    "set-method CONNECT",
    "set-query '%[str(a b)]'",
    "replace-path .* '/a b'",
    "replace-uri .* x",
)


@pytest.mark.parametrize("line", FAILING)
def test_what_is_no_request_line_is_refused(make_scope: Any, line: str) -> None:
    x = make_scope(request=PLAIN)
    verdict = run_request(line, x)
    assert isinstance(verdict, Answer)
    assert (verdict.status, verdict.page, verdict.termination) == (500, True, b"PR")
    assert sent(x) == b"GET /a/b?q=1&r=2 HTTP/1.1\r\nhost: h\r\n"


@pytest.mark.parametrize("line", FAILING)
def test_or_passed_over(make_scope: Any, line: str) -> None:
    x = make_scope(request=PLAIN)
    assert run_request(f"strict-mode off\nhttp-request {line}\nhttp-request set-header Y z", x) is None
    assert sent(x) == b"GET /a/b?q=1&r=2 HTTP/1.1\r\nhost: h\r\ny: z\r\n"


def test_connect_stays_connect(make_scope: Any) -> None:
    x = make_scope(request=b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n")
    assert isinstance(run_request("set-method GET", x), Answer)
    assert run_request("replace-path .* /x", x) is None
    assert sent(x).startswith(b"CONNECT h:80 HTTP/1.1\r\n")


def test_normalizers_that_refuse(make_scope: Any) -> None:
    x = make_scope(request=b"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n")
    verdict = run_request("normalize-uri percent-to-uppercase strict", x)
    assert isinstance(verdict, Answer)
    assert (verdict.status, verdict.page, verdict.denied) == (400, True, True)
    assert run_request("normalize-uri percent-to-uppercase", x) is None


WRONG = (
    ("set-path", "`set-path` expects a path"),
    ("set-uri ''", "`set-uri` expects a target"),
    ("normalize-uri nothing", "unknown normalizer 'nothing'"),
    ("normalize-uri path-strip-dot full", "`if` or `unless` is expected instead of 'full'"),
    ("replace-path x", "`replace-path` expects a replacement"),
    ("set-path(x) /", "takes no argument in parentheses"),
)


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(f"http-request {line}")


def test_not_of_responses() -> None:
    assert "it is no action of `http-response`" in mistake("http-response set-path /x")
