from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.config.dump import dump
from maniple.core.config.model import Configuration, Place, RuleWord
from maniple.core.config.parser import load

CASES = sorted((Path(__file__).parents[2] / "config_cases").glob("*.cfg"))
NOWHERE = Place("", 0)


def without_places(value: Any) -> Any:
    """The same value with every place replaced by one and the same."""
    if isinstance(value, Place) or value is None:
        return value
    if isinstance(value, RuleWord):
        return value.text
    if is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: without_places(getattr(value, field.name)) for field in fields(value)}
        if "place" in changes:
            changes["place"] = NOWHERE
        return replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(without_places(item) for item in value)
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in value.items()}
    return value


def reads_back(configuration: Configuration) -> None:
    text = dump(configuration)
    again, diagnostics = load([("dump.cfg", text)], {}, read_file=lambda path: b"")
    assert again is not None, diagnostics.render()
    first, second = without_places(configuration), without_places(again)
    assert second.globals == first.globals, text
    assert second.rule_sets == first.rule_sets, text
    assert second.resolvers == first.resolvers, text
    for one, other in zip(second.proxies, first.proxies, strict=True):
        assert one == other, text
    assert dump(again) == text


LINES = """
global
    maxconn 10 | nbthread 4 | nbgroup 2 | uid 5 | user root | pidfile /x | node a | description a 'b  c' | daemon
    hard-stop-after 90s | grace 1500ms | ulimit-n 9 | log-tag "a b" | log-send-hostname
    log stderr format raw user info
    tune.bufsize 1m | tune.maxrewrite 100 | tune.http.maxhdr 5 | tune.http.head-cache 0 | tune.idletimer 5
    cpu-policy none | tune.listener.default-shards by-process | tune.listener.balance cpu | tune.watchdog.warn 5
    cpu-map 1/1 0 3 | cpu-set drop-cpu 3 | thread-group 1 1-2 | stats socket /x level admin | tune.rcvbuf.client 16k
    tune.vars.global-max-size 1 | tune.vars.proc-max-size 2 | tune.vars.sess-max-size 3 | tune.vars.txn-max-size 4
    tune.vars.reqres-max-size 1k
    chroot /y | mworker-max-reloads 5
frontend f
    bind :80,[::1]:81 | bind abns@x name n id 3 maxconn 4 backlog 5 nice -3 interface lo mss 100 uid 1 gid 2 mode 660
    bind fd@7 thread 1/odd shards 4 tfo v4v6 defer-accept transparent tcp-ut 5s | bind /x v6only | default_backend f
    mode http | option forwardfor except 10.0.0.0/8 header X-A if-none | log-format "%ci \\"%r\\" # $x" | option httplog
    log 127.0.0.1:55 len 99 sample 1,3-4:5 local3 info crit | log [::1]:55 local0 debug err | log abns@l local0
    log unix@l local0 | log fd@5 local0 | log file@/l local0 | monitor-uri "/a b" | option dontlognull | disabled
    no option http-ignore-probes | errorloc303 404 /x | errorfile 503 /x | timeout client 61s | option httpclose | id 9
    tcp-request inspect-delay 5s | acl a path /x '"' -i | http-request set-header "a b" "c'd" if a !{ path /z }
    unique-id-format %[rand]{x} | monitor fail if a | capture request header Host len 5
    use_backend f if { path a\\ b }
    error-log-format %ci | log-tag t | maxconn 5 | backlog 6 | timeout http-request 7h | description x | option tcplog
backend f
    mode http | balance random(3) | retries 0 | option redispatch -2 | http-reuse never | fullconn 9 | source 10.0.0.1
    source [::1]:80 | cookie S insert | option allbackups | option http-server-close | timeout server 1us | id 4
    default-server weight 0 backup | server a 10.0.0.1 | server b [::1]:+5 check inter 3s rise 9 on-error mark-down
    server c unix@run/x disabled maxconn 5 minconn 2 cookie q observe layer4 error-limit 3 addr 10.0.0.2 port 0
    server d 10.0.0.1:-5 source 10.0.0.9:5-9 pool-max-conn 0 pool-purge-delay 0 pool-half-life 5s pool-purge-batches 2
    server-template t 2-3 10.0.0.1:80 id 70 slowstart 1m tcp-ut 1d max-reuse 0 | pool-min-conn 3 | timeout connect 4
    server e 10.0.0.1:80 fall 9 fastinter 1 downinter 2 maxqueue 3 pool-low-conn 4 pool-min-conn 5 weight 256
    tcp-response inspect-delay 1m | http-response deny status 500 | use-server a if TRUE | redirect prefix /x code 301
request-rules r
    acl a path /x | http-request deny if a | use_backend f unless a
response-rules s
    http-response set-header a b
resolvers one
    nameserver a 10.0.0.1:53 | nameserver b tcp@[::1]:54 | resolve_retries 5 | accepted_payload_size 8192
    timeout resolve 2s | timeout retry 300 | hold nx 1s | hold obsolete 2s | hold other 3s | hold refused 4s
    hold timeout 5s | hold valid 0
"""


def blocks() -> list[tuple[str, list[str]]]:
    """(section line, its lines) of each section in LINES."""
    found: list[tuple[str, list[str]]] = []
    for row in LINES.strip().splitlines():
        if row.startswith(" "):
            found[-1][1].extend(line.strip() for line in row.split("|"))
        else:
            found.append((row, []))
    return found


BLOCKS = blocks()
ALL_LINES = [(head, line) for head, lines in BLOCKS for line in lines]


def configuration(text: str) -> Configuration:
    result, diagnostics = load([("x.cfg", text)], {}, read_file=lambda path: b"")
    assert result is not None, diagnostics.render()
    return result


def test_everything_at_once() -> None:
    reads_back(configuration("".join(f"{head}\n" + "".join(f" {line}\n" for line in lines) for head, lines in BLOCKS)))


@pytest.mark.parametrize("line", ALL_LINES, ids=lambda item: item[1])
def test_each_line_alone(line: tuple[str, str]) -> None:
    head, words = line
    more = "" if head != "frontend f" else "\nbackend f\n mode http"
    mode = "" if head == "global" or "rules" in head or "resolvers" in head else " mode http\n"
    reads_back(configuration(f"{head}\n{mode} {words}{more}\n"))


@settings(max_examples=25)
@given(st.lists(st.sampled_from(ALL_LINES), max_size=25, unique=True))
def test_any_selection(chosen: list[tuple[str, str]]) -> None:
    lines = {line for _, line in chosen}
    if {"nbthread 4", "thread-group 1 1-2"} <= lines and "nbgroup 2" not in lines:
        chosen = [*chosen, ("global", "nbgroup 2")]  # or two threads would have no group
    text = ""
    for head in ("global", "frontend f", "backend f"):
        text += head + "\n" + ("" if head == "global" else " mode http\n")
        text += "".join(f" {line}\n" for section, line in chosen if section == head)
    reads_back(configuration(text))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cases_read_back(path: Path) -> None:
    result, _ = load([(path.name, path.read_text())], {}, read_file=lambda path: b"")
    if result is not None:
        reads_back(result)


def test_the_empty_configuration() -> None:
    assert dump(Configuration()) == "global\n    log-tag haproxy\n"
