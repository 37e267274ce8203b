from __future__ import annotations

import subprocess
import sys

import dns.rdatatype
from maniple.core.resolver.status import Family, Status


def test_families_are_record_types() -> None:
    assert (int(Family.IPV4), int(Family.IPV6)) == (int(dns.rdatatype.A), int(dns.rdatatype.AAAA))
    assert len(Status) == 6


def test_it_costs_nothing_to_import() -> None:
    code = "import sys, maniple.core.build, maniple.core.config.parser; print('dns' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
