"""The values that servers have in the persistence cookie: those of their lines, or made from address, port and key.

Owns: the hash of `cookie ... dynamic` (manual 4.2), which is HAProxy's, so that several balancers of either kind agree.
Must not know: what is done with values.
"""

from __future__ import annotations

import ipaddress

from ..config.model import ProxySpec, ServerSpec


def cookie_values(proxy: ProxySpec) -> list[bytes | None]:
    """Of each server, in the order of the file; None: it has none."""
    return [_value(proxy, server) for server in proxy.servers]


def _value(proxy: ProxySpec, server: ServerSpec) -> bytes | None:
    if server.cookie is not None:
        return server.cookie.encode("utf-8", "surrogateescape")
    if proxy.cookie is None or not proxy.cookie.dynamic or proxy.dynamic_cookie_key is None:
        return None
    if server.address.kind not in ("inet", "inet6"):
        return None
    address = ipaddress.ip_address(server.address.host or ("0.0.0.0" if server.address.kind == "inet" else "::"))
    return dynamic_value(
        proxy.dynamic_cookie_key.encode("utf-8", "surrogateescape"), address.packed, server.address.port_low
    )


def dynamic_value(key: bytes, address: bytes, port: int) -> bytes:
    """16 hexadecimal digits. `address`: packed, 4 or 16 bytes."""
    # It takes a millisecond to import, and few need it.
    from xxhash import xxh64_hexdigest

    return xxh64_hexdigest(key + address + port.to_bytes(4, "big"), 0).encode()
