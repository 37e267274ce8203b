"""Every reply byte for byte as HAProxy sends it: the system's version, and 3.0 where there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.core.http.replies import EARLY_REPLIES, REPLIES

SINCE_3_3 = (414, 431)
STATUSES = [status for status in REPLIES if status not in SINCE_3_3]
DEADLINE = 5.0
EARLY = {
    400: b"GET\r\n\r\n",
    408: b"GET / HT",
    413: b"GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
    422: b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
}


@pytest.fixture(scope="module", params=["haproxy", "haproxy3"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if request.param == "haproxy":
        program = shutil.which("haproxy")
        if program is None:
            if os.environ.get("CI"):
                pytest.fail("haproxy is missing: apt-get install haproxy")
            pytest.skip("haproxy is not installed")
    else:
        named = os.environ.get("HAPROXY3")
        program = named or str(Path.home() / ".cache" / "haproxy3" / "haproxy")
        if not Path(program).exists():
            pytest.skip("no HAProxy 3.0 (name one in HAPROXY3)")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        rules = "".join(
            f"    http-request return status {status} default-errorfiles if {{ path /{status} }}\n"
            for status in STATUSES
        )
        path = tmp_path_factory.mktemp("replies") / "replies.cfg"
        path.write_text(
            "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n"
            f"    timeout http-request 300ms\nfrontend f\n    bind fd@{listener.fileno()}\n{rules}"
        )
        process = subprocess.Popen(
            [program, "-db", "-f", str(path)], pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL
        )
    limit = time.monotonic() + DEADLINE
    while not ask(number, b"GET /200 HTTP/1.1\r\n\r\n"):
        assert process.poll() is None, "haproxy does not run"
        assert time.monotonic() < limit
    yield number
    process.terminate()
    process.wait(DEADLINE)


def ask(port: int, raw: bytes) -> bytes:
    """One whole reply; b"" if nobody listens."""
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(DEADLINE)
            client.sendall(raw)
            while b"</html>\n" not in received:
                piece = client.recv(65536)
                if not piece:
                    break
                received += piece
    except OSError:
        return b""
    return received


@pytest.mark.parametrize("status", STATUSES)
def test_reply(port: int, status: int) -> None:
    assert REPLIES[status] == ask(port, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % status)


@pytest.mark.parametrize("status", EARLY)
def test_early_reply(port: int, status: int) -> None:
    assert EARLY_REPLIES[status] == ask(port, EARLY[status])
