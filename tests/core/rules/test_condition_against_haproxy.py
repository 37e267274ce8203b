"""Every condition of conditions.txt, and generated ones, with every request, through HAProxy and through ours; and what
HAProxy refuses is refused here."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import split_words
from maniple.core.config.model import Place, RuleSpec, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.condition import compile_condition
from maniple.core.rules.samples import INT, STR, pack_ip
from maniple.tests.core.rules import oracle

assert keywords.MODULES

_CASE = re.compile(r"(?:\[(3|ours [01]+)\]\s+)?(.*?)(?:\s+##\s*(.*))?")


@dataclass(slots=True)
class Case:
    text: str
    line: int
    mark: str = ""
    reason: str = ""


@dataclass(slots=True)
class Book:
    """conditions.txt."""

    files: dict[str, str] = field(default_factory=dict)
    acls: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


def read_book(path: Path) -> Book:
    book = Book()
    name = ""
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        if kind == "file":
            name = rest
            book.files[name] = ""
        elif line.startswith("    |"):
            book.files[name] += line[5:] + "\n"
        elif kind == "request":
            book.requests.append(rest.encode() + b"\r\n")
        elif line.startswith("    "):
            book.requests[-1] += line.strip().encode("latin-1") + b"\r\n"
        elif kind == "acl":
            book.acls.append(rest)
        else:
            match = _CASE.fullmatch(line)
            assert match is not None
            book.cases.append(Case(match[2], number, match[1] or "", match[3] or ""))
    book.requests = [request + b"\r\n" for request in book.requests]
    return book


BOOK = read_book(Path(__file__).parent / "conditions.txt")

# Constants of every type against every method, with and without -i: also what is refused is compared.
SAMPLES = (
    "bool(true)",
    "bool(false)",
    "int(5)",
    "int(0)",
    "int(-5)",
    "ipv4(10.1.2.3)",
    "ipv6(2001:db8::5)",
    "ipv6(::ffff:10.1.2.3)",
    "str(abc)",
    "str(5)",
    "str(10.1.2.3)",
    "str()",
    "bin(616263)",
    "bin(0500)",
    "meth(GET)",
    "var(txn.text)",
    "var(txn.number)",
    "hdr(x-list)",
    "hdr_val(x-nums)",
    "hdr_beg(host)",
    "path",
    "path_end",
    "method",
    "url_ip",
)
PATTERNS = {
    "": ("abc", "5", "10.1.2.3", "GET"),
    "found": ("", "abc"),
    "bool": ("", "abc"),
    "int": ("5", "0:9", "lt 0", "gt 4", "le 5", "abc", "5:3", "10.1.2.3"),
    "ip": ("10.0.0.0/8", "2001:db8::/32", "10.1.2.3", "abc:", "1.2.3.4/33", "fe80::/129"),
    "bin": ("616263", "05", "abc", "xx"),
    "len": ("3", "gt 2", "0", "abc"),
    "str": ("abc", "ABC", "5", "1", "10.1.2.3", "GET get"),
    "beg": ("a", "A", "5", "10.", "ge G"),
    "sub": ("b", "B", "0.1", "E"),
    "dir": ("abc", "ABC", "5", "/5/", "img"),
    "dom": ("abc", "1.2", "5", "com"),
    "end": ("c", "C", "5", ".3", "T t"),
    "reg": ("^[ab]", "^A", "^.$", "[", "(", "a{1,2}", "*", "\\d"),
    "what": ("abc",),
}


def generated() -> list[Case]:
    cases = []
    for sample in SAMPLES:
        for method, lists in PATTERNS.items():
            flag = f"-m {method} " if method else ""
            for patterns in lists:
                # HAProxy tells IPv6 from IPv4 beforehand; here an IPv6 address has no number, which never matches.
                if sample.startswith("ipv6") and method in ("bool", "int"):
                    continue
                cases += [Case(f"{{ {sample} {flag}{fold}{patterns} }}", 0) for fold in ("", "-i ")]
    return cases


HEAD = """\
global
    tune.bufsize 262144
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend web
    bind "${LISTENER}"
"""


def configuration(book: Book, cases: Sequence[Case], folder: Path) -> str:
    """A frontend that answers with a digit for each case."""
    lines = [
        "    http-request set-var(txn.text) str(abc)",
        "    http-request set-var(txn.number) int(5)",
        "    http-request set-var(txn.r) str(r)",
        *[f"    acl {line}" for line in book.acls],
    ]
    for case in cases:
        text = case.text.replace("@", f"{folder}/")
        lines.append(f"    http-request set-var(txn.r) var(txn.r),concat(1) if {text}")
        lines.append(f"    http-request set-var(txn.r) var(txn.r),concat(0) unless {text}")
    lines.append('    http-request return status 200 hdr x-result "%[var(txn.r)]"')
    return HEAD + "\n".join(lines) + "\n"


def refused(program: str, cases: Sequence[Case], folder: Path) -> dict[int, str]:
    """Number of each case that HAProxy refuses, and what it says. Cases are looked at as ACL lines, after an error in
    which it goes on, unlike in rules."""
    path = folder / "check.cfg"
    lines = []
    for case in cases:
        inner = case.text.removeprefix("{ ").removesuffix(" }")
        lines.append(f"    acl x {inner}" if case.text == f"{{ {inner} }}" and "}" not in inner else "")
    first = HEAD.count("\n") + 1
    found: dict[int, str] = {}
    # HAProxy stops after 50 errors.
    while True:
        path.write_text(HEAD + "\n".join(lines).replace("@", f"{folder}/") + "\n", encoding="latin-1")
        done = subprocess.run(
            [program, "-c", "-f", str(path)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LISTENER": "127.0.0.1:9"},
        )
        told = re.findall(r"\[ALERT\].*parsing \[[^:]*:(\d+)\] : (.*)", done.stderr)
        for number, what in told:
            found[int(number) - first] = what
            lines[int(number) - first] = ""
        if not told:
            return found


def answers(program: str, text: str, requests: Sequence[bytes], folder: Path) -> list[str]:
    """For each request the digits, one for each case."""
    path = folder / "run.cfg"
    path.write_text(text, encoding="latin-1")
    with socket.socket() as listener, (folder / "said").open("w") as said:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        process = subprocess.Popen(
            [program, "-db", "-f", str(path)],
            env={**os.environ, "LISTENER": f"fd@{listener.fileno()}"},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            found = []
            for request in requests:
                with socket.create_connection(listener.getsockname(), 5) as client:
                    client.settimeout(5)
                    client.sendall(request)
                    try:
                        found.append(_result(client))
                    except TimeoutError:
                        pytest.fail(f"no answer from HAProxy: {(folder / 'said').read_text()[:2000]}")
        finally:
            process.kill()
            process.wait()
    return found


def _result(client: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        data = client.recv(1 << 18)
        assert data, received
        received += data
    match = re.search(rb"x-result: r([01]*)", received)
    assert match is not None, received
    return match[1].decode()


class Ours:
    """The same conditions, compiled by us."""

    def __init__(self, book: Book, site: Any, make_scope: Callable[..., Any], folder: Path) -> None:
        self.folder = folder
        self.acls = AclSet([self._rule(line) for line in book.acls], site)
        assert not self.acls.errors
        self.scopes = []
        for request in book.requests:
            x = make_scope(request=request, client_host="127.0.0.1", source=pack_ip(b"127.0.0.1"))
            x.variables = {"text": (STR, b"abc"), "number": (INT, 5)}
            self.scopes.append(x)

    def words(self, text: str) -> tuple[RuleWord, ...]:
        found = split_words(text.replace("@", f"{self.folder}/"), Environment({}))
        return tuple([RuleWord(word.text, word.column) for word in found])

    def _rule(self, line: str) -> RuleSpec:
        return RuleSpec(Place("a.cfg", 1, 1), "acl", self.words(line))

    def tests(self, case: Case) -> tuple[Any, Any]:
        stage = Stage.FRONT_REQUEST
        yes = compile_condition(self.words("if " + case.text), self.acls, self.acls.site, stage)
        no = compile_condition(self.words("unless " + case.text), self.acls, self.acls.site, stage)
        return yes.test, no.test


def compare(book: Book, cases: list[Case], site: Any, make_scope: Callable[..., Any], folder: Path) -> list[str]:
    """What differs, in words."""
    program, version = oracle.find_haproxy()
    for name, content in book.files.items():
        (folder / name).write_text(content, encoding="latin-1")
    cases = [case for case in cases if case.mark != "3" or version >= 3]
    ours = Ours(book, site, make_scope, folder)
    theirs = refused(program, cases, folder)
    wrong = []
    kept: list[tuple[Case, tuple[Any, Any]]] = []
    for number, case in enumerate(cases):
        try:
            tests = ours.tests(case)
        except ConfigError as error:
            if number not in theirs:
                wrong.append(f"line {case.line}: {case.text}: only we refuse it: {error}")
            continue
        if number in theirs:
            wrong.append(f"line {case.line}: {case.text}: only HAProxy refuses it: {theirs[number]}")
            continue
        kept.append((case, tests))
    text = configuration(book, [case for case, _ in kept], folder)
    digits = answers(program, text, book.requests, folder)
    for number, (case, (yes, no)) in enumerate(kept):
        expected = "".join([row[number] for row in digits])
        found = "".join(["1" if yes(x) else "0" for x in ours.scopes])
        assert found == "".join(["0" if no(x) else "1" for x in ours.scopes]), case.text
        if case.mark.startswith("ours "):
            assert case.reason, f"line {case.line} has no reason"
            if found == case.mark[5:] != expected:
                continue
        elif found == expected:
            continue
        wrong.append(f"line {case.line}: {case.text}: ours {found}, HAProxy's {expected}")
    return wrong


def test_conditions(site: Any, make_scope: Callable[..., Any], tmp_path: Path) -> None:
    wrong = compare(BOOK, BOOK.cases, site, make_scope, tmp_path)
    assert not wrong, "\n" + "\n".join(wrong)


def test_generated_conditions(site: Any, make_scope: Callable[..., Any], tmp_path: Path) -> None:
    wrong = compare(BOOK, generated(), site, make_scope, tmp_path)
    assert not wrong, "\n" + "\n".join(wrong)
