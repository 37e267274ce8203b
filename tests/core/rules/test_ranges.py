"""Ranges of integers and networks against simple models."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.ranges import Lengths, Networks, Numbers, read_network, read_number, read_range
from maniple.core.rules.samples import INT_MAX, INT_MIN

RANGES: list[tuple[bytes, tuple[int, int]]] = [
    (b"5", (5, 5)),
    (b"042", (42, 42)),
    (b"1:9", (1, 9)),
    (b"1-9", (1, 9)),
    (b"5:", (5, INT_MAX)),
    (b"5-", (5, INT_MAX)),
    (b":9", (INT_MIN, 9)),
    (b":-9", (INT_MIN, -9)),
    # HAProxy's: a minus parts the bounds.
    (b"-9", (INT_MIN, 9)),
    (b"1:-9", (0, 0)),
]


@pytest.mark.parametrize(("text", "expected"), RANGES[:-1])
def test_ranges(text: bytes, expected: tuple[int, int]) -> None:
    assert read_range(text) == expected


@pytest.mark.parametrize("text", [b"", b":", b"-", b"abc", b"+5", b"5:3", b"1:x", b"0x10", b"1:-9", b"9" * 30])
def test_what_is_no_range(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_range(text)


def test_numbers_have_64_bits() -> None:
    assert read_number(b"-5") == -5
    with pytest.raises(ValueError, match="64 bits"):
        read_number(b"9223372036854775808")


bounds = st.integers(-20, 20)
ranges = st.lists(st.tuples(bounds, bounds).map(lambda pair: (min(pair), max(pair))), max_size=8)


@given(ranges, st.integers(-25, 25))
def test_the_first_range_that_holds_counts(listed: list[tuple[int, int]], value: int) -> None:
    numbers = Numbers()
    numbers.load([(key, index) for index, key in enumerate(listed)])
    model = next((index for index, (low, high) in enumerate(listed) if low <= value <= high), None)
    assert numbers.found(value) == model
    assert numbers.match(value) is (model is not None)


def test_open_ranges() -> None:
    numbers = Numbers()
    numbers.load([(read_range(b":-3"), "low"), (read_range(b"7:"), "high")])
    assert [numbers.found(value) for value in (INT_MIN, -3, -2, 6, 7, INT_MAX)] == [
        "low",
        "low",
        None,
        None,
        "high",
        "high",
    ]
    assert numbers.over(lambda x: x)(None) is False


def test_lengths() -> None:
    lengths = Lengths()
    lengths.load([((2, 3), b"2:3")])
    assert [lengths.match(b"x" * size) for size in range(5)] == [False, False, True, True, False]
    assert lengths.found(b"abc") == b"2:3"


NETWORKS: list[tuple[bytes, str]] = [
    (b"10.0.0.0/8", "10.0.0.0/8"),
    (b"10.1.2.3/8", "10.0.0.0/8"),
    (b"10.1.2.3", "10.1.2.3/32"),
    (b"10.1.2.3/255.255.0.0", "10.1.0.0/16"),
    (b"10.12", "10.0.0.12/32"),
    (b"127.1/8", "127.0.0.0/8"),
    (b"0.0.0.0/0", "0.0.0.0/0"),
    (b"::/0", "::/0"),
    (b"2001:db8::1/32", "2001:db8::/32"),
    (b"::1", "::1/128"),
]


@pytest.mark.parametrize(("text", "expected"), NETWORKS)
def test_networks(text: bytes, expected: str) -> None:
    network = ipaddress.ip_network(expected)
    size = 4 if network.version == 4 else 16
    assert read_network(text) == (size, int(network.network_address), int(network.netmask))


@pytest.mark.parametrize(
    "text",
    [b"", b"1.2.3.4/33", b"::/129", b"1.2.3.4/", b"1.2.3.4/255.0", b"::1/ffff::", b"abc:", b"1.2.3.256.7", b"/8"],
)
def test_what_is_no_network(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a valid IPv4 or IPv6 address"):
        read_network(text, resolve=False)


def test_names_are_only_looked_up_where_it_is_allowed() -> None:
    assert read_network(b"localhost") == (4, 0x7F000001, 0xFFFFFFFF)
    for text in (b"localhost", b"10.12"):
        with pytest.raises(ValueError, match="not a valid"):
            read_network(text, resolve=False)


addresses4 = st.sampled_from(["10.0.0.0", "10.0.0.1", "10.0.1.0", "10.1.0.0", "11.0.0.0", "127.0.0.1"])
addresses6 = st.sampled_from(
    [
        "::",
        "::10.0.0.1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::",
        "2002:0a00:0001::7",
        "2001:db8::1",
        "2001:db8:1::",
        "fe80::1",
    ]
)
networks = st.one_of(
    st.tuples(addresses4, st.sampled_from([0, 8, 15, 16, 24, 31, 32])),
    st.tuples(addresses6, st.sampled_from([0, 16, 32, 48, 96, 104, 127, 128])),
)


def model_of(listed: list[Any], address: Any) -> int | None:
    """The manual's four rules, and the longest network first."""

    def longest(wanted: Any) -> int | None:
        hits = [
            (-network.prefixlen, index)
            for index, network in enumerate(listed)
            if network.version == wanted.version and wanted in network
        ]
        return min(hits)[1] if hits else None

    found = longest(address)
    if found is not None:
        return found
    if address.version == 4:
        return longest(ipaddress.ip_address(f"::ffff:{address}"))
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and int(address) < 1 << 32:
        inner = ipaddress.ip_address(int(address))
    return None if inner is None else longest(inner)


@given(st.lists(networks, max_size=8), st.one_of(addresses4, addresses6))
def test_addresses_among_networks(listed: list[tuple[str, int]], text: str) -> None:
    matcher = Networks()
    texts = [f"{address}/{bits}" for address, bits in listed]
    matcher.load([(read_network(one.encode()), index) for index, one in enumerate(texts)])
    address = ipaddress.ip_address(text)
    expected = model_of([ipaddress.ip_network(one, strict=False) for one in texts], address)
    assert matcher.found(address.packed) == expected
    assert matcher.match(address.packed) is (expected is not None)
    assert matcher.over(lambda x: x)(address.packed) is (expected is not None)


def test_masks_with_holes() -> None:
    matcher = Networks()
    matcher.load([(read_network(b"10.0.0.3/255.0.0.255"), "holes"), (read_network(b"10.0.0.0/8"), "whole")])
    assert matcher.found(bytes((10, 9, 9, 3))) == "whole"
    matcher.load([(read_network(b"10.0.0.3/255.0.0.255"), "holes")])
    assert matcher.found(bytes((10, 9, 9, 3))) == "holes"
    assert matcher.found(bytes((10, 9, 9, 4))) is None


def test_networks_one_by_one() -> None:
    matcher = Networks()
    one, same, other = (read_network(text) for text in (b"10.0.0.0/8", b"10.1.1.1/8", b"11.0.0.0/8"))
    test = matcher.over(lambda x: x)
    assert matcher.add(one, "one") and matcher.add(other, "other")
    assert test(bytes((10, 1, 1, 1))) and test(bytes((11, 1, 1, 1)))
    assert matcher.remove(other) and not test(bytes((11, 1, 1, 1)))
    assert matcher.add(same, "same") and matcher.found(bytes((10, 1, 1, 1))) == "one"
    # Two patterns are one network: which one goes, only the list of patterns tells.
    assert not matcher.remove(one)
