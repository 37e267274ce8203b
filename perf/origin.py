"""The origin server behind every target: nginx where it is installed, else a process of our own.

Owns what stands at /small, /64k, /1m and /upload. Its CPU time is not counted and it must never be what limits a
scenario; our own one is slower than nginx, so the report says which was used. An upload is answered when its last
byte has come: an early answer would let wrk stop in mid-request.

Run as `python -m maniple.perf.origin PORT`, it is the second kind.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from string import Template
from typing import cast

from .processes import Child, free_port, module_command, wait_answer
from .scenarios import KIB, MIB, SMALL_BODY

FILES: dict[str, int] = {"64k": 64 * KIB, "1m": MIB}
"""Names below / with the size of their bodies."""

NGINX_CONF = Template(
    """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid $folder/origin.pid;
error_log stderr crit;
$user
events { worker_connections 19000; }
http {
    access_log off;
    sendfile on;
    tcp_nopush off;
    keepalive_timeout 300s;
    keepalive_requests 1000000000;
    open_file_cache max=16;
    client_body_buffer_size 2m;
    client_max_body_size 8m;
    client_body_temp_path $folder/origin-body;
    proxy_temp_path $folder/origin-proxy;
    fastcgi_temp_path $folder/origin-fastcgi;
    uwsgi_temp_path $folder/origin-uwsgi;
    scgi_temp_path $folder/origin-scgi;
    upstream read { server unix:$folder/read.sock; keepalive 64; keepalive_requests 1000000000; }
    server {
        listen unix:$folder/read.sock;
        location / { return 200 "read"; }
    }
    server {
        listen 127.0.0.1:$port backlog=4096;
        root $folder/files;
        default_type text/plain;
        location = /small { return 200 "$small"; }
        location = /upload {
            proxy_pass http://read;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
    }
}
"""
)


def run_as_user() -> str:
    """nginx line that keeps its workers able to read our folder when we are root."""
    return "user root;" if os.geteuid() == 0 else ""


class Origin:
    """The origin seen from the bench: `with Origin(folder, cpus) as origin` it answers on `origin.port`."""

    __slots__ = ("_child", "kind", "port")

    def __init__(self, folder: Path, cpus: frozenset[int] | None, nginx: str | None = None) -> None:
        nginx = nginx or shutil.which("nginx")
        self.port = free_port()
        self.kind = "nginx" if nginx else "maniple.perf.origin (nginx is not installed: slower)"
        command = self._nginx(folder, nginx) if nginx else module_command("origin", str(self.port))
        self._child = Child("origin", command, folder, cpus=cpus)
        try:
            wait_answer(self._child, self.port, "/small")
        except BaseException:
            self._child.end()
            raise

    def _nginx(self, folder: Path, nginx: str) -> list[str]:
        files = folder / "files"
        files.mkdir()
        for name, size in FILES.items():
            (files / name).write_bytes(b"x" * size)
        configuration = folder / "origin.conf"
        configuration.write_text(nginx_conf(folder, self.port))
        return [nginx, "-p", str(folder), "-e", "stderr", "-c", str(configuration)]

    def __enter__(self) -> Origin:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.end()

    def alive(self) -> bool:
        return self._child.alive()


def nginx_conf(folder: Path, port: int) -> str:
    return NGINX_CONF.substitute(folder=folder, port=port, user=run_as_user(), small="x" * SMALL_BODY)


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


ANSWERS: dict[bytes, bytes] = {
    b"/small": answer(b"x" * SMALL_BODY),
    b"/upload": answer(b"read"),
    **{b"/" + name.encode(): answer(b"x" * size) for name, size in FILES.items()},
}


class Answering(asyncio.Protocol):
    """One connection of our own origin. Trusts its peer: whole heads, Content-Length or no body."""

    __slots__ = ("_answer", "_close", "_left", "_pending", "_transport")

    def __init__(self) -> None:
        self._pending = b""
        self._left = 0
        self._answer = b""
        self._close = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        while data:
            if self._left:
                used = min(self._left, len(data))
                self._left -= used
                data = data[used:]
            else:
                head, blank, data = (self._pending + data).partition(b"\r\n\r\n")
                if not blank:
                    self._pending = head
                    return
                self._pending = b""
                self._read_head(head)
            if not self._left:
                self._transport.write(self._answer)
                if self._close:
                    self._transport.close()
                    return

    def _read_head(self, head: bytes) -> None:
        line, _, fields = head.partition(b"\r\n")
        _method, target, version = line.split(b" ", 2)
        self._answer = ANSWERS.get(target, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        self._close = version == b"HTTP/1.0"
        for field in fields.lower().splitlines():
            name, _, value = field.partition(b":")
            if name == b"content-length":
                self._left = int(value)
            elif name == b"connection" and value.strip() == b"close":
                self._close = True


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    server = await loop.create_server(Answering, "127.0.0.1", port, backlog=4096)
    await end.wait()
    server.close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
