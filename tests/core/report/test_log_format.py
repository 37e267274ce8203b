"""Log formats: generated functions against HAProxy's own lines, byte by byte, and what needs no oracle."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.report.log_format import (
    HTTPLOG,
    HTTPLOG_CLF,
    TCPLOG,
    Surroundings,
    compile_format,
    generated_source,
)
from maniple.core.rules.format_variables import VARIABLES
from maniple.core.session import Exchange

Make = Callable[..., Exchange]

# What HAProxy says about the exchange behind the format under test; both halves come from the same line.
SEPARATOR = b" ~~~ "
_TCP_FACTS = "Ts ms Th Tw Tc Tt ci cp fi fp bi bp si sp b s ST B U tsc ac fc bc sc rc sq bq rt pid f"
FACTS = {"tcp": _TCP_FACTS.split(), "http": [*_TCP_FACTS.split(), "Ti", "TR", "Tr"]}

NAMES = sorted(set(VARIABLES) - {"CC", "CS", "OG"})
PLAIN = " ".join(f"{name}=%{name}" for name in NAMES)
FLAGGED = {
    flags: " ".join(f"{name}=%{{{flags}}}{name}" for name in NAMES) for flags in ("+X", "+Q", "+E", "+Q,+E", "+X,+Q")
}
SPACES = "  a  b %hr  %hs c%hr d %hrl|%hsl %%x {%ci} \\ ' %hr%hs %hr"
CAPTURES = """
    capture request header Host len 60
    capture request header X-Odd len 60
    capture response header X-Answer len 60
    option accept-invalid-http-request
"""

FORMATS: dict[str, tuple[str, str, str]] = {
    "plain": ("http", PLAIN, CAPTURES),
    "plain_bare": ("http", PLAIN, ""),
    **{f"flags_{flags}": ("http", text, CAPTURES) for flags, text in FLAGGED.items()},
    "spaces": ("http", SPACES, CAPTURES),
    "spaces_bare": ("http", SPACES, ""),
    "common_flags": ("http", "%{+Q}o %{-Q}ci %r %s %{+E}b %hr %{-Q,+X}cp %hrl", CAPTURES),
    "httplog": ("http", HTTPLOG, CAPTURES),
    "httplog_bare": ("http", HTTPLOG, ""),
    "clf": ("http", HTTPLOG_CLF, CAPTURES),
    "logasap": ("http", PLAIN, "option logasap"),
    "no_server": ("http", PLAIN, "use_backend none"),
    "redispatch": ("http", PLAIN, "use_backend redispatched"),
    "tcplog": ("tcp", TCPLOG, ""),
    "tcp_plain": ("tcp", "%ci %Th %Tw %Tc %Tt %Tu %ts %t %ft %B %U %T %Tl %si %bi %hr %hrl %tsc", ""),
}

HEAD = b"Host: www.example.org\r\n"
REQUESTS: dict[str, tuple[bytes, list[str | None] | None, list[str | None] | None]] = {
    # request, captures of Host and X-Odd, of X-Answer
    "ordinary": (b"GET /a/b?c=d HTTP/1.1\r\n" + HEAD + b"\r\n", ["www.example.org", None], ["yes"]),
    "http_1_0": (b"HEAD / HTTP/1.0\r\n\r\n", [None, None], ["yes"]),
    "escaped": (b'GET /"{|}\\]^?"{|}\\]?? HTTP/1.1\r\n' + HEAD + b"\r\n", ["www.example.org", None], ["yes"]),
    "high_bytes": (b"GET /\xe9\xff\x80 HTTP/1.1\r\n" + HEAD + b"\r\n", ["www.example.org", None], ["yes"]),
    "odd_header": (
        b'GET / HTTP/1.1\r\nX-Odd: a "q" #1 {b|c} \\ ] \xe9\t.\r\n' + HEAD + b"\r\n",
        ["www.example.org", 'a "q" #1 {b|c} \\ ] \xe9\t.'],
        ["yes"],
    ),
    "absolute": (
        b"GET http://www.example.org/p/q?r=s HTTP/1.1\r\n" + HEAD + b"\r\n",
        ["www.example.org", None],
        ["yes"],
    ),
    "absolute_bare": (b"GET http://www.example.org HTTP/1.1\r\n" + HEAD + b"\r\n", ["www.example.org", None], ["yes"]),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"\r\n", ["www.example.org", None], ["yes"]),
    "empty_query": (b"GET /? HTTP/1.1\r\n" + HEAD + b"\r\n", ["www.example.org", None], ["yes"]),
    "bad": (b"BAD\x01 / HTTP/1.1\r\n\r\n", None, None),
}


def configuration(oracle: Any) -> str:
    text = f"""
global
    log 127.0.0.1:{oracle.log_port} len 65000 format raw local0
defaults
    timeout client 3s
    timeout server 3s
    timeout connect 1s
    log global
backend none
    mode http
backend redispatched
    mode http
    balance first
    retries 1
    option redispatch 1
    server dead 127.0.0.1:{oracle.closed_port}
    server s2 127.0.0.1:{oracle.origin_port}
"""
    for number, (mode, _text, _extra) in enumerate(FORMATS.values()):
        text += f"backend back{number}\n    mode {mode}\n    server s1 127.0.0.1:{oracle.origin_port}\n"
    for number, (name, (mode, tested, extra)) in enumerate(FORMATS.items()):
        facts = "".join(f" %{fact}" for fact in FACTS[mode])
        shown = f"{tested} ~~~%{{-Q,-E,-X}}o{facts}".replace("\\", "\\\\").replace('"', '\\"')
        plain_name = re.sub("[+,]", "", name)
        text += f"frontend {plain_name}\n    mode {mode}\n    bind {oracle.listener(name)}\n"
        text += f'    log-format "{shown}"\n    {extra}\n    default_backend back{number}\n'
    return text


@pytest.fixture(scope="module")
def running(oracle: Any, haproxy_program: str) -> Any:
    unused = socket.socket()
    unused.bind(("127.0.0.1", 0))
    oracle.closed_port = unused.getsockname()[1]
    oracle.answer = b"HTTP/1.1 200 OK\r\nX-Answer: yes\r\nContent-Length: 2\r\n\r\nok"
    oracle.start(configuration(oracle), haproxy_program)
    yield oracle
    unused.close()


def compare(line: bytes, name: str, make: Make, moments: Any, **facts: Any) -> None:
    """Our line, made from the facts in HAProxy's, is HAProxy's."""
    mode, tested, extra = FORMATS[name]
    theirs, _separator, rest = line.rstrip(b"\n").rpartition(SEPARATOR)
    found = dict(zip(FACTS[mode], rest.decode().split(" "), strict=True))
    number = {key: int(found[key].lstrip("+")) for key in ("ms", "Ts", "Tt", "cp", "fp", "ST", "B", "U", "rt")}
    number |= {key: int(found[key].lstrip("+")) for key in ("ac", "fc", "bc", "sc", "rc", "sq", "bq", "pid")}
    timers = {key: int(found[key]) for key in ("Th", "Ti", "TR", "Tw", "Tc", "Tr") if key in found}
    facts |= moments(mode, timers, number["Tt"], number["Ts"] + number["ms"] / 1000 + 0.0001)
    exchange = make(
        client_host=found["ci"],
        client_port=number["cp"],
        frontend_host=found["fi"],
        frontend_port=number["fp"],
        frontend_name=found["f"],
        source_host=found["bi"].strip("-"),
        source_port=int(found["bp"].replace("-", "0")),
        server_host=found["si"].strip("-"),
        server_port=int(found["sp"].replace("-", "0")),
        backend_name=found["b"],
        server_name=found["s"],
        status=number["ST"],
        bytes_to_client=number["B"],
        bytes_from_client=number["U"],
        termination=found["tsc"][:2].encode(),
        cookie_state=found["tsc"][2:].encode(),
        process_connections=number["ac"],
        frontend_connections=number["fc"],
        backend_connections=number["bc"],
        server_connections=number["sc"],
        retries=number["rc"],
        redispatched=found["rc"].startswith("+"),
        server_queue=number["sq"],
        backend_queue=number["bq"],
        number=number["rt"],
        **facts,
    )
    around = Surroundings("logasap" in extra, socket.gethostname(), number["pid"])
    # A line counter starts at 0 with each compiled format.
    counted = re.search(rb"lc=(\w+)", theirs)
    tested = re.sub(r"%(\{[^}]*\})?lc", counted[1].decode() if counted else "", tested)
    # The separator's space stays where captures at the end are absent.
    ours = compile_format(tested + " ~", mode, around)(exchange)
    ours = ours.removesuffix(b"~").removesuffix(b" ")
    assert [pair for pair in zip(ours.split(b" "), theirs.split(b" "), strict=False) if pair[0] != pair[1]] == []
    assert ours == theirs


CASES = [
    (name, request_name)
    for name, (mode, _text, extra) in FORMATS.items()
    for request_name in REQUESTS
    # Without the option that CAPTURES brings, HAProxy refuses such bytes.
    if mode == "http" and (request_name != "high_bytes" or extra == CAPTURES)
]


@pytest.mark.parametrize(("name", "request_name"), CASES)
def test_same_bytes_as_haproxy(name: str, request_name: str, running: Any, make_exchange: Make, moments: Any) -> None:
    request, request_captures, response_captures = REQUESTS[request_name]
    captured = "capture" in FORMATS[name][2]
    running.ask(name, request)
    line = running.line()
    answered = b" 200 " in line.rpartition(SEPARATOR)[2]
    compare(
        line,
        name,
        make_exchange,
        moments,
        request_line=b"" if request_name == "bad" else request.partition(b"\r\n")[0],
        request_captures=(request_captures if captured and request_captures else []),
        response_captures=((response_captures if answered else [None]) if captured and response_captures else []),
    )


def test_timers_of_a_slow_exchange(running: Any, make_exchange: Make, moments: Any) -> None:
    running.delay = 0.03
    try:
        with running.connect("plain_bare") as connection:
            time.sleep(0.02)
            connection.sendall(b"GET /1 HTTP/1.1\r\n")
            time.sleep(0.02)
            connection.sendall(HEAD + b"\r\n")
            connection.recv(9999)
            first = running.line()
            time.sleep(0.02)
            connection.sendall(b"GET /2 HTTP/1.1\r\n" + HEAD + b"\r\n")
            connection.recv(9999)
            second = running.line()
    finally:
        running.delay = 0.0
    for line, request_line in ((first, b"GET /1 HTTP/1.1"), (second, b"GET /2 HTTP/1.1")):
        assert not re.search(rb" Ti=0 .* Tr=0 ", line)
        compare(line, "plain_bare", make_exchange, moments, request_line=request_line)


@pytest.mark.parametrize("name", ["tcplog", "tcp_plain"])
def test_tcp_same_bytes_as_haproxy(name: str, running: Any, make_exchange: Make, moments: Any) -> None:
    running.ask(name, b"GET / HTTP/1.1\r\n\r\n")
    compare(running.line(), name, make_exchange, moments)


@pytest.mark.parametrize(
    ("option", "mode", "text"),
    [("httplog", "http", HTTPLOG), ("httplog clf", "http", HTTPLOG_CLF), ("tcplog", "tcp", TCPLOG)],
)
def test_option_is_the_format(
    option: str, mode: str, text: str, fresh_oracle: Any, haproxy_program: str, make_exchange: Make
) -> None:
    """The named option and the format that we take it for give lines of one shape: the same but for digits."""
    lines = []
    body = f"mode {mode}\n timeout client 2s\n timeout server 2s\n timeout connect 1s\n"
    body += f" log 127.0.0.1:{fresh_oracle.log_port} format raw local0\n"
    body += f" server s1 127.0.0.1:{fresh_oracle.origin_port}\n"
    quoted = text.replace('"', '\\"')
    config = f"listen same\n bind {fresh_oracle.listener('option')}\n option {option}\n {body}"
    config += f'listen same2\n bind {fresh_oracle.listener("format")}\n log-format "{quoted}"\n {body}'
    fresh_oracle.start(config, haproxy_program)
    for name in ("option", "format"):
        fresh_oracle.ask(name, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        lines.append(re.sub(rb"\d+", b"9", fresh_oracle.line().replace(b"same2", b"same")))
    assert lines[0] == lines[1]
    ours = compile_format(text, mode)(make_exchange(request_line=b"GET / HTTP/1.1"))
    shape = re.sub(rb"\d+", b"9", ours).replace(b"9.9.9.9", b"9", 1)
    assert shape.count(b" ") == lines[0].count(b" ")


def test_generated_function_reads_only_what_it_shows() -> None:
    source = generated_source("%ci %Tc", "http", Surroundings())
    assert source == (
        "def line(x):\n"
        "    s = x.session\n"
        "    q = int(x.slot_at)\n"
        "    k = int(x.connect_at)\n"
        "    return f\"{s.client_host or '-'} {DIGITS[(k - q if k >= 0 else -1)]}\".encode()\n"
    )


def test_httplog_line(make_exchange: Make) -> None:
    line = compile_format(HTTPLOG, "http")(make_exchange(request_captures=["a", None], response_captures=["{"]))
    assert re.fullmatch(
        rb"192\.0\.2\.7:40000 \[\d\d/Feb/2009:\d\d:\d\d:30\.260\] web back/s1 1/2/3/4/15 200 5000 - - ----"
        rb' 9/8/7/6/0 5/4 \{a\|\} \{#7B\} "GET /a\?b=c HTTP/1\.1"',
        line,
    )


@pytest.mark.parametrize(
    ("facts", "timers"),
    [
        ({}, "0/10/1/11/2/3/4/5/15/25/15"),
        ({"response_at": -1.0}, "0/10/1/11/2/3/-1/-1/15/25/15"),
        ({"response_at": -1.0, "connect_at": -1.0}, "0/10/1/11/2/-1/-1/-1/15/25/15"),
        ({"response_at": -1.0, "connect_at": -1.0, "slot_at": -1.0}, "0/10/1/11/-1/-1/-1/-1/15/25/15"),
        (
            {"response_at": -1.0, "connect_at": -1.0, "slot_at": -1.0, "head_at": -1.0},
            "0/10/-1/-1/-1/-1/-1/-1/15/25/15",
        ),
        (
            {"first_byte_at": -1.0, "head_at": -1.0, "slot_at": -1.0, "connect_at": -1.0, "response_at": -1.0},
            "0/-1/-1/-1/-1/-1/-1/-1/25/25/25",
        ),
        # A handshake of 7 ms; then a second request, for which there is none.
        ({"idle_since": 5007.0}, "7/3/1/11/2/3/4/5/15/25/22"),
        ({"idle_since": 5007.0, "request_number": 1}, "0/3/1/4/2/3/4/5/15/18/15"),
        # Each moment is rounded down by itself: the sum holds.
        ({"first_byte_at": 5010.9, "head_at": 5011.8, "slot_at": 5013.7}, "0/10/1/11/2/3/4/5/15/25/15"),
    ],
)
def test_timers(facts: dict[str, Any], timers: str, make_exchange: Make) -> None:
    text = "%Th/%Ti/%TR/%Tq/%Tw/%Tc/%Tr/%Td/%Ta/%Tt/%Tu"
    assert compile_format(text, "http")(make_exchange(**facts)).decode() == timers


def test_tcp_timers_count_from_the_end_of_the_handshakes(make_exchange: Make) -> None:
    exchange = make_exchange(idle_since=5002.0, first_byte_at=-1.0, head_at=-1.0, response_at=-1.0)
    assert compile_format("%Th/%Ti/%Tq/%TR/%Tw/%Tc/%Tr/%Td/%Ta/%Tt", "tcp")(exchange) == b"2/-1/-1/-1/11/3/-1/9/25/25"


moment = st.integers(0, 50_000).map(lambda tenths: tenths / 10)


@given(steps=st.lists(moment, min_size=7, max_size=7), reached=st.integers(1, 6))
def test_timers_add_up(steps: list[float], reached: int, make_exchange: Make) -> None:
    """Manual 8.4: Ta = TR + Tw + Tc + Tr + Td and Tt = Th + Ti + Ta, for phases that were reached."""
    names = ["idle_since", "first_byte_at", "head_at", "slot_at", "connect_at", "response_at"]
    at, facts = 100.0, {"accept_at": 100.0}
    for number, name in enumerate(names):
        at += steps[number]
        facts[name] = at if number < reached else -1.0
    facts["end_at"] = at + steps[6]
    exchange = make_exchange(**facts)
    shown = [int(word) for word in compile_format("%Th %Ti %TR %Tw %Tc %Tr %Td %Ta %Tt", "http")(exchange).split()]
    th, ti, tr, tw, tc, t_response, td, ta, tt = shown
    if reached == 6:
        assert ta == tr + tw + tc + t_response + td
    if reached >= 2:
        assert tt == th + ti + ta
    assert ta >= 0
    assert [number >= 0 for number in shown[1:6]] == [number < reached for number in range(1, 6)]


def test_dates_of_a_later_request_start_at_the_end_of_the_one_before(make_exchange: Make) -> None:
    exchange = make_exchange(idle_since=7500.0, first_byte_at=7600.0, first_byte_date=1234567892.85, request_number=3)
    assert compile_format("%Ts.%ms %{+X}Ts %{+X}ms", "http")(exchange) == b"1234567892.750 499602D4 2EE"
    assert compile_format("%T %trg", "http")(exchange) == b"13/Feb/2009:23:31:32 +0000 13/Feb/2009:23:31:32 +0000"


def test_tls_and_missing_fields(make_exchange: Make) -> None:
    exchange = make_exchange(tls=True, source_host="", connect_at=-1.0, server_host="")
    assert compile_format("%ft %sslv %sslc %bi %bp %{+Q}bp %si %sp", "http")(exchange) == b'web~ - - - - "" - -'


def test_logasap_marks_what_may_grow(make_exchange: Make) -> None:
    line = compile_format("%B %Ta %Tt %Tu %U %Tr", "http", Surroundings(early=True))(make_exchange())
    assert line == b"+5000 +15 +25 +15 70 4"


def test_line_counter_starts_at_zero(make_exchange: Make) -> None:
    count = compile_format("%lc %{+X}lc", "http")
    assert [count(make_exchange()) for _ in range(2)] == [b"0 0001", b"2 0003"]


@pytest.mark.parametrize("text", ['a{b}c"d\\e', "é € \t", "{x.session} {{}}", "%%d %%(x)s", "\N{SNOWMAN}'''\"\"\""])
def test_literal_texts_stay_texts(text: str, make_exchange: Make) -> None:
    expected = re.sub(" +", " ", text.replace("%%", "%")).encode()
    assert compile_format(text, "http")(make_exchange()) == expected


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="% "), min_size=1))
def test_any_literal_text(text: str, make_exchange: Make) -> None:
    assert compile_format(text, "http")(make_exchange()) == text.encode()


@given(line=st.binary(min_size=1), host=st.text(st.characters(max_codepoint=255)))
def test_what_clients_send_stays_in_its_field(line: bytes, host: str, make_exchange: Make) -> None:
    made = compile_format("%hr %{+Q}r", "http")(make_exchange(request_line=line, request_captures=[host, None]))
    assert re.fullmatch(rb'\{[ !$-z~#]*\|\} "[ !#-~]*"', made)


def test_unknown_variable_is_an_error_with_its_column() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_format("%ci %zz", "http")
    assert (caught.value.column, caught.value.word) == (5, "%zz")
    assert "%%" in caught.value.hint
