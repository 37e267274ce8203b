"""`maniple run`: serve in the foreground, with a file or with flags alone.

Owns: the flags and what a person at a terminal is told at the start. Must not know: how flags become configuration
(command_line.py), how anything is served.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from .. import __version__
from . import command_line

if TYPE_CHECKING:
    from ..core.config.model import Configuration
    from ..groups.listening import Listener


def run_command(
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="Configuration file, or a folder of *.cfg; may be repeated."),
    ] = None,
    bind: Annotated[
        list[str] | None,
        typer.Option(
            "--bind",
            "-b",
            metavar="ADDRESS",
            help="Address to listen on, and HAProxy's bind words after it: --bind ':8080 thread 1/all'. May be "
            "repeated. With a file it is added to the addresses of its only frontend or listen section, or of the one "
            "that --frontend names.",
        ),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            "--server",
            "-s",
            metavar="NAME=HOST:PORT",
            help="Server, and HAProxy's server words after it: --server 'a=10.0.0.1:80 weight 2'. May be repeated. "
            "With a file it is added to the servers of its only backend or listen section, or of the one that "
            "--backend names; default-server lines of the file hold for it.",
        ),
    ] = None,
    frontend: Annotated[str, typer.Option(metavar="NAME", help="The section of the file that --bind adds to.")] = "",
    backend: Annotated[str, typer.Option(metavar="NAME", help="The section of the file that --server adds to.")] = "",
    mode: Annotated[str, typer.Option(metavar="http|tcp", help="What the traffic is (http without a file).")] = "",
    balance: Annotated[
        str, typer.Option(metavar="ALGORITHM", help="roundrobin, static-rr, leastconn, random or first.")
    ] = "",
    http_reuse: Annotated[
        str,
        typer.Option("--http-reuse", metavar="HOW", help="Idle server connections: never, safe, aggressive, always."),
    ] = "",
    timeout: Annotated[
        list[str] | None,
        typer.Option("--timeout", metavar="NAME=TIME", help="Such as client=30s or connect=2s. May be repeated."),
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            "--log",
            metavar="TARGET",
            help="Access log: stdout, stderr, or the words after `log` in a file. May be repeated.",
        ),
    ] = None,
    nbgroup: Annotated[
        str, typer.Option(metavar="N|auto", help="Processes that serve; auto is one per core on this interpreter.")
    ] = "",
    nbthread: Annotated[str, typer.Option(metavar="N", help="Event loops in all, divided among the groups.")] = "",
    maxconn: Annotated[str, typer.Option(metavar="N", help="Connections of the whole process.")] = "",
    lines: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="LINE",
            help="A line of configuration for every section where it may stand: --set 'option forwardfor'. May be "
            "repeated.",
        ),
    ] = None,
    global_lines: Annotated[
        list[str] | None,
        typer.Option("--global", metavar="LINE", help="A line for the global section. May be repeated."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Serve in the foreground until Ctrl-C.

    Without a file: maniple run --bind :8080 --server a=10.0.0.1:80 --server b=10.0.0.2:80

    With files: maniple run -f proxy.cfg -f more.cfg

    Flags are lines of configuration that are read after the files, at the end of each section where they may stand, so
    they win over what the files say; --bind and --server add. Ctrl-C or SIGTERM ends at once, SIGUSR1 lets what runs
    finish first, SIGHUP and SIGUSR2 reload, as `maniple reload` does. Exit status: 0, or 1 when the start fails.
    """
    flags = command_line.RunFlags(
        files=files or (),
        binds=bind or (),
        servers=server or (),
        frontend=frontend,
        backend=backend,
        mode=mode,
        balance=balance,
        http_reuse=http_reuse,
        timeouts=timeout or (),
        logs=log or (),
        nbgroup=nbgroup,
        nbthread=nbthread,
        maxconn=maxconn,
        lines=lines or (),
        global_lines=global_lines or (),
    )
    try:
        configuration, diagnostics = command_line.load(flags)
    except command_line.FlagError as error:
        typer.echo(f"maniple run: {error}", err=True)
        raise typer.Exit(2) from None
    if diagnostics.errors or (len(diagnostics) and not quiet):
        sys.stderr.write(diagnostics.render())
    if configuration is None:
        from ..groups.handover import stand_in

        configuration = stand_in()
    if configuration is None:
        raise typer.Exit(1)
    raise typer.Exit(serve(configuration, flags, quiet))


NOTHING = "nothing to listen on: no section has a `bind` line\n"


def serve(configuration: Configuration, flags: command_line.RunFlags, quiet: bool) -> int:
    """Runs it in the foreground, whatever `daemon` says in a file, and returns the exit code."""
    from ..groups.activation import activated_sockets
    from ..groups.handover import stand_in
    from ..groups.supervisor import Supervisor
    from ..groups.supervisor_options import SupervisorOptions

    if not is_useful(configuration) and stand_in() is None:
        sys.stderr.write(f"maniple run: {NOTHING}")
        return 1

    def ready(listeners: Sequence[Listener]) -> None:
        if not quiet:
            sys.stderr.write(greeting(configuration, listeners))
            sys.stderr.flush()

    options = SupervisorOptions(
        quiet=quiet,
        own_control=True,
        activated=tuple(activated_sockets(os.environ)),
        reload=lambda: read_again(flags),
        systemd=True,
        titles=True,
        files=tuple(flags.files),
    )
    return Supervisor(in_foreground(configuration), options, on_ready=ready).run()


def read_again(flags: command_line.RunFlags) -> tuple[Configuration | None, str]:
    """For a reload: the same files and flags, None where they have errors; and what there is to say."""
    try:
        configuration, diagnostics = command_line.load(flags)
    except command_line.FlagError as error:
        return None, f"{error}\n"
    text = diagnostics.render() if len(diagnostics) else ""
    if configuration is not None and not is_useful(configuration):
        return None, text + NOTHING
    return None if configuration is None else in_foreground(configuration), text


def is_useful(configuration: Configuration) -> bool:
    return any(proxy.binds and not proxy.disabled for proxy in configuration.proxies)


def in_foreground(configuration: Configuration) -> Configuration:
    return replace(configuration, globals=replace(configuration.globals, daemon=False))


def greeting(configuration: Configuration, listeners: Sequence[Listener]) -> str:
    """One line for each address, once: it may have a socket for each thread of every group. A range of ports is one."""
    from ..groups.sockets import address_text
    from ..groups.status_text import merged

    modes = {proxy.name: proxy.mode for proxy in configuration.proxies if proxy.has_frontend}
    groups = {group for listener in listeners for group, _ in listener.owners}
    shown: dict[str, None] = {}
    for listener in listeners:
        text = address_text(listener.address)
        if modes.get(listener.frontend) == "http" and listener.address.kind in ("inet", "inet6"):
            text = f"http://{text}"
        shown[f"  {listener.frontend}: {text}"] = None
    addresses = f"{len(shown)} address{'es' * (len(shown) != 1)}"
    processes = f" with {len(groups)} group{'s' * (len(groups) != 1)}" if groups else ""
    first = f"maniple {__version__} listens on {addresses}{processes} (Ctrl-C ends)\n"
    return first + "".join(f"{line}\n" for line in merged(shown))
