"""THE table of statistics: every figure that maniple shows, by the names and in the order of HAProxy's CSV.

Owns: name, kind, scope and meaning of each column (management manual 9.1). `show stat`, the metrics, the web page and
the documentation are made from this table; counters (pools.counters) have the same names. Must not know: where values
come from. Invariant: the order is a promise to programs that read the CSV by position: new columns are appended, never
put in between, and their order is checked against HAProxy in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

COUNTER = "counter"
"""Only grows; the sum over threads."""
GAUGE = "gauge"
"""A figure about now, or a setting."""
MAX = "max"
"""The greatest that a gauge has been; the greatest over threads."""
TEXT = "text"
"""Not a number."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `scope`: the letters of the rows that have it, F frontend, B backend, S server, L listener."""

    name: str
    kind: str
    scope: str
    meaning: str


TYPES = {"F": 0, "B": 1, "S": 2, "L": 3}
"""Scope -> value of the column `type`."""

FIELDS: tuple[Field, ...] = (
    Field("pxname", TEXT, "FBSL", "name of the proxy"),
    Field("svname", TEXT, "FBSL", "name of the server or listener; FRONTEND, BACKEND for the sums"),
    Field("qcur", GAUGE, "BS", "requests that wait in the queue"),
    Field("qmax", MAX, "BS", "most requests that ever waited"),
    Field("scur", GAUGE, "FBSL", "sessions now"),
    Field("smax", MAX, "FBSL", "most sessions at a time"),
    Field("slim", GAUGE, "FBSL", "limit of sessions, empty for none"),
    Field("stot", COUNTER, "FBSL", "sessions"),
    Field("bin", COUNTER, "FBSL", "bytes from clients"),
    Field("bout", COUNTER, "FBSL", "bytes to clients"),
    Field("dreq", COUNTER, "FBL", "requests denied by rules"),
    Field("dresp", COUNTER, "FBSL", "responses denied by rules"),
    Field("ereq", COUNTER, "FL", "requests that could not be read or came too late"),
    Field("econ", COUNTER, "BS", "connections to servers that could not be made"),
    Field("eresp", COUNTER, "BS", "responses that were broken or absent"),
    Field("wretr", COUNTER, "BS", "attempts to connect that were repeated"),
    Field("wredis", COUNTER, "BS", "requests that went to another server after failed attempts"),
    Field("status", TEXT, "FBSL", "UP, DOWN, NOLB, MAINT, DRAIN, no check, OPEN"),
    Field("weight", GAUGE, "BS", "weight in force"),
    Field("act", GAUGE, "BS", "active servers; of a server: whether it is one"),
    Field("bck", GAUGE, "BS", "backup servers; of a server: whether it is one"),
    Field("chkfail", COUNTER, "S", "health checks that failed while the server was up"),
    Field("chkdown", COUNTER, "BS", "times that it went down"),
    Field("lastchg", GAUGE, "BS", "seconds since it last went up or down"),
    Field("downtime", COUNTER, "BS", "seconds that it was down in all"),
    Field("qlimit", GAUGE, "S", "limit of its queue, empty for none"),
    Field("pid", GAUGE, "FBSL", "number of the process, from 1"),
    Field("iid", GAUGE, "FBSL", "number of the proxy"),
    Field("sid", GAUGE, "FBSL", "number of the server or listener"),
    Field("throttle", GAUGE, "S", "share of the weight in force during a slow start, percent"),
    Field("lbtot", COUNTER, "BS", "times that it was chosen"),
    Field("tracked", TEXT, "S", "server whose state it follows"),
    Field("type", GAUGE, "FBSL", "0 frontend, 1 backend, 2 server, 3 listener"),
    Field("rate", GAUGE, "FBS", "sessions in the last second"),
    Field("rate_lim", GAUGE, "F", "limit of sessions per second"),
    Field("rate_max", MAX, "FBS", "most sessions in a second"),
    Field("check_status", TEXT, "S", "result of the last health check"),
    Field("check_code", GAUGE, "S", "status code that the check got"),
    Field("check_duration", GAUGE, "S", "milliseconds that the check took"),
    Field("hrsp_1xx", COUNTER, "FBS", "responses 100-199"),
    Field("hrsp_2xx", COUNTER, "FBS", "responses 200-299"),
    Field("hrsp_3xx", COUNTER, "FBS", "responses 300-399"),
    Field("hrsp_4xx", COUNTER, "FBS", "responses 400-499"),
    Field("hrsp_5xx", COUNTER, "FBS", "responses 500-599"),
    Field("hrsp_other", COUNTER, "FBS", "responses with another status or none"),
    Field("hanafail", TEXT, "S", "failures seen in traffic"),
    Field("req_rate", GAUGE, "F", "requests in the last second"),
    Field("req_rate_max", MAX, "F", "most requests in a second"),
    Field("req_tot", COUNTER, "FBS", "requests"),
    Field("cli_abrt", COUNTER, "BS", "transfers that the client broke off"),
    Field("srv_abrt", COUNTER, "BS", "transfers that the server broke off"),
    Field("comp_in", COUNTER, "FB", "bytes before compression"),
    Field("comp_out", COUNTER, "FB", "bytes after compression"),
    Field("comp_byp", COUNTER, "FB", "bytes left uncompressed to save CPU or bandwidth"),
    Field("comp_rsp", COUNTER, "FB", "responses compressed"),
    Field("lastsess", GAUGE, "BS", "seconds since the last session, -1 for never"),
    Field("last_chk", TEXT, "S", "text of the last health check"),
    Field("last_agt", TEXT, "S", "text of the last agent check"),
    Field("qtime", GAUGE, "BS", "mean milliseconds in queues"),
    Field("ctime", GAUGE, "BS", "mean milliseconds to connect"),
    Field("rtime", GAUGE, "BS", "mean milliseconds until the response"),
    Field("ttime", GAUGE, "BS", "mean milliseconds of a session"),
    Field("agent_status", TEXT, "S", "result of the last agent check"),
    Field("agent_code", GAUGE, "S", "code of the agent check"),
    Field("agent_duration", GAUGE, "S", "milliseconds that the agent check took"),
    Field("check_desc", TEXT, "S", "check_status in words"),
    Field("agent_desc", TEXT, "S", "agent_status in words"),
    Field("check_rise", GAUGE, "S", "checks to pass before it is up"),
    Field("check_fall", GAUGE, "S", "checks to fail before it is down"),
    Field("check_health", GAUGE, "S", "health between 0 and rise + fall - 1"),
    Field("agent_rise", GAUGE, "S", "agent checks to pass before it is up"),
    Field("agent_fall", GAUGE, "S", "agent checks to fail before it is down"),
    Field("agent_health", GAUGE, "S", "agent's health between 0 and rise + fall - 1"),
    Field("addr", TEXT, "SL", "address and port"),
    Field("cookie", TEXT, "BS", "cookie's name (backend) or value (server)"),
    Field("mode", TEXT, "FBSL", "tcp, http"),
    Field("algo", TEXT, "B", "balancing algorithm"),
    Field("conn_rate", GAUGE, "F", "connections in the last second"),
    Field("conn_rate_max", MAX, "F", "most connections in a second"),
    Field("conn_tot", COUNTER, "FL", "connections"),
    Field("intercepted", COUNTER, "FB", "requests that maniple answered itself"),
    Field("dcon", COUNTER, "FL", "connections denied by rules"),
    Field("dses", COUNTER, "FL", "sessions denied by rules"),
    Field("wrew", COUNTER, "FBSL", "rewrites that failed"),
    Field("connect", COUNTER, "BS", "connections to servers that were attempted"),
    Field("reuse", COUNTER, "BS", "requests on connections that were there already"),
    Field("cache_lookups", COUNTER, "FB", "look-ups in the cache"),
    Field("cache_hits", COUNTER, "FB", "look-ups that found a response"),
    Field("srv_icur", GAUGE, "S", "idle connections"),
    Field("src_ilim", GAUGE, "S", "limit of idle connections"),
    Field("qtime_max", MAX, "BS", "longest milliseconds in queues"),
    Field("ctime_max", MAX, "BS", "longest milliseconds to connect"),
    Field("rtime_max", MAX, "BS", "longest milliseconds until the response"),
    Field("ttime_max", MAX, "BS", "longest milliseconds of a session"),
    Field("eint", COUNTER, "FBSL", "internal errors"),
    Field("idle_conn_cur", GAUGE, "S", "idle connections that are not safe"),
    Field("safe_conn_cur", GAUGE, "S", "idle connections that are safe"),
    Field("used_conn_cur", GAUGE, "S", "connections with a request on them"),
    Field("need_conn_est", GAUGE, "S", "connections needed at a time, estimate"),
    Field("uweight", GAUGE, "BS", "weight as configured or set"),
    Field("agg_server_status", GAUGE, "B", "servers by state"),
    Field("agg_server_check_status", GAUGE, "B", "servers by state of checks (older sum)"),
    Field("agg_check_status", GAUGE, "B", "servers by result of checks"),
    Field("srid", COUNTER, "S", "revision of the server's slot"),
    Field("sess_other", COUNTER, "F", "sessions neither HTTP/1, 2 nor 3"),
    Field("h1sess", COUNTER, "F", "sessions of HTTP/1"),
    Field("h2sess", COUNTER, "F", "sessions of HTTP/2"),
    Field("h3sess", COUNTER, "F", "sessions of HTTP/3"),
    Field("req_other", COUNTER, "F", "requests neither HTTP/1, 2 nor 3"),
    Field("h1req", COUNTER, "F", "requests of HTTP/1"),
    Field("h2req", COUNTER, "F", "requests of HTTP/2"),
    Field("h3req", COUNTER, "F", "requests of HTTP/3"),
    Field("proto", TEXT, "L", "protocol of the listener"),
    Field("priv_idle_cur", GAUGE, "S", "idle connections that belong to one client"),
    Field("reqbin", COUNTER, "FBSL", "bytes of requests received"),
    Field("reqbout", COUNTER, "FBSL", "bytes of requests sent on"),
    Field("resbin", COUNTER, "FBSL", "bytes of responses received"),
    Field("resbout", COUNTER, "FBSL", "bytes of responses sent on"),
    Field("cache_hint_hits", COUNTER, "FB", "look-ups answered by the hint alone"),
)

BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}

NAMES: tuple[str, ...] = tuple(BY_NAME)


def fields_of(scope: str) -> tuple[Field, ...]:
    """The columns that rows of one scope (a letter) have."""
    return tuple(field for field in FIELDS if scope in field.scope)
