"""Every expression of the case files (FILES) through HAProxy and through ours. A converter is tested by a
line of data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules import convert_tables, fetch_tables, keywords
from maniple.core.rules.catalogue import CONVERTERS, FETCHES, ConverterEntry, FetchEntry, Stage
from maniple.core.rules.expression import compile_text, parse_expression
from maniple.core.rules.samples import BIN, BOOL, INT, IP, STR, pack_ip
from maniple.tests.core.rules import oracle

FILES = [Path(__file__).parent / name for name in ("expressions.txt", "converters.txt", "protocols.txt")]
BLOCKS = [block for file in FILES for block in oracle.read_cases(file)]
assert keywords.MODULES


def ours(block: oracle.Block, case: oracle.Case, site: Any, x: Any) -> bytes | None:
    """Our value as a text."""
    stage = Stage.FRONT_REQUEST if block.kind == "request" else Stage.FRONT_RESPONSE
    # Case files are read byte by byte; configurations are UTF-8 with what is none escaped.
    text = case.text.encode("latin-1").decode("utf-8", "surrogateescape")
    value: bytes | None = compile_text(text, site, stage, STR).run(x)
    return value


@pytest.fixture(scope="module")
def place(make_site: Callable[..., Any]) -> Any:
    """The proxies of the oracle's configuration."""
    server = SimpleNamespace(
        spec=SimpleNamespace(weight=3, id=1, maxconn=0, minconn=0, maxqueue=0),
        name="one",
        weight=3,
        eweight=48,
        served=0,
        usable=True,
        eligible=True,
        backup=False,
        waiting=(),
        chosen=0,
    )
    bind = SimpleNamespace(name="door", id=None)
    timeouts = SimpleNamespace(client=5000, server=5000, tunnel=None)
    web = SimpleNamespace(
        spec=SimpleNamespace(id=1, default_backend="origin", binds=(bind,), timeouts=timeouts),
        name="web",
        connections=1,
    )
    backend = SimpleNamespace(
        spec=SimpleNamespace(id=2, timeouts=timeouts),
        name="origin",
        served=0,
        queued=0,
        servers=(server,),
        candidates=(server,),
        active_count=1,
        backup_count=0,
    )
    server.backend = backend
    return make_site(frontends={"web": web}, backends={"origin": backend})


@pytest.mark.parametrize("block", BLOCKS, ids=[f"line {block.line}" for block in BLOCKS])
def test_block(block: oracle.Block, place: Any, make_scope: Callable[..., Any], tmp_path: Path) -> None:
    program, version = oracle.find_haproxy()
    cases = [case for case in block.cases if case.mark != "3" or version >= 3]
    route = SimpleNamespace(backend=place.backends["origin"])
    wrong = []
    for batch in oracle.batches(block, cases):
        theirs, here = oracle.ask(program, block, batch, tmp_path)
        x = make_scope(
            request=block.request,
            response=block.head if block.kind == "response" else b"",
            body=block.body,
            answered=block.body if block.kind == "response" else b"",
            client_host="127.0.0.1",
            source=pack_ip(b"127.0.0.1"),
            source_port=here[1],
            client_port=here[1],
            listener_name="door",
            request_captures=[None],
            response_captures=[None],
            route=route,
            server=route.backend.servers[0] if block.kind == "response" else None,
        )
        # What the rules of the oracle set before.
        x.variables = {"text": (STR, b"abc"), "number": (INT, 5), "address": (IP, pack_ip(b"10.1.2.3"))}
        x.session.variables = {"flag": (BOOL, True)}
        x.request_variables = {"bytes": (BIN, b"\0\xff")}
        for case, expected in zip(batch, theirs, strict=True):
            try:
                value = ours(block, case, place, x)
            except ConfigError as error:
                wrong.append(f"line {case.line}: {case.text}: {error}")
                continue
            if case.mark == "no":
                assert case.reason, f"line {case.line} has no reason"
                continue
            if case.mark.startswith("is "):
                assert case.reason, f"line {case.line} has no reason"
                if value == case.mark[3:].encode() and value != expected:
                    continue
            elif value == expected:
                continue
            wrong.append(f"line {case.line}: {case.text}: ours {value!r}, HAProxy's {expected!r}")
    assert not wrong, "\n" + "\n".join(wrong)


NOT_COMPARED = """
    rand uuid date date_us accept_date request_date pid act_conn thread nbthread stopping env bytes_in bytes_out fe_conn
    dst_conn be_conn fe_sess_rate fe_req_rate be_sess_rate srv_sess_rate req.timer.idle req.timer.hdr req.timer.tq
    req.timer.queue bc.timer.connect res.timer.hdr res.timer.data fc.timer.handshake fc.timer.total
    fc_rtt fc_rttvar fc_unacked fc_sacked fc_lost fc_retrans fc_fackets fc_reordering bc_rtt bc_rttvar bc_src
    bc_src_port bc_dst bc_dst_port bc_be_queue bc_srv_queue src_port fc_src_port dst dst_port fc_dst fc_dst_port
    dst_is_local fc_dst_is_local
    uptime txn.id32 fc_nb_streams fc_glitches bc_glitches
    prio_class prio_offset last_rule_file last_rule_line unique-id capture.req.hdr capture.res.hdr capture.res.ver
    res.comp res.cache_hit server_status quic_enabled nbproc acl message.line
    http_auth http_auth_group
    bc_err bc_err_name bc_err_str bc_nb_streams bc_setting_streams_limit distcc_body distcc_param
    le2dec aes_cbc_enc aes_cbc_dec
    cur_client_timeout cur_server_timeout cur_tunnel_timeout txn.conn_retries txn.redispatched
    txn.sess_term_state txn.status txn.timer.total txn.timer.user
    req.len req_len res.len req.payload res.payload payload req.payload_lv res.payload_lv payload_lv wait_end
    req.ssl_hello_type req_ssl_hello_type res.ssl_hello_type rep_ssl_hello_type req.ssl_ver req_ssl_ver req.ssl_sni
    req_ssl_sni req.ssl_alpn req.ssl_st_ext req.ssl_ec_ext req.ssl_cipherlist req.ssl_sigalgs req.ssl_supported_groups
    req.ssl_keyshare_groups req.rdp_cookie rdp_cookie req.rdp_cookie_cnt rdp_cookie_cnt
"""
"""Chance, clocks and load; what belongs to a connection, which our scope of facts has not; what is seen in a whole
proxy only; le2dec and aes_cbc_*, which are newer than 3.0; bytes of streams (compared in
test_fetch_payload_against_haproxy). Unit tests look at them."""


def test_every_fetch_and_converter_is_compared() -> None:
    used = set()
    for block in BLOCKS:
        for case in block.cases:
            expression = parse_expression(case.text)
            used |= {expression.fetch.name, *[item.name for item in expression.converters]}
    # Maps have files: test_convert_map_against_haproxy.
    maps = {name for name in CONVERTERS if name == "map" or name.startswith("map_")}
    # Stick tables: tests/wire/test_tables.
    modules = {fetch_tables.__name__, convert_tables.__name__}
    entries: dict[str, FetchEntry | ConverterEntry] = {**FETCHES, **CONVERTERS}
    tables = {name for name, entry in entries.items() if entry.make.__module__ in modules}
    assert {*FETCHES, *CONVERTERS} - used - set(NOT_COMPARED.split()) - maps - tables == set()
