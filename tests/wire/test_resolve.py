"""do-resolve in a running proxy: against HAProxy with the same name server, and on the way to a server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import dns.message
import dns.rcode
import pytest
from maniple.tests.core.resolver.nameserver import (
    NX,
    REFUSED,
    SERVFAIL,
    NameServer,
    Reaction,
    addresses,
    answer,
    rows,
    silence,
    truncated,
)
from maniple.tests.wire.rig.haproxy import HaproxyProcess, Oracle
from maniple.tests.wire.rig.ours import LoopThread, ManipleRun

CONFIG = """
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
resolvers r
    nameserver a 127.0.0.1:{dns}
    resolve_retries 2
    timeout retry {retry}ms
    accepted_payload_size 1232
resolvers two
    nameserver a 127.0.0.1:{dns}
    nameserver b 127.0.0.1:{second}
    resolve_retries 2
    timeout retry {retry}ms
{more}
"""
FRONT = """
frontend f
    bind fd@{bind}
    http-request do-resolve(txn.a,r,ipv4) hdr(host),host_only if { path /4 }
    http-request do-resolve(txn.a,r,ipv6) hdr(host),host_only if { path /6 }
    http-request do-resolve(txn.a,r) hdr(host),host_only if { path /any }
    http-request do-resolve(txn.a,two,ipv4) hdr(host),host_only if { path /two }
    http-request return status 200 content-type text/plain lf-string "<%[var(txn.a)]>"
"""


class Servers:
    """Two name servers."""

    def __init__(self) -> None:
        self.first, self.second = NameServer(), NameServer()

    def close(self) -> None:
        self.first.close()
        self.second.close()


@pytest.fixture
def servers() -> Iterator[Servers]:
    found = Servers()
    yield found
    found.close()


def written(servers: Servers, more: str, bind: int, retry: int) -> str:
    text = CONFIG.replace("{more}", more).replace("{bind}", str(bind)).replace("{retry}", str(retry))
    return text.replace("{dns}", str(servers.first.port)).replace("{second}", str(servers.second.port))


Start = Callable[..., tuple[int, ManipleRun]]


@pytest.fixture
def ours(loop_thread: LoopThread, servers: Servers) -> Iterator[Start]:
    """(lines, retry) -> port and run of a maniple with these lines behind the sections."""
    started: list[tuple[socket.socket, ManipleRun]] = []

    def start(more: str = FRONT, retry: int = 80) -> tuple[int, ManipleRun]:
        listening = socket.create_server(("127.0.0.1", 0))
        run = ManipleRun(loop_thread, written(servers, more, listening.fileno(), retry), [listening])
        started.append((listening, run))
        return listening.getsockname()[1], run

    yield start
    for listening, run in started:
        run.stop()
        listening.close()
    assert loop_thread.take_complaints() == []


def ask(port: int, host: str, path: str = "/4") -> bytes:
    """The body of the answer, or its status where that is not 200."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        whole = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = whole.partition(b"\r\n\r\n")
    return body if head[9:12] == b"200" else head[9:12]


def lie(question: dns.message.QueryMessage, stream: bool) -> Sequence[bytes]:
    """Another number first."""
    other = answer(question, "lie.x A 203.0.113.6")
    other.id = (question.id + 1) % 65536
    return [other.to_wire(), *addresses("192.0.2.9")(question, stream)]


SCRIPTS: dict[str, tuple[list[Reaction], list[Reaction]]] = {
    "four.x": ([addresses("192.0.2.4")], []),
    "six.x": ([addresses("2001:db8::6")], []),
    "both.x": ([addresses("192.0.2.5", "2001:db8::5")], []),
    "refused.x": ([REFUSED], []),
    "broken.x": ([SERVFAIL], []),
    "silent.x": ([silence], []),
    "lost.x": ([silence, addresses("192.0.2.7")], []),
    "chain.x": ([rows("chain.x CNAME b.x", "b.x CNAME c.x", "c.x A 192.0.2.8")], []),
    "gap.x": ([rows("gap.x CNAME b.x", "c.x A 192.0.2.8")], []),
    "other.x": ([rows("b.x A 192.0.2.8")], []),
    "empty.x": ([rows()], []),
    "lie.x": ([lie], []),
    "second.x": ([silence], [addresses("192.0.2.10")]),
    "better.x": ([NX], [addresses("192.0.2.11")]),
    "late.x": ([SERVFAIL], [silence, addresses("192.0.2.12")]),
    "127.0.0.1": ([addresses("192.0.2.13")], []),
    "under_score.x": ([addresses("192.0.2.14")], []),
}
QUESTIONS = [
    *((name, "/4") for name in SCRIPTS if SCRIPTS[name][1] == []),
    *((name, "/two") for name in SCRIPTS if SCRIPTS[name][1]),
    *((name, path) for name in ("four.x", "six.x", "both.x") for path in ("/6", "/any")),
    ("absent.x", "/4"),
    ("FOUR.x", "/4"),
    ("four.x:8080", "/4"),
    ("a..x", "/4"),
    ("x" * 64 + ".x", "/4"),
    (".", "/4"),
]
Outcome = tuple[bytes, list[tuple[str, str, bool]], list[int]]


@pytest.fixture(scope="module")
def outcomes(oracle: Oracle, loop_thread: LoopThread) -> Iterator[dict[tuple[str, str, str], Outcome]]:
    """What both make of all questions, each with name servers of its own: (who, name, path) -> what."""
    found: dict[tuple[str, str, str], Outcome] = {}

    def play(who: str, host: str, path: str) -> None:
        servers = Servers()
        name = host.partition(":")[0].lower()
        for server, script in zip((servers.first, servers.second), SCRIPTS.get(name, ([], [])), strict=True):
            if script:
                server.put(name, *script)
        listening = socket.create_server(("127.0.0.1", 0))
        text = written(servers, FRONT, listening.fileno(), 500)
        run: HaproxyProcess | ManipleRun
        run = oracle.start(text, [listening.fileno()]) if who == "haproxy" else loop_thread.start(text, [listening])
        try:
            body = ask(listening.getsockname()[1], host, path)
        finally:
            run.stop()
            listening.close()
            servers.close()
        found[who, host, path] = body, servers.first.asked, sorted(set(servers.first.payloads))

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(play, who, *one) for one in QUESTIONS for who in ("haproxy", "maniple")]:
            future.result()
    yield found


@pytest.mark.parametrize(("host", "path"), QUESTIONS)
def test_as_haproxy(outcomes: dict[tuple[str, str, str], Outcome], host: str, path: str) -> None:
    """The address that the variable has, and the questions that the first name server was asked."""
    assert outcomes["maniple", host, path] == outcomes["haproxy", host, path]


def test_what_was_cut_is_had_over_tcp(ours: Start, servers: Servers) -> None:
    """HAProxy takes it for a failure."""
    servers.first.put("cut.x", truncated(addresses("192.0.2.1")))
    port, _ = ours()
    assert ask(port, "cut.x") == b"<192.0.2.1>"
    assert servers.first.asked == [("cut.x", "A", False), ("cut.x", "A", True)]


def test_an_address_is_asked_for_once(ours: Start, servers: Servers) -> None:
    """HAProxy, which forgets it with the last request that waits for it, asks again."""
    servers.first.put("a.x", addresses("192.0.2.1"))
    port, _ = ours()
    assert [ask(port, "a.x"), ask(port, "A.X:80"), ask(port, "a.x")] == [b"<192.0.2.1>"] * 3
    assert servers.first.asked == [("a.x", "A", False)]


def test_many_wait_for_one_answer(ours: Start, servers: Servers) -> None:
    servers.first.put("a.x", silence, addresses("192.0.2.1"))
    port, run = ours(retry=300)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: ask(port, "a.x"), range(12)))
    assert found == [b"<192.0.2.1>"] * 12
    assert len(servers.first.asked) == 2
    assert run.settle() == {}


def test_clients_that_leave_meanwhile(ours: Start, servers: Servers) -> None:
    """Their exchanges serve others, who must not be woken for them."""
    servers.first.put("slow.x", silence, addresses("192.0.2.1"))
    servers.first.put("other.x", silence, silence, addresses("192.0.2.2"))
    port, run = ours(retry=200)
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(b"GET /4 HTTP/1.1\r\nHost: slow.x\r\n\r\n")
            while not servers.first.asked:
                pass
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: ask(port, "other.x", "/4"), range(4))) == [b"<>"] * 4
    assert ask(port, "other.x") == b"<192.0.2.2>"
    assert ask(port, "slow.x") == b"<192.0.2.1>"
    assert run.settle() == {}


def test_a_name_server_that_goes_and_comes(ours: Start, servers: Servers) -> None:
    port, _ = ours()
    gone = servers.first
    gone.close()
    assert ask(port, "a.x") == b"<>"
    servers.second.put("a.x", addresses("192.0.2.3"))
    assert ask(port, "a.x", "/two") == b"<192.0.2.3>"


PROXY = """
frontend f
    bind fd@{bind}
    http-request do-resolve(txn.a,r,ipv4) hdr(host),host_only
    http-request deny status 503 unless { var(txn.a) -m found }
    default_backend b
backend b
    http-reuse always
    http-request set-dst var(txn.a)
    http-request set-dst-port url_param(port)
    server s 0.0.0.0:0
"""


class Named:
    """A server on an address of its own, which it tells."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._socket = socket.create_server((host, 0))
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        self._pool = ThreadPoolExecutor(8)
        self._pool.submit(self._accept)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._pool.submit(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        body = self.host.encode()
        with connection:
            while connection.recv(65536):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._pool.shutdown(wait=True)


def test_to_the_address_that_was_found(ours: Start, servers: Servers) -> None:
    """A connection to one address never serves a request for another."""
    one, two = Named("127.0.0.2"), Named("127.0.0.3")
    servers.first.put("one.x", addresses("127.0.0.2"))
    servers.first.put("two.x", addresses("127.0.0.3"))
    port, _ = ours(PROXY)
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        for _ in range(3):
            for name, server in (("one.x", one), ("two.x", two)):
                client.sendall(f"GET /?port={server.port} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
                got = b""
                while not got.endswith(server.host.encode()):
                    piece = client.recv(65536)
                    assert piece, got
                    got += piece
                assert got.startswith(b"HTTP/1.1 200")
    assert ask(port, "absent.x", "/?port=1") == b"503"
    assert (one.connections, two.connections) == (3, 3)
    one.close()
    two.close()


def test_tcp(ours: Start, servers: Servers) -> None:
    server = Named("127.0.0.4")
    servers.first.put("fixed.x", silence, addresses("127.0.0.4"))
    port, run = ours(f"""
frontend f
    bind fd@{{bind}}
    mode tcp
    tcp-request inspect-delay 5s
    tcp-request content do-resolve(sess.a,r,ipv4) str(fixed.x)
    tcp-request content set-dst var(sess.a)
    default_backend b
backend b
    mode tcp
    server s 0.0.0.0:{server.port}
""")
    assert ask_open(port) == b"127.0.0.4"
    assert run.settle() == {}
    server.close()


def ask_open(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while b"\r\n\r\n127" not in got or len(got.partition(b"\r\n\r\n")[2]) < 9:
            piece = client.recv(65536)
            assert piece, got
            got += piece
    return got.partition(b"\r\n\r\n")[2]
