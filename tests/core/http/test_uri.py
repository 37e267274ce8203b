"""Targets and authorities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.http import uri
from maniple.core.http.uri import Form


@pytest.mark.parametrize(
    ("target", "method", "form", "authority", "path", "query", "normal"),
    [
        (b"/", b"GET", Form.ORIGIN, b"", b"/", None, b"/"),
        (b"/a?", b"GET", Form.ORIGIN, b"", b"/a", b"", b"/a?"),
        (b"/a?b?c", b"GET", Form.ORIGIN, b"", b"/a", b"b?c", b"/a?b?c"),
        (b"*", b"OPTIONS", Form.ASTERISK, b"", b"*", None, b"*"),
        (b"a:80", b"CONNECT", Form.AUTHORITY, b"a:80", b"", None, b"a:80"),
        (b"u@a:80", b"CONNECT", Form.AUTHORITY, b"u@a:80", b"", None, b"u@a:80"),
        (b"[::1]:80", b"CONNECT", Form.AUTHORITY, b"[::1]:80", b"", None, b"[::1]:80"),
        (b"http://a", b"GET", Form.ABSOLUTE, b"a", b"/", None, b"http://a/"),
        (b"http://a:80/b?c", b"GET", Form.ABSOLUTE, b"a:80", b"/b", b"c", b"http://a/b?c"),
        (b"HTTPS://a:443/", b"GET", Form.ABSOLUTE, b"a:443", b"/", None, b"HTTPS://a/"),
        (b"https://a:80/", b"GET", Form.ABSOLUTE, b"a:80", b"/", None, b"https://a:80/"),
        (b"x-y+z.1://a:80/", b"GET", Form.ABSOLUTE, b"a:80", b"/", None, b"x-y+z.1://a:80/"),
        (b"http://u:p@a:/", b"GET", Form.ABSOLUTE, b"u:p@a:", b"/", None, b"http://u:p@a/"),
    ],
)
def test_forms(
    target: bytes, method: bytes, form: Form, authority: bytes, path: bytes, query: bytes | None, normal: bytes
) -> None:
    found = uri.read_target(target, method)
    assert found is not None
    assert (found.form, found.authority, found.path, found.query) == (form, authority, path, query)
    assert found.normal == normal


@pytest.mark.parametrize(
    ("target", "method"),
    [
        (b"a", b"GET"),
        (b"*", b"GET"),
        (b"**", b"OPTIONS"),
        (b"?a", b"GET"),
        (b"http:/a", b"GET"),
        (b"http://", b"GET"),
        (b"http:///a", b"GET"),
        (b"http://a?b", b"GET"),
        (b"://a/", b"GET"),
        (b"1http://a/", b"GET"),
        (b"http://[::1/", b"GET"),
        (b"http://:/", b"GET"),
        (b"http://u@:80/", b"GET"),
        (b"http://a:80:/", b"GET"),
        (b"http://a:b/", b"GET"),
        (b"a", b"CONNECT"),
        (b"a:", b"CONNECT"),
        (b":80", b"CONNECT"),
        (b"a:http", b"CONNECT"),
        (b"/", b"CONNECT"),
        (b"a/b:80", b"CONNECT"),
        (b"http://a:80/", b"CONNECT"),
        (b"[::1]", b"CONNECT"),
    ],
)
def test_no_form(target: bytes, method: bytes) -> None:
    assert uri.read_target(target, method) is None


HOSTS = [b"", b"a", b"a:80", b"a-b.c:", b"[::1]", b"[::1]:80", b"[::ffff:1.2.3.4]", b"a_b", b"(a)"]
NO_HOSTS = [b"a b", b"a/b", b"a@b", b"a,b", b"a?b", b"a#b", b"a\\b", b"[::1", b"::1]", b"[]x", b"\xe9"]


@pytest.mark.parametrize("host", HOSTS)
def test_hosts(host: bytes) -> None:
    assert uri.is_host(host)


@pytest.mark.parametrize("host", NO_HOSTS)
def test_no_hosts(host: bytes) -> None:
    assert not uri.is_host(host)


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        (b"a", b"a", b""),
        (b"a:1", b"a", b"1"),
        (b"[::1]", b"[::1]", b""),
        (b"[::1]:1", b"[::1]", b"1"),
        (b"a:", b"a", b""),
    ],
)
def test_split_port(host: bytes, name: bytes, port: bytes) -> None:
    assert uri.split_port(host) == (name, port)


@pytest.mark.parametrize(
    ("target", "method", "host", "same"),
    [
        (b"http://a/", b"GET", b"A", True),
        (b"http://a:80/", b"GET", b"a", True),
        (b"http://a/", b"GET", b"a:80", True),
        (b"http://a/", b"GET", b"a:443", False),
        (b"https://a/", b"GET", b"a:443", True),
        (b"ftp://a:21/", b"GET", b"a", False),
        (b"http://u@a/", b"GET", b"a", True),
        (b"http://a@b/", b"GET", b"a", False),
        (b"a:443", b"CONNECT", b"a", True),
        (b"a:8443", b"CONNECT", b"a", False),
        (b"http://[::1]/", b"GET", b"[::1]:80", True),
    ],
)
def test_same_authority(target: bytes, method: bytes, host: bytes, same: bool) -> None:
    found = uri.read_target(target, method)
    assert found is not None
    assert uri.same_authority(found, host) is same


@given(st.binary(), st.binary())
def test_tables(good: bytes, text: bytes) -> None:
    assert (text.translate(uri.table_of(good)) == text) == (not set(text) - set(good))


@given(st.text(alphabet="/:?@a1[]*.", max_size=12), st.sampled_from([b"GET", b"CONNECT", b"OPTIONS"]))
def test_normalizing_is_done_once(text: str, method: bytes) -> None:
    found = uri.read_target(b"http://" + text.encode(), method)
    if found is not None:
        again = uri.read_target(found.normal, method)
        assert again is not None
        assert again.normal == found.normal
