"""Names of ACLs: HAProxy's own list."""

from __future__ import annotations

import re
import subprocess

from maniple.core.rules.derivatives import DERIVATIVES
from maniple.core.rules.patterns import METHODS
from maniple.tests.core.rules import oracle


def test_derivatives_are_haproxys() -> None:
    """Its own list has them all, but for those that the manual names and HAProxy does not know."""
    program, _ = oracle.find_haproxy()
    said = subprocess.run(
        [program, "-dKacl", "-q", "-c", "-f", "/dev/null"], capture_output=True, text=True, check=False
    )
    theirs = {match[1]: (match[2], match[3]) for match in re.finditer(r"^(\S+) = (\S+) -m (\w+)$", said.stdout, re.M)}
    assert len(theirs) > 60
    ours = {name: (fetch, "str" if method == "meth" else method) for name, (fetch, method) in DERIVATIVES.items()}
    # Versions of TLS are numbers with a point: with the fetch, in the TLS issue.
    later = {"req.ssl_ver", "req_ssl_ver"}
    assert {name: meant for name, meant in theirs.items() if ours.get(name) != meant and name not in later} == {}
    manual = re.compile(r"(req|res)\.(hdr|cook)_(beg|dir|dom|end|len|reg|sub)|req\.payload(_lv)?")
    assert {name for name in ours if name not in theirs and not manual.fullmatch(name)} <= {"http_auth_group"}
    assert {method for _, method in DERIVATIVES.values()} <= set(METHODS)
