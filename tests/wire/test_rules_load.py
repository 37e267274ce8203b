"""How busy proxies and servers are, as HAProxy's rules see it."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.test_rules import ask, on_paths

FRONT = """
tcp-request connection set-var(sess.cr) fe_sess_rate
tcp-request connection set-var(sess.cc) fe_conn
tcp-request session set-var(sess.sr) fe_sess_rate
http-request set-var(txn.fr) fe_req_rate
http-request set-var(txn.fs) fe_sess_rate
http-request set-var(txn.br) be_sess_rate(b)
http-request set-var(txn.bc) be_conn(b)
http-request set-header At-Connection %[var(sess.cr)],%[var(sess.cc)]
http-request set-header At-Session %[var(sess.sr)]
http-request set-header At-Frontend %[var(txn.fr)],%[var(txn.fs)],%[var(txn.br)],%[var(txn.bc)],%[fe_conn],%[dst_conn]
"""
BACK = """
http-request set-header At-Backend %[be_sess_rate],%[be_conn],%[queue],%[avg_queue],%[nbsrv]
http-request set-header At-Server %[srv_sess_rate(s1)],%[srv_conn(s1)],%[srv_queue(s1)],%[fe_req_rate(f)]
http-response set-header On-The-Way-Back %[be_sess_rate],%[srv_sess_rate(s1)],%[srv_conn(s1)],%[be_conn]
http-response set-header Free %[srv_conn_free(s1)],%[be_conn_free],%[connslots]
"""
LIMITED = "server s1 {s1} maxconn 10 maxqueue 7"

ONE = "%[bc_err],%[bc_err_name],%[bc_err_str],%[bc_nb_streams],%[bc_setting_streams_limit],%[fs.id],%[bs.rst_code]"

CASES = (
    on_paths("load: rates and numbers, everywhere", FRONT, ["/"] * 5, back=BACK, servers=LIMITED),
    on_paths("load: without limits", FRONT, ["/"] * 2, back=BACK),
    on_paths(
        "load: too many requests",
        "http-request deny deny_status 429 if { fe_req_rate gt 3 }",
        ["/"] * 5,
    ),
    on_paths(
        "load: too many requests for a backend",
        "http-request deny deny_status 429 if { be_sess_rate(b) ge 3 }",
        [*["/"] * 3, ask("/", "POST", body="x"), "/"],
    ),
    on_paths(
        "load: a server is spared",
        "",
        ["/"] * 4,
        back="use-server s2 if { srv_sess_rate(s1) ge 2 }\nuse-server s1 if TRUE",
        servers="server s1 {s1}\nserver s2 {s1} weight 0",
    ),
    on_paths(
        "load: timeouts of the moment",
        "",
        ["/", "/x", "/"],
        back="http-request set-header Before %[be_server_timeout],%[be_tunnel_timeout]\n"
        "http-request set-timeout server 765 if { path /x }\nhttp-request set-timeout tunnel 8s if { path /x }\n"
        "http-request set-header Now %[cur_server_timeout],%[cur_tunnel_timeout] if { path /x }\n"
        "http-response set-header Now %[cur_server_timeout],%[cur_tunnel_timeout]",
    ),
    on_paths(
        "load: the server connection, reused and refused",
        f'http-request deny if {{ path /deny }}\nlog-format "{ONE} [%{{+Q}}r]"',
        ["/", "/", "/none", "/deny"],
        back=f'retries 0\nuse-server s2 if {{ path /none }}\nhttp-response set-header One "{ONE}"',
        servers="server s1 {s1}\nserver s2 {refusing} weight 0",
    ),
    on_paths("load: in the log", 'log-format "%[fe_req_rate],%[be_sess_rate(b)] [%{+Q}r]"', ["/"] * 3),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
