"""`maniple explain`: the path of one request through the rules, and why it is that one.

Owns: the flags, which frontend is meant, and the two forms of the answer. Must not know: rules, how one is played.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ..core.addresses import Address
from ..core.config import parser
from ..core.config.diagnostics import Diagnostics
from ..core.config.environment import Environment
from ..core.config.model import BindSpec, Configuration, Place, ProxySpec
from ..core.errors import ConfigError
from ..core.rehearsal.play import Seat, play
from ..core.rehearsal.stage import Stage
from ..core.rehearsal.still import Endpoint
from ..core.report.examination import examine
from .explain_text import render

PORT = 50000
"""The client's, where none is given."""


def explain_command(
    request: Annotated[
        str, typer.Argument(metavar="REQUEST", help="File with an HTTP/1 request, or - for standard input.")
    ],
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="Configuration file, or a folder of *.cfg; may be repeated."),
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="IP[:PORT]", help="Where the client comes from; `unix` for a unix socket.")
    ] = "",
    bind: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address that it connects to, as on a bind line.")
    ] = "",
    frontend: Annotated[str, typer.Option(metavar="NAME", help="The frontend, where there are several.")] = "",
    response: Annotated[
        str, typer.Option(metavar="FILE", help="The server's response: its rules are explained too.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what the rules of a configuration do with one request, without starting anything.

    Each rule that is looked at is shown with its place, whether it applies and why, and what it changes; then the
    answer, or the backend with its servers, and the request as it would leave. Line ends of the request's file may be
    plain ones. Exit status: 0 the request is forwarded, 1 maniple answers it (or closes the connection) itself, 2 wrong
    usage or a configuration that is not valid.
    """
    if not files:
        fail("which configuration? Give -f FILE")
    configuration = configured(files)
    message = read(request)
    answer = read(response) if response else None
    seat = find_seat(configuration, frontend, bind, source)
    try:
        stage = Stage(configuration)
    except ConfigError as error:
        diagnostics = Diagnostics()
        diagnostics.error(Place(error.file, error.line, error.column), error.message, error.word, error.hint)
        sys.stderr.write(diagnostics.render())
        raise typer.Exit(2) from None
    try:
        told = play(stage, seat, message, answer)
    finally:
        stage.close()
    if not source:
        told.notes.append(f"no --source is given: the client is taken to be {told.source}")
    if as_json:
        import orjson

        sys.stdout.write(orjson.dumps(asdict(told), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write(render(told, colours=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    raise typer.Exit(0 if told.forwarded else 1)


def fail(text: str) -> NoReturn:
    """Wrong usage."""
    typer.echo(f"maniple explain: {text}", err=True)
    raise typer.Exit(2)


def configured(files: list[str]) -> Configuration:
    """The configuration; its errors are shown as `maniple check` shows them."""
    configuration, diagnostics = parser.load_files(files, Environment(os.environ, files=files), examine=examine)
    if configuration is None:
        sys.stderr.write(diagnostics.render())
        raise typer.Exit(2)
    return configuration


def read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        fail(f"cannot read '{path}': {error.strerror or error}")


# Where the client comes in.


def find_seat(configuration: Configuration, name: str, bind: str, source: str) -> Seat:
    """The frontend and its bind line."""
    proxies = [proxy for proxy in configuration.proxies if proxy.has_frontend and not proxy.disabled]
    if not proxies:
        fail("the configuration has no frontend")
    if name:
        proxies = [proxy for proxy in proxies if proxy.name == name]
        if not proxies:
            fail(f"there is no frontend '{name}'")
    if bind:
        places = [(proxy, *found) for proxy in proxies for found in _binds(proxy) if _is(bind, found[1], found[2])]
        if not places:
            known = ", ".join(str(found[2]) for proxy in proxies for found in _binds(proxy))
            fail(f"no bind line has '{bind}'; there are {known or 'none'}")
        if len({place[0].name for place in places}) > 1:
            fail(f"several frontends have '{bind}': say which with --frontend")
        proxy, number, line, address = places[0]
    else:
        if len(proxies) > 1:
            fail(f"which frontend? Give --frontend, one of {', '.join(proxy.name for proxy in proxies)}")
        proxy = proxies[0]
        known_binds = _binds(proxy)
        if not known_binds:
            return Seat(proxy.name, "(none)", "1", _source(source, None), ("127.0.0.1", 80))
        number, line, address = known_binds[0]
    client = _source(source, address)
    return Seat(
        proxy.name,
        str(address),
        line.name or str(number),
        client,
        None if client is None else _destination(address, client),
    )


def _binds(proxy: ProxySpec) -> list[tuple[int, BindSpec, Address]]:
    """Number from 1, line, address."""
    return [(number, line, one) for number, line in enumerate(proxy.binds, 1) for one in line.addresses]


def _is(text: str, line: BindSpec, address: Address) -> bool:
    host, _, port = text.rpartition(":")
    return (
        text in (line.text, str(address), line.name)
        or (not host and port.isdigit() and int(port) == address.port)
        or (host.strip("[]") == address.host and port.isdigit() and int(port) == address.port)
    )


def _source(text: str, address: Address | None) -> Endpoint | None:
    if text == "unix" or (not text and address is not None and address.kind in ("unix", "abns")):
        return None
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        if host:
            ipaddress.ip_address(host)
        number = int(port) if port else PORT
        if not 0 < number < 65536:
            raise ValueError
    except ValueError:
        fail(f"'{text}' is no source: give IP, IP:PORT, [IPv6]:PORT or unix")
    return host or ("::1" if address is not None and address.kind == "inet6" else "127.0.0.1"), number


def _destination(address: Address, source: Endpoint) -> Endpoint:
    """The address that the client has connected to: the bind line's; of one for all addresses the machine's own."""
    host = address.host if address.kind in ("inet", "inet6") else ""
    if host in ("", "0.0.0.0", "::", "*"):
        host = "::1" if ":" in source[0] else "127.0.0.1"
    return host, address.port or 80
