"""Maps and ACLs on the control socket: the same lines to HAProxy 3.0 and to a running maniple, the same bytes back."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.tests.wire.rig.serving import Ports, Serving, wait_until

HAPROXY3 = os.environ.get("HAPROXY3") or str(Path.home() / ".cache/haproxy3/haproxy")
FILES = {
    "main.map": "# a comment\n/a one\n/b two words\n/a again\n10.0.0.0/8 3\n",
    "numbers.map": "1 7\n5 8\n10:20 30\n",
    "regex.map": "^/x(.*) /y\\1\n^/z /zz\n",
    "addresses.map": "a 1.2.3.4\nb ::1\n",
    "networks.lst": "10.0.0.0/8\n192.168.1.1\n2001:db8::/32\n",
    "words.lst": "foo\nBar\n",
}
CONFIGURATION = """
global
    stats socket $control mode 600 level admin
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{port}
    acl words hdr(x) -f {folder}/words.lst
    acl folded hdr(y) -i -f {folder}/words.lst in line
    acl from src -f {folder}/networks.lst 127.0.0.0/8
    acl many hdr_cnt(x) ge 3
    acl either path_beg /a /b
    acl either path_beg /c
    acl numbered path -u 77 /q /r
    acl keys path -M -f {folder}/main.map
    acl there hdr(z) -m found
    acl matched path_reg ^/x
    acl converted req.hdr(z),lower -m str zed
    http-request set-header a %[path,map({folder}/main.map,none)]
    http-request set-header b %[path,map_beg({folder}/main.map)] if {{ path /anonymous }} either !many
    http-request set-header c %[hdr(n),map_int_int({folder}/numbers.map)]
    http-request set-header d %[path,map_regm({folder}/regex.map)]
    http-request set-header d %[path,map_reg({folder}/regex.map)]
    http-request set-header e %[path,map_str_ip({folder}/addresses.map)]
    http-request set-header e %[path,map_end({folder}/addresses.map)]
    http-request set-map({folder}/main.map) %[path] %[path] if {{ path -f {folder}/words.lst }}
    http-request deny if words from
    use_backend b if METH_GET
    default_backend b
backend b
    acl inside hdr(q) w
    server s 127.0.0.1:1
"""
SCRIPT = """
show map
show acl
show acl #77
show map $main.map
show acl $main.map
show map #8
show map #08
show map 8
show map #-1
show map #0
show map none
show acl none
show map @1
get map $main.map /a
get map $main.map /bxx
get map $main.map none
get acl $main.map /a
get acl $words.lst foo
get acl $words.lst BAR
get acl $networks.lst 10.1.1.1
get acl $networks.lst 2001:db8::5
get acl $networks.lst nonsense
get map $numbers.map 5
get map $numbers.map 15
get map $numbers.map 99
get map $regex.map /xabc
get map $addresses.map a
get map $addresses.map b
get map $addresses.map zz
get acl #77 /q
get map
get map $main.map
get acl
get acl x
get map none k
get acl none k
add map $main.map
add map $main.map k
add map $main.map k v
add map none k v
add acl none v
add acl $words.lst
add acl $words.lst x
add acl $words.lst x y
show acl $words.lst
add acl $main.map zz
show map $main.map
get map $main.map k
set map $main.map k v2
get map $main.map k
set map $main.map nokey v2
set map $main.map k
set map none k v
set map
set map $main.map #0x123 v
set map $main.map #zz v
set map $main.map /a both
show map $main.map
del map $main.map k
del map $main.map k
get map $main.map k
del map $main.map
del map none k
del acl $words.lst x
del acl $words.lst x
del acl $words.lst
del acl none x
del map $main.map #0x1
del acl #77 /q more
get acl #77 /q
add acl #77 /new
get acl #77 /new
show acl @0 #77
add acl @9 #77 x
clear map
clear acl
clear acl @1
clear map none
prepare map
prepare acl
prepare acl none
prepare map $main.map
add map @1 $main.map k1 v1
add map @1 $main.map k1
add map @2 $main.map k1 v1
add map @0 $main.map k0 v0
show map @1 $main.map
show map @0 $main.map
show map @5 $main.map
get map $main.map k1
show map
commit map @2 $main.map
commit map $main.map
commit map @x $main.map
commit map @1 none
commit acl
commit acl @1
commit map @1 $main.map
get map $main.map k1
get map $main.map /a
show map $main.map
show map
add map @1 $main.map <<\\na b c\\nd e\\n
show map $main.map
add map @ $main.map a b
show map @x $main.map
add map $main.map <<\\nonlykey\\n
add map $main.map <<\\nA B\\nonlykey\\n
show map $main.map
add acl $words.lst <<\\nl1 l2\\nl3\\n
set map $main.map d <<\\nnew\\n
prompt\\nadd map $main.map <<\\np1 q1\\np2 q2 r2\\n\\nget map $main.map p2\\nquit
prompt\\nadd map $main.map <<END\\np3 q3\\nEND\\nget map $main.map p3\\nquit
show version;add map $main.map <<\\nz1 z2\\n
show map $main.map
prepare map $main.map
prepare map $main.map
add map @2 $main.map late x
del map $main.map late
show map @2 $main.map
commit map @3 $main.map
show map
show map $main.map
clear map @7 $main.map
add map $numbers.map 9 abc
add map $numbers.map 9 10
set map $numbers.map 9 zz
get map $numbers.map 9
add acl $networks.lst 300.1.1.1
add acl $networks.lst 172.16.0.0/12
get acl $networks.lst 172.16.5.5
add map $addresses.map q 1.2
add map $regex.map ^/new /n\\\\1
get map $regex.map /new
prepare acl $words.lst
add acl @1 $words.lst one two
commit acl @1 $words.lst
show acl $words.lst
clear acl $words.lst
show acl $words.lst
get acl $words.lst one
clear map $numbers.map
get map $numbers.map 5
show acl
show map
"""
LINES = SCRIPT.strip().split("\n")


class Oracle:
    """A running HAProxy."""

    def __init__(self, folder: Path, text: str) -> None:
        self.control = str(folder / "theirs")
        file = folder / "theirs.cfg"
        file.write_text(text.replace("$control", self.control))
        self.process = subprocess.Popen(
            [HAPROXY3, "-db", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: os.path.exists(self.control) and ask(self.control, "show version\n"), "HAProxy serves")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def ask(path: str, text: str) -> str:
    said = b""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        try:
            client.connect(path)
        except OSError:
            return ""
        client.sendall(text.encode())
        while piece := client.recv(65536):
            said += piece
    return said.decode()


def plain(text: str, folder: Path) -> str:
    """Without what differs by nature: addresses of entries, the version, the file's name, HAProxy's own ACLs."""
    text = re.sub(r"^(> )?0x[0-9a-f]+ ", r"\g<1>0xN ", text, flags=re.M)
    text = re.sub(r"^\d+\.\d+\.\d+\S*$", "VERSION", text, flags=re.M)
    text = re.sub(r"^\d+ \(\) acl 'var' file 'httpclient' .*\n", "", text, flags=re.M)
    return text.replace(f"{folder}/theirs.cfg", "CFG").replace(f"{folder}/ours/proxy.cfg", "CFG")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Oracle, Serving]]:
    if not os.access(HAPROXY3, os.X_OK):
        pytest.skip("HAProxy 3.0 is not there (HAPROXY3 names it)")
    folder = tmp_path_factory.mktemp("p")
    for name, content in FILES.items():
        (folder / name).write_text(content)
    ports = Ports()
    text = CONFIGURATION.format(folder=folder, port=ports.take())
    # As many lines before the rules: places are shown.
    ours = Serving(folder / "ours", text.replace("defaults", "    nbgroup 2\n    nbthread 2\ndefaults", 1))
    theirs = None
    try:
        theirs = Oracle(folder, text.replace("defaults", "    nbthread 2\n    maxconn 100\ndefaults", 1))
        ours.wait_ready()
        yield folder, theirs, ours
    finally:
        ours.close()
        if theirs is not None:
            theirs.close()
        ports.close()


def test_the_same_answers(both: tuple[Path, Oracle, Serving]) -> None:
    """One after the other: most lines change what later ones see."""
    folder, theirs, ours = both
    for number, line in enumerate(LINES):
        text = line.replace("$", f"{folder}/").replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\\\") + "\n"
        expected, found = plain(ask(theirs.control, text), folder), plain(ask(ours.control, text), folder)
        if number > 1:
            # HAProxy counts an entry as often as it is used when it comes, and once when it goes.
            expected, found = (re.sub(r"entry_cnt=\d+", "entry_cnt=N", one) for one in (expected, found))
        assert found == expected, line
