"""Networks of addresses, hosts and ports of Host headers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_address import embedded_ipv4, host_only, port_only
from maniple.core.rules.samples import pack_ip


@given(address=st.ip_addresses(v=4), bits=st.integers(0, 32))
def test_mask_of_ipv4(address: Any, bits: int, value_of: Callable[..., Any]) -> None:
    assert (
        ip_address(value_of(f"ipv4({address}),ipmask({bits})", None))
        == ip_network((address, bits), strict=False).network_address
    )


@given(address=st.ip_addresses(v=6, network="2001:db8::/32"), bits=st.integers(0, 128))
def test_mask_of_ipv6(address: Any, bits: int, value_of: Callable[..., Any]) -> None:
    assert (
        ip_address(value_of(f"ipv6({address}),ipmask(8,{bits})", None))
        == ip_network((address, bits), strict=False).network_address
    )


EMBEDDED = [
    (b"::ffff:1.2.3.4", b"1.2.3.4"),
    (b"::1.2.3.4", b"1.2.3.4"),
    (b"2002:102:304::9", b"1.2.3.4"),
    (b"2003:102:304::9", None),
    (b"::1:ffff:1.2.3.4", None),
]


@pytest.mark.parametrize(("six", "four"), EMBEDDED)
def test_embedded(six: bytes, four: bytes | None) -> None:
    packed = pack_ip(six)
    assert packed is not None
    assert embedded_ipv4(packed) == (None if four is None else pack_ip(four))


HOSTS = [
    (b"Www.A:80", b"www.a", 80),
    (b"a", b"a", 0),
    (b"[::1]:81", b"[::1]", 81),
    (b"[::1]", b"[::1]", 0),
    (b"a:", b"a", 0),
    (b":9", b"", 9),
    (b"a:8x", b"a", 0),
    (b"", b"", 0),
]


@pytest.mark.parametrize(("text", "host", "port"), HOSTS)
def test_hosts(text: bytes, host: bytes, port: int) -> None:
    assert (host_only(text), port_only(text)) == (host, port)


WRONG: list[tuple[str, int, str]] = [
    ("src,ipmask(33)", 12, "at most 32 bits"),
    ("src,ipmask(8,129)", 14, "at most 128 bits"),
    ("src,ipmask(x)", 12, "a mask is expected"),
    ("src,ipmask", 5, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
