"""The same lines and files through HAProxy's `-c` and through ours: what one refuses the other refuses.

Each line stands in a section of its own, so that one file asks about many; HAProxy looks at the configuration as a
whole only when all lines are good, so whole files are asked about one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from maniple.core.config.parser import load

HEADS = {
    "frontend": "frontend x{}\n",
    "backend": "backend x{}\n",
    "listen": "listen x{}\n",
    "defaults": "defaults x{}\n",
    "server": "backend x{}\n",
    "bind": "frontend x{}\n",
}
LINES: Mapping[str, str] = {
    "defaults": """
        mode http|mode tcp|mode foo|mode|mode tcp x|retries 3|retries|retries 3 4|timeout client 10s|timeout client
        timeout client 1s 2s|timeout client 5x|timeout client -1|timeout client 1.5s|timeout client 25d|timeout foo 1|timeout
        balance roundrobin|balance|balance foo|option httpclose|option httpclose x|option foo|option|no option httpclose
        no option httplog|no option forwardfor|no option tcpka|no option|no log|no log x|no retries|no foo|default foo
        default option redispatch|log global|log stdout|log stdout local0|log stdout format foo local0|log stdout len 10 local0
        log stdout format raw local0 emerg err|log stdout format raw local0 emerg err x|log stdout foo|log stdout local0 foo
        log 127.0.0.1 local0|log 127.0.0.1:514 sample 1,2-5:6 local0|log 127.0.0.1:514 sample 1,2-5:4 local0
        log stdout format raw len 100 local0|log 127.0.0.1 sample 1:2 format raw local0|log 127.0.0.1 sample 3-1:4 local0
        log 127.0.0.1 sample 1,1:4 local0|log 127.0.0.1 sample 0:4 local0|log 127.0.0.1 sample foo local0|log /dev/log local0
        log 127.0.0.1:1-2 local0|errorfile 503 /nonexistent|errorfile 999 /dev/null|errorfile 503 /dev/null|errorfile 503
        errorloc 503 /x|errorloc302 503|errorloc303 404 /x|errorloc 999 /x|source 127.0.0.1|source 127.0.0.1:80|source
        source 127.0.0.1:1-2|monitor-uri|monitor-uri /x|monitor-uri /x y|maxconn 10|maxconn 10 20|maxconn|backlog 3|fullconn 3
        http-reuse foo|http-reuse safe|http-reuse|http-reuse safe x|mode health|disabled|disabled x|enabled|id 3|description x
        bind :80|server a 127.0.0.1:80|log-format %ci|log-format %ci %cp|log-format|log-tag|log-tag x|error-log-format %ci
        default_backend a|default_backend|default_backend a b|default-server weight 3|default-server foo|option redispatch
        default-server id 3|option redispatch 3|option forwardfor|option forwardfor header|option forwardfor header X-A
        option forwardfor except|option forwardfor except 10.0.0.0/8|option forwardfor except foo|option forwardfor foo
        option forwardfor except 10.0.0.1/33|option httplog|option httplog clf|option httplog foo|option httplog clf x
        option tcplog foo|cookie|cookie S|cookie S foo|cookie S insert nocache|bogus|retires 3|option forceclose|reqadd x
        default-server weight 300|default-server backup disabled|default-server 127.0.0.1:80|timeout queue 0|fullconn
    """,
    "frontend": """
        timeout server 3s|timeout connect 3s|timeout check 3s|timeout queue 3s|timeout tunnel 3s|retries 3|fullconn 3
        source 127.0.0.1|default-server weight 3|server a 127.0.0.1:80|server-template a 3 127.0.0.1:80|http-reuse safe
        option redispatch|option abortonclose|option srvtcpka|option tcpka|option allbackups|option persist|balance first
        option prefer-last-server|option log-health-checks|cookie foo|id 5|id 5 6|id 0|description foo bar|description
        monitor-uri /x|maxconn 3|backlog 3|option dontlognull|option http-ignore-probes|option http-no-delay|log global
        option clitcpka|option httplog|option tcplog|log-format %ci|errorfile 503 /dev/null|disabled|enabled|mode http
    """,
    "backend": """
        timeout client 3s|timeout client-fin 3s|maxconn 3|maxconn|backlog 3|default_backend c|default_backend|monitor-uri /x
        monitor-uri|bind :80|option httplog|option tcplog|option dontlognull|option clitcpka|option http-ignore-probes
        option httpclose|option forwardfor|option http-no-delay|log-tag x|no option dontlognull|server|server a
        server a 127.0.0.1|server a 127.0.0.1:80|server a 127.0.0.1:+80|server a 127.0.0.1:-80|server a :80|server a *:80
        server a 127.0.0.1:80-90|server a /tmp/s|server a unix@/tmp/s|server a fd@3|server "a b" 127.0.0.1:80
        server a 127.0.0.1:0|server a 127.0.0.1:http|server a [::1]:80|server a ipv6@::1:80|server a/b 127.0.0.1:80
        server a 127.0.0.1:70000|server-template x 1-3 127.0.0.1:80|server-template x 3 127.0.0.1:80 weight 2|default-server
        server-template x 0 127.0.0.1:80|server-template x 3-1 127.0.0.1:80|server-template x 1|server-template x y 127.0.0.1:80
        balance static-rr|balance leastconn|balance first|balance random|balance random(3)|balance random(0)|balance random(x)
        retries 0|option redispatch -2|option redispatch 0|timeout queue 25d|option persist|option abortonclose x|timeout connect
    """,
    "bind": """
        bind|bind :8080|bind :8080,:8081|bind 127.0.0.1:80,|bind ,127.0.0.1:80|bind *:8080-8090|bind :8090-8080|bind 8080
        bind :70000|bind :http|bind :+80|bind 127.0.0.1|bind 1.2.3.4.5:80|bind /tmp/s|bind unix@/tmp/s|bind abns@x
        bind ipv4@127.0.0.1:80|bind ipv6@::1:80|bind [::1]:80|bind ipv4@[::1]:80|bind fd@x|bind :8080 name|bind :8080 name a
        bind :8080 id 1|bind :8080 id 0|bind :8080 maxconn 5|bind :8080 maxconn -1|bind :8080 backlog 9|bind :8080 nice 1024
        bind :8080 nice 1025|bind :8080 nice -1025|bind :8080 mss 1400|bind :8080 mss 0|bind :8080 mss 70000
        bind :8080 tcp-ut 1s|bind :8080 tcp-ut foo|bind :8080 tfo|bind :8080 transparent|bind :8080 defer-accept|bind :8080 v4v6
        bind :8080 v6only|bind :8080 interface|bind /tmp/s mode 600|bind /tmp/s mode 9|bind /tmp/s user nosuchuser
        bind /tmp/s user root group root|bind /tmp/s uid 0 gid 0|bind :80 shards 2|bind :80 shards by-thread|bind :80 shards 0
        bind :80 shards foo|bind :80 thread 1|bind :80 thread all|bind :80 thread 1-4|bind :80 thread 1/1|bind :80 thread 1/65
        bind :80 thread 1/all|bind :80 thread 0|bind :80 thread 4-1|bind :80 thread foo|bind :80 thread 1/odd|bind :80 foo
        bind :80 thread 1/2-4
    """,
    "server": """
        weight 0|weight 256|weight 257|weight -1|backup|backup no-backup|no-weight|no-disabled|disabled enabled|maxconn 5
        minconn 5|minconn 5 maxconn 3|maxqueue 5|id 5|id 0|id x|inter 5s|inter 0|inter 1x|inter 30d|rise 1|rise 0|fall 0|fall -1
        fall x|port 80|addr 127.0.0.1|addr foo.invalid|source 127.0.0.1|source 127.0.0.1:1000-2000|source 127.0.0.1:70000|source
        pool-max-conn -1|pool-max-conn -2|pool-low-conn 3|pool-purge-delay 0|pool-purge-delay x|max-reuse -1|tcp-ut 1s
        slowstart 1s|slowstart x|on-error foo|on-error fail-check|on-error fastinter|on-error sudden-death|on-error mark-down
        error-limit 0|error-limit x|error-limit 5|observe layer4|observe foo|cookie|cookie foo|check|no-check|check port 80
        weight 3 weight 4|fastinter 1s downinter 2s|foo
    """,
}
ONLY_SINCE_3 = frozenset(("shards 2", "shards by-thread", "bind :80 thread 0"))
STRICTER = (
    "backlog -1", "retries x", "fullconn x", "option redispatch x", "option redispatch 1 2", "log-tag a b", "backlog x",
)  # fmt: skip
"""Lines that HAProxy takes for something else than what was written: a word read as the number 0, an argument ignored."""

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
    "tcp with http words": "listen l\n bind :80\n option forwardfor\n option http-no-delay\n cookie X\n monitor-uri /x\n",
    "httplog in tcp": "listen l\n bind :80\n log stdout local0\n option httplog\n",
}
GLOBAL = """
    maxconn 10|maxconn 10 20|maxconn|nbthread 0|nbthread 4|nbthread|nbthread 4 5|thread-groups 0|thread-groups 1
    thread-groups|thread-group 1 1-4|thread-group 0 1|thread-group 1 5-8,9|cpu-map 1/all 0-3|cpu-map auto:1/1-4 0-3
    cpu-map auto:1/1-4 0-4|cpu-map 1|cpu-map foo 1|cpu-map 1/70 1|cpu-map 1/1 foo|cpu-map 1/1,3 0|cpu-map auto:all 0-3
    log 127.0.0.1|log 127.0.0.1 local9|log 127.0.0.1 local0|log global|log-tag a b|log-send-hostname|user root|uid 5|gid 5
    group root|daemon foo|daemon|pidfile|pidfile /x|description foo bar|description|node foo bar|node "foo bar"|node foo
    hard-stop-after 5s|hard-stop-after foo|hard-stop-after|grace 3s|ulimit-n 100|tune.bufsize -1|tune.bufsize 0
    tune.maxrewrite 10|tune.http.maxhdr 0|tune.http.maxhdr 32768|tune.http.maxhdr 100|tune.maxaccept -1|tune.idletimer 70000
    tune.idletimer 1s|tune.foo 3|nbproc 2|bogus
""".strip().replace("\n", "|")


class Oracle(Protocol):
    def refused(self, text: str) -> set[int]: ...
    def run(self, arguments: list[str]) -> Any: ...

    path: Any


def listed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().replace("\n", "|").split("|")]


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
    found = listed(LINES[kind])
    return [f"server a 127.0.0.1:80 {line}" for line in found] if kind == "server" else found


@pytest.mark.parametrize("kind", sorted(LINES))
def test_lines_as_haproxy_3(haproxy3: Oracle, kind: str) -> None:
    assert compare(haproxy3, HEADS[kind], lines_of(kind)) == []


@pytest.mark.parametrize("kind", sorted(LINES))
def test_lines_as_haproxy_2(haproxy: Oracle, kind: str) -> None:
    lines = [line for line in lines_of(kind) if line not in ONLY_SINCE_3]
    assert compare(haproxy, HEADS[kind], lines) == []


def refuses(oracle: Oracle, text: str) -> bool:
    oracle.path.write_text(text)
    return bool(oracle.run(["-c", "-f", str(oracle.path)]).returncode == 1)


@pytest.mark.parametrize("name", sorted(FILES))
def test_files(haproxy: Oracle, name: str) -> None:
    assert bool(ours(FILES[name])) == refuses(haproxy, FILES[name])


@pytest.mark.parametrize("line", listed(GLOBAL))
def test_global_lines(haproxy: Oracle, line: str) -> None:
    text = f"global\n {line}\nfrontend f\n bind :80\n"
    assert bool(ours(text)) == refuses(haproxy, text)


@pytest.mark.parametrize("line", STRICTER)
def test_where_maniple_is_stricter(haproxy: Oracle, line: str) -> None:
    text = f"listen l\n bind :80\n {line}\n"
    assert (bool(ours(text)), refuses(haproxy, text)) == (True, False)
