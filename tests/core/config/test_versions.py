"""Versions compare as HAProxy compares them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from maniple.core.config.versions import haproxy_version, openssl_version, openssl_version_of

ASCENDING = ["1", "2.4-dev19", "2.4", "2.4.1", "2.6.12", "3.0-dev1", "3.0-rc1", "3.0", "3.0.11", "3.2-dev9",
             "3.2-dev10", "3.2", "3.2.0-5", "3.2.1", "10.0"]  # fmt: skip
OPENSSL_ASCENDING = [
    "0.9.8",
    "1.1.1-beta1",
    "1.1.1",
    "1.1.1a",
    "1.1.1w",
    "3.0.0-alpha1",
    "3.0.0-beta1",
    "3.0.0",
    "3.0.17",
]


@pytest.mark.parametrize(("older", "newer"), list(pairwise(ASCENDING)))
def test_order(older: str, newer: str) -> None:
    assert haproxy_version(older) < haproxy_version(newer)


@pytest.mark.parametrize(
    ("one", "same"), [("3.2", "3.2.0"), ("3", "3.0.0"), ("3.2.0", "3.2.0-maniple"), ("3.0.11", "3.0.11-1+deb13u3")]
)
def test_equal(one: str, same: str) -> None:
    assert haproxy_version(one) == haproxy_version(same)


@pytest.mark.parametrize("text", ["", "x", "-1", "dev"])
def test_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        haproxy_version(text)


@pytest.mark.parametrize(("older", "newer"), list(pairwise(OPENSSL_ASCENDING)))
def test_openssl_order(older: str, newer: str) -> None:
    assert openssl_version(older) < openssl_version(newer)


@pytest.mark.parametrize("text", ["", "3", "3.0", "x", "3.0.0-", "3.0.0zz"])
def test_no_openssl_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not an OpenSSL version"):
        openssl_version(text)


@pytest.mark.parametrize(
    ("library", "version"),
    [
        ("OpenSSL 3.0.17 1 Jul 2025", (3, 0, 17, 0, 3, 0)),
        ("OpenSSL x", None),
        ("OpenSSL", None),
        ("LibreSSL 3.8.2", None),
        ("", None),
    ],
)
def test_version_of_a_library(library: str, version: tuple[int, ...] | None) -> None:
    assert openssl_version_of(library) == version


@pytest.mark.parametrize("current", ["2.6.12", "3.0.11"])
def test_same_order_as_haproxy(current: str, request: pytest.FixtureRequest) -> None:
    oracle = request.getfixturevalue("haproxy" if current < "3" else "haproxy3")
    banner = oracle.run(["-v"]).stdout.split()[2].decode()
    if not banner.startswith(current):
        current = banner
    text = "".join(f".if version_atleast({version})\n.notice yes\n.endif\n" for version in ASCENDING)
    newer = {(line - 2) // 3 for line in oracle.reports(text)}
    assert newer == {
        index for index, version in enumerate(ASCENDING) if haproxy_version(current) >= haproxy_version(version)
    }
