"""`maniple reload | upgrade | scale | status | stop | ctl`: what a running supervisor is asked for by hand.

Owns: the flags, what is shown, the exit codes: 0 done, 1 refused (with the reason), 2 wrong usage, 3 nobody there. Must
not know: the control socket's protocol (control_client.py). Imports neither the proxy nor the supervisor: it is to
answer at once.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from . import control_client as client

REFUSED, USAGE, NOBODY = 1, 2, 3

Socket = Annotated[str, typer.Option("--socket", metavar="PATH", help="Its control socket, or a `stats socket`.")]
Pid = Annotated[int, typer.Option("--pid", metavar="N", help="Its process id.", show_default=False)]
PidFile = Annotated[str, typer.Option("--pidfile", metavar="FILE", help="The file with its process id.")]
File = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="The configuration file that it runs with.")]
WHICH = "Without --socket, --pid, --pidfile or -f the only one that runs is meant."


@dataclass(frozen=True, slots=True)
class Which:
    """The supervisor that is meant, as flags say it."""

    command: str
    socket: str
    pid: int
    pidfile: str
    file: str

    def ask(self, line: str, payload: bytes | None = None) -> client.Reply:
        """The answer; ends the process where nobody can give one."""
        try:
            return client.ask(self.path(), line, payload=payload)
        except client.NobodyThere as error:
            self.end(NOBODY, str(error))

    def path(self) -> str:
        try:
            return client.find(self.socket, self.pid, self.pidfile, self.file)
        except client.NobodyThere as error:
            self.end(NOBODY, str(error))
        except client.NotClear as error:
            self.end(USAGE, str(error))

    def end(self, code: int, text: str) -> NoReturn:
        typer.echo(f"maniple {self.command}: {text}", err=True)
        raise typer.Exit(code)

    def carry_out(self, line: str, done: str) -> None:
        """Asks, shows what was said, and what was done."""
        reply = self.ask(line)
        if not reply.done:
            self.end(REFUSED, reply.text or "it was not done")
        if reply.text:
            typer.echo(reply.text)
        typer.echo(done)


def reload_command(socket: Socket = "", pid: Pid = 0, pidfile: PidFile = "", file: File = "") -> None:
    """Put the configuration files in service as they are now, without losing a connection.

    A file with errors leaves everything as it was: the errors are shown, and the exit status is 1.
    """
    Which("reload", socket, pid, pidfile, file).carry_out("reload", "Reloaded.")


def upgrade_command(socket: Socket = "", pid: Pid = 0, pidfile: PidFile = "", file: File = "") -> None:
    """Execute the program's present files in place of the running ones (a new version), without losing a connection."""
    Which("upgrade", socket, pid, pidfile, file).carry_out("upgrade", "Upgraded.")


def scale_command(
    groups: Annotated[int, typer.Argument(metavar="N", help="How many groups there shall be.", min=1, max=256)],
    socket: Socket = "",
    pid: Pid = 0,
    pidfile: PidFile = "",
    file: File = "",
) -> None:
    """Change the number of groups (processes that serve) while it serves. A reload goes back to what the files say."""
    which = Which("scale", socket, pid, pidfile, file)
    which.carry_out(f"scale {groups}", f"{groups} group{'s' * (groups != 1)}.")


def stop_command(
    hard: Annotated[
        bool, typer.Option("--hard/--soft", help="Cut everything at once, or let the present connections end.")
    ] = False,
    socket: Socket = "",
    pid: Pid = 0,
    pidfile: PidFile = "",
    file: File = "",
) -> None:
    """End a running maniple. A soft stop takes no new connections and lets the present ones end, for at most
    `hard-stop-after`."""
    which = Which("stop", socket, pid, pidfile, file)
    done = "Stopped." if hard else "No new connections; it ends when the present ones have ended."
    which.carry_out("hard-stop" if hard else "soft-stop", done)


def status_command(
    json: Annotated[bool, typer.Option("--json", help="As JSON, on one line.")] = False,
    watch: Annotated[
        float, typer.Option("--watch", metavar="SECONDS", help="Show it again and again, until Ctrl-C.", min=0)
    ] = 0,
    socket: Socket = "",
    pid: Pid = 0,
    pidfile: PidFile = "",
    file: File = "",
) -> None:
    """Show what runs: groups and threads, addresses, connections, what drains, the last reload."""
    which = Which("status", socket, pid, pidfile, file)
    if watch and not (socket or pid or pidfile or file):
        # The one of the beginning, not whichever is the only one later.
        which = Which("status", which.path(), 0, "", "")
    line = "show status json" if json else "show status"
    while True:
        reply = which.ask(line)
        if not reply.done:
            which.end(REFUSED, reply.text)
        if watch and sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J")
        typer.echo(reply.text)
        if not watch:
            return
        sys.stdout.flush()
        time.sleep(watch)


def ctl_command(
    words: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="A command of the control socket.")],
    payload: Annotated[
        str, typer.Option("--payload", metavar="FILE", help="What the command takes behind `<<`; - is standard input.")
    ] = "",
    socket: Socket = "",
    pid: Pid = 0,
    pidfile: PidFile = "",
    file: File = "",
) -> None:
    """Any command of the control socket, as HAProxy's runtime API has it: `maniple ctl show map`,
    `maniple ctl add map /etc/hosts.map www.example.com app`, `maniple ctl help`.
    """
    which = Which("ctl", socket, pid, pidfile, file)
    content = None
    if payload:
        try:
            content = sys.stdin.buffer.read() if payload == "-" else Path(payload).read_bytes()
        except OSError as error:
            which.end(USAGE, f"{payload}: {error.strerror}")
    # One word is a whole line, as it would be typed there.
    line = words[0] if len(words) == 1 else " ".join([client.written(word) for word in words])
    reply = which.ask(line, content)
    if not reply.done:
        which.end(REFUSED, reply.text or "it was not done")
    if reply.text:
        typer.echo(reply.text)


for _command in (reload_command, upgrade_command, scale_command, stop_command, status_command, ctl_command):
    _command.__doc__ = f"{_command.__doc__}\n\n    {WHICH}\n"
