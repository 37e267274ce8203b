from __future__ import annotations

import subprocess
import sys

from maniple.core.resolver.opening import Unasked, open_resolvers, prepare
from maniple.core.resolver.resolver import Resolver
from maniple.core.resolver.status import Family
from maniple.tests.core.resolver.conftest import Loop, section
from maniple.tests.core.resolver.nameserver import NameServer


def test_one_for_each_section(turning: Loop, dns: NameServer) -> None:
    found = open_resolvers({"r": section(dns), "s": section()}, turning.loop)
    assert list(found) == ["r", "s"] and isinstance(found["r"], Resolver)
    assert [one.address for one in found["r"].nameservers] == [("127.0.0.1", dns.port)]
    assert open_resolvers({}, turning.loop) == {}


def test_nobody_is_asked() -> None:
    assert Unasked().known(b"a.x", Family.IPV4) is None
    assert Unasked().ask(b"a.x", Family.IPV4) is None


def test_what_is_imported_when() -> None:
    code = """
import sys
from maniple.core.config.model import Place
from maniple.core.config.resolver_spec import ResolversSpec
from maniple.core.resolver.opening import prepare
prepare({})
assert "dns" not in sys.modules
prepare({"r": ResolversSpec(Place("", 0), "r")})
assert "dns.message" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    prepare({})
