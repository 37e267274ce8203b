"""Values of servers: hashes that were measured with HAProxy 3.0, and those of lines."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from maniple.core.balance.dynamic_cookie import cookie_values, dynamic_value
from maniple.core.config.cookie_spec import CookieSpec
from maniple.core.config.model import Address, ProxySpec, ServerSpec
from maniple.tests.core.balance.conftest import PLACE

DYNAMIC = CookieSpec("X", "insert", dynamic=True)


def proxy(**words: object) -> ProxySpec:
    servers = (
        ServerSpec(PLACE, "a", Address("inet", "127.0.0.1", 8001, 8001)),
        ServerSpec(PLACE, "b", Address("inet", "127.0.0.1", 8001, 8001), cookie="own"),
        ServerSpec(PLACE, "c", Address("unix", "/run/x")),
        ServerSpec(PLACE, "d", Address("inet6", "::1", 80, 80)),
    )
    spec = ProxySpec(PLACE, "p", "backend", mode="http", servers=servers, cookie=DYNAMIC, dynamic_cookie_key="secret")
    return replace(spec, **words)  # type: ignore[arg-type]


def test_as_haproxy() -> None:
    assert dynamic_value(b"secret", ip_address("127.0.0.1").packed, 8001) == b"5257c60a33986867"
    assert dynamic_value(b"secret", ip_address("::1").packed, 8002) == b"f4334284eefa2948"


def test_of_all_kinds() -> None:
    of_four = dynamic_value(b"secret", ip_address("127.0.0.1").packed, 8001)
    of_six = dynamic_value(b"secret", ip_address("::1").packed, 80)
    assert cookie_values(proxy()) == [of_four, b"own", None, of_six]


@pytest.mark.parametrize("words", [{"dynamic_cookie_key": None}, {"cookie": CookieSpec("X", "insert")}])
def test_not_dynamic(words: dict[str, object]) -> None:
    assert cookie_values(proxy(**words)) == [None, b"own", None, None]
