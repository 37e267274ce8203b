"""The same lines and files through HAProxy's `-c` and through ours: what one refuses the other refuses.

Each line stands in a section of its own, so that one file asks about many; HAProxy looks at the configuration as a
whole only when all lines are good, so whole files are asked about one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
from maniple.core.config.parser import load

HEADS = {
    "frontend": "frontend x{}\n",
    "backend": "backend x{}\n",
    "defaults": "defaults x{}\n",
    "server": "backend x{}\n",
    "bind": "frontend x{}\n",
}
LINES = Path(__file__).parents[2] / "config_cases" / "lines"
ONLY_SINCE_3 = frozenset(("shards 2", "shards by-thread", "bind :80 thread 0"))
STRICTER = (
    "backlog -1", "retries x", "fullconn x", "option redispatch x", "option redispatch 1 2", "log-tag a b", "backlog x",
)  # fmt: skip
"""Lines that HAProxy takes for something else than what is written: a word as the number 0, an argument as nothing."""

FILES = {
    "no such backend": "frontend f\n bind :80\n default_backend none\n",
    "frontend as backend": "frontend f\n bind :80\n default_backend f\n",
    "two frontends": "frontend f\n bind :80\nfrontend f\n bind :81\n",
    "frontend and backend": "frontend f\n bind :80\nbackend f\n server a 127.0.0.1:80\n",
    "listen and backend": "listen f\n bind :80\nbackend f\n server a 127.0.0.1:80\n",
    "http to tcp": "frontend f\n mode http\n bind :80\n default_backend b\nbackend b\n server a 127.0.0.1:80\n",
    "tcp to http": "frontend f\n bind :80\n default_backend b\nbackend b\n mode http\n server a 127.0.0.1:80\n",
    "backend is a listen": "frontend f\n bind :80\n default_backend l\nlisten l\n bind :81\n",
    "equal server names": "listen l\n bind :80\n server a 127.0.0.1:80\n server a 127.0.0.1:81\n",
    "equal server ids": "listen l\n bind :80\n server a 127.0.0.1:80 id 3\n server b 127.0.0.1:81 id 3\n",
    "equal proxy ids": "frontend f\n bind :80\n id 4\nfrontend g\n bind :81\n id 4\n",
    "equal bind ids": "frontend f\n bind :80 id 4\n bind :81 id 4\n",
    "unknown defaults": "frontend f from none\n bind :80\n",
    "ambiguous defaults": "defaults a\ndefaults a\nfrontend f from a\n bind :80\n",
    "chained defaults": "defaults a\n mode http\ndefaults b from a\nfrontend f from b\n bind :80\n",
    "from without name": "defaults a\nfrontend f from a b\n bind :80\n",
    "track without check": "listen l\n bind :80\n server a 127.0.0.1:80\n server b 127.0.0.1:80 track a\n",
    "track": "listen l\n bind :80\n server a 127.0.0.1:80 check\n server b 127.0.0.1:80 track l/a\n",
    "track a circle": "listen l\n bind :80\n server a 127.0.0.1:80 track b\n server b 127.0.0.1:80 track a\n",
    "track nobody": "listen l\n bind :80\n server a 127.0.0.1:80 track none\n",
    "check and track": "listen l\n bind :80\n server a 127.0.0.1:80 check track b\n server b 127.0.0.1:80 check\n",
    "unknown section": "foo bar\n",
    "keyword first": "bind :80\n",
    "no name": "frontend\n bind :80\n",
    "bad name": "frontend a/b\n bind :80\n",
    "good name": "frontend a:b.c-d_e\n bind :80\n",
    "arguments of global": "global foo\nfrontend f\n bind :80\n",
    "disabled with mistakes": "frontend f\n bind :80\n disabled\n default_backend none\nfrontend g\n bind :81\n",
    "first maxconn": "global\n maxconn 10\n maxconn 20\nfrontend f\n bind :80\n",
    "maxrewrite": "global\n tune.bufsize 16384\n tune.maxrewrite 16384\nfrontend f\n bind :80\n",
    "tcp with http words": "listen l\n bind :80\n option forwardfor\n cookie X\n monitor-uri /x\n",
    "httplog in tcp": "listen l\n bind :80\n log stdout local0\n option httplog\n",
}


class Oracle(Protocol):
    def refused(self, text: str) -> set[int]: ...
    def run(self, arguments: list[str]) -> Any: ...

    path: Any


def listed(kind: str) -> list[str]:
    """The lines that are asked about in one kind of section."""
    return (LINES / f"{kind}.txt").read_text().splitlines()


def ours(text: str) -> set[int]:
    _, diagnostics = load([("x", text)], {})
    return {report.place.line for report in diagnostics.errors}


def compare(oracle: Oracle, head: str, lines: list[str]) -> list[str]:
    """The lines about which the two differ."""
    different: list[str] = []
    for start in range(0, len(lines), 40):
        batch = lines[start : start + 40]
        texts = [head.format(start + index) + f" {line}\n" for index, line in enumerate(batch)]
        text = "".join(texts)
        said, found = oracle.refused(text), ours(text)
        for index, line in enumerate(batch):
            number = sum(part.count("\n") for part in texts[: index + 1])
            if (number in said) != (number in found):
                who = "HAProxy" if number in said else "maniple"
                different.append(f"{line!r}: only {who} refuses it")
    return different


def lines_of(kind: str) -> list[str]:
    found = listed(kind)
    return [f"server a 127.0.0.1:80 {line}" for line in found] if kind == "server" else found


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_lines_as_haproxy_3(haproxy3: Oracle, kind: str) -> None:
    assert compare(haproxy3, HEADS[kind], lines_of(kind)) == []


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_lines_as_haproxy_2(haproxy: Oracle, kind: str) -> None:
    lines = [line for line in lines_of(kind) if line not in ONLY_SINCE_3]
    assert compare(haproxy, HEADS[kind], lines) == []


def refuses(oracle: Oracle, text: str) -> bool:
    oracle.path.write_text(text)
    return bool(oracle.run(["-c", "-f", str(oracle.path)]).returncode == 1)


@pytest.mark.parametrize("name", sorted(FILES))
def test_files(haproxy: Oracle, name: str) -> None:
    assert bool(ours(FILES[name])) == refuses(haproxy, FILES[name])


@pytest.mark.parametrize("line", listed("global"))
def test_global_lines(haproxy: Oracle, line: str) -> None:
    text = f"global\n {line}\nfrontend f\n bind :80\n"
    assert bool(ours(text)) == refuses(haproxy, text)


@pytest.mark.parametrize("line", STRICTER)
def test_where_maniple_is_stricter(haproxy: Oracle, line: str) -> None:
    text = f"listen l\n bind :80\n {line}\n"
    assert (bool(ours(text)), refuses(haproxy, text)) == (True, False)
