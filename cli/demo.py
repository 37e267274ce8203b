"""`maniple demo`: three small servers, maniple in front of them, requests to look at, live figures.

Owns: the order of the show and its text. Must not know: how anything is served. Everything it starts is a child that
ends with it: on Ctrl-C, after --seconds, when nobody reads its output any more, or when it is killed.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Annotated

import typer

from .. import __version__
from .children import ChildProcess
from .origins import Origin

CONFIGURATION = """\
global
    nbgroup 2
    nbthread 2

defaults
    mode http
    timeout connect 2s
    timeout client  30s
    timeout server  30s
    option forwardfor

frontend web
    bind 127.0.0.1:0            # port 0: the kernel chooses one
    default_backend app

backend app
    balance roundrobin
    http-reuse always
"""
"""The servers follow when their ports are known."""

SHOWN_REQUESTS = 9
PACE = 0.05
"""Seconds between two requests of the light traffic that keeps the figures moving."""
START_PATIENCE = 15.0
PLAIN_INTERVAL = 5.0
"""Seconds between two lines of figures where the output is no terminal."""


class Ended(Exception):
    """The show is over: an interrupt, or nobody looks any more."""


class Failed(Exception):
    """Something that was started does not run; the text says what."""


def demo_command(
    seconds: Annotated[float, typer.Option(min=0, help="End after so many seconds; 0: on Ctrl-C.")] = 0.0,
) -> None:
    """Show maniple at work: nothing to configure, nothing left behind.

    Starts three small servers and maniple with two groups in front of them, all on ports of the loopback interface that
    the kernel chooses, sends some requests, and shows where they arrive.
    """
    code = 0
    with _interruptible():
        try:
            with suppress(Ended), ExitStack() as stack:
                _show(stack, seconds)
        except Failed as error:
            sys.stderr.write(f"maniple demo: {error}\n")
            code = 1
    _let_go_of_output()
    raise typer.Exit(code)


def _show(stack: ExitStack, seconds: float) -> None:
    screen = Screen(seconds)
    reports, figures = Lines(stack), Lines(stack)
    origins = []
    for name in "abc":
        origin = Origin(name, reports.writer)
        stack.callback(origin.end)
        origins.append(origin)
    servers = "".join(f"    server {origin.name} 127.0.0.1:{origin.port}\n" for origin in origins)
    text = CONFIGURATION + servers
    proxy = ChildProcess(lambda: _serve(text, figures.writer), signal.SIGTERM)
    stack.callback(_end_show, proxy, screen)
    url = f"http://127.0.0.1:{_wait_for_start(proxy, figures, screen)}/"
    screen.say(f"\nmaniple {__version__}, a load balancer. This is all of its configuration:\n\n")
    screen.say("".join(f"    {line}\n" if line else "\n" for line in text.splitlines()))
    screen.say(f"\nIt listens on {screen.bold(url)} with 2 groups (processes), and three servers run behind it.\n")
    screen.say(f"Requests, and where they arrive (try it in another terminal: curl {url}hello):\n\n")
    client = Client(url)
    stack.callback(client.close)
    for number in range(1, SHOWN_REQUESTS + 1):
        started = time.monotonic()
        status = client.get(f"/hello/{number}")
        took = (time.monotonic() - started) * 1000
        name, connection, what = _arrival(reports, screen)
        screen.say(f"    {what:<14} -> server {name}, connection {connection}   {status} in {took:.1f} ms\n")
    screen.say(f"\nLive figures, with about {1 / PACE:.0f} requests a second ({screen.how_to_end}):\n\n")
    screen.say("    seconds  requests  per second  errors   a     b     c      dialled  reused\n")
    while True:
        screen.wait(PACE)
        client.get("/live")
        reports.discard()
        for line in figures.read():
            screen.show(json.loads(line))
        if proxy.poll() is not None:
            raise Failed("maniple ended by itself")


def _serve(text: str, figures: int) -> int:
    """maniple's supervisor, in a child: serves `text`, and tells of its port and its figures in lines of JSON."""
    from ..core.config import parser
    from ..groups.figures import Figures
    from ..groups.supervisor import Supervisor
    from ..groups.supervisor_options import SupervisorOptions

    configuration, diagnostics = parser.load([("<demo>", text)], {})
    if configuration is None:
        sys.stderr.write(diagnostics.render())
        return 1

    def tell(found: dict[str, int]) -> None:
        # The pipe is full, or the demo is over: neither is maniple's business.
        with suppress(OSError):
            os.write(figures, json.dumps(found).encode() + b"\n")

    def tick(now: Figures) -> None:
        web, app = now.frontend("web"), now.backend("app")
        servers = {server.name: now.server("app", server.name).stot for server in configuration.proxies[1].servers}
        errors = app.econ + app.eresp + app.hrsp_5xx
        tell({"requests": web.req_tot, "errors": errors, "connect": app.connect, "reuse": app.reuse, **servers})

    os.set_blocking(figures, False)
    options = SupervisorOptions(quiet=True)
    return Supervisor(
        configuration,
        options,
        on_ready=lambda listeners: tell({"port": listeners[0].address.port_low}),
        on_tick=tick,
    ).run()


def _wait_for_start(proxy: ChildProcess, figures: Lines, screen: Screen) -> int:
    """The port that maniple listens on."""
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        for line in figures.read():
            port: int = json.loads(line)["port"]
            return port
        if proxy.poll() is not None:
            raise Failed("maniple did not start")
        screen.wait(0.02)
    raise Failed("maniple takes too long to start")


def _arrival(reports: Lines, screen: Screen) -> list[str]:
    """The next report of a server: its name, the number of the connection, the request."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        for line in reports.read():
            return line.split("\t")
        screen.wait(0.005)
    raise Failed("a request did not arrive at any server")


def _end_show(proxy: ChildProcess, screen: Screen) -> None:
    """Ends maniple. Another Ctrl-C now would only leave something behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    screen.finish()
    proxy.end()


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM end the show where it stands."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _let_go_of_output() -> None:
    """Python flushes at its end; where nobody reads any more that would be one more complaint."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Lines:
    """A pipe that children write lines into."""

    def __init__(self, stack: ExitStack) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        stack.callback(os.close, self._reader)
        stack.callback(os.close, self.writer)
        self._rest = b""
        self._ready: list[str] = []

    def read(self) -> Iterator[str]:
        """The whole lines that are there, one at a time; what is not taken stays."""
        try:
            while data := os.read(self._reader, 65536):
                *lines, self._rest = (self._rest + data).split(b"\n")
                self._ready.extend(line.decode() for line in lines)
        except BlockingIOError:
            pass
        while self._ready:
            yield self._ready.pop(0)

    def discard(self) -> None:
        for _line in self.read():
            pass


class Client:
    """A few clients that keep their connections, and now and then open a new one, which may come to another group."""

    CONNECTIONS = 4
    USES = 25

    def __init__(self, url: str) -> None:
        self._host = url.removeprefix("http://").rstrip("/")
        self._connections = [http.client.HTTPConnection(self._host, timeout=5) for _ in range(self.CONNECTIONS)]
        self._count = 0

    def get(self, target: str) -> int:
        """The status; raises Failed when there is no answer."""
        connection = self._connections[self._count % self.CONNECTIONS]
        self._count += 1
        if self._count % self.USES == 0:
            connection.close()
        try:
            connection.request("GET", target)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"no answer from http://{self._host}{target}: {error!r}") from None
        return response.status

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


class Screen:
    """The output: a terminal gets one line of figures that is written anew, anything else one now and then."""

    def __init__(self, seconds: float) -> None:
        self._terminal = sys.stdout.isatty()
        self._started = time.monotonic()
        self._end_at = self._started + seconds if seconds else None
        self._watch = select.poll()
        # No events wanted: the kernel tells of a reader that has gone all the same.
        self._watch.register(sys.stdout.fileno(), 0)
        self._shown_at = 0.0
        self._last: tuple[float, int] = (self._started, 0)
        self._line = ""
        self.how_to_end = f"ends after {seconds:g} s, or on Ctrl-C" if seconds else "Ctrl-C ends"

    def say(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (OSError, ValueError):
            raise Ended from None

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._terminal and "NO_COLOR" not in os.environ else text

    def wait(self, seconds: float) -> None:
        """Lets time pass; raises Ended when the time is over or nobody reads the output any more."""
        if self._watch.poll(seconds * 1000) or (self._end_at is not None and time.monotonic() >= self._end_at):
            raise Ended

    def show(self, found: dict[str, int]) -> None:
        """One line of figures."""
        now = time.monotonic()
        then, before = self._last
        rate = (found["requests"] - before) / (now - then)
        self._last = (now, found["requests"])
        self._line = (
            f"    {now - self._started:7.0f}  {found['requests']:8}  {rate:10.0f}  {found['errors']:6}"
            f"   {found['a']:<5} {found['b']:<5} {found['c']:<5}  {found['connect']:7}  {found['reuse']:6}"
        )
        if self._terminal:
            self.say(f"\r{self._line}\x1b[K")
        elif not self._shown_at or now - self._shown_at >= PLAIN_INTERVAL:
            self._shown_at = now
            self.say(self._line + "\n")
            self._line = ""

    def finish(self) -> None:
        """The last line stays; a terminal's ^C gets a line of its own."""
        with suppress(Ended):  # nobody may be reading it
            if self._line:
                self.say(f"\r{self._line}\x1b[K\n" if self._terminal else self._line + "\n")
            self.say("\nEnded: maniple and the three servers are gone.\n")
