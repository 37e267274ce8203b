"""HAProxy's own command line: its flags, what each does here, and its way of reading them (management manual, 3).

Owns: the table of flags with what becomes of each, and the parser. Must not know: configurations, processes;
`compat.py` acts on the result. Invariants: the parser takes and refuses exactly what HAProxy 3.0's does, odd habits
included: a flag is known by its first letters and what follows them is ignored (`-cV` is `-c`, `-Vc` is `-V`, `-dx` is
`-d`), a flag with an argument takes the next word whatever it looks like, numbers are read as C's atol does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Effect(Enum):
    """What a flag does here."""

    WORKS = "works"
    ACCEPTED = "accepted, no effect"
    PARTLY = "works in part"


@dataclass(frozen=True, slots=True)
class Flag:
    """One row of the table that `-h` prints."""

    text: str
    effect: Effect
    summary: str


FLAGS = (
    Flag(
        "-f <file|dir>", Effect.WORKS, "adds a configuration file, or the *.cfg of a folder in order; may be repeated"
    ),
    Flag("-- <file>*", Effect.WORKS, "all that follows are configuration files"),
    Flag("-C <dir>", Effect.WORKS, "changes to <dir> before loading files"),
    Flag("-c", Effect.WORKS, "checks the configuration and exits: 0 valid, 1 not, 2 valid but nothing to listen on"),
    Flag("-cc <condition>", Effect.WORKS, "evaluates a condition and exits: 0 true, 1 false, 2 it cannot be read"),
    Flag("-v", Effect.WORKS, "shows the version"),
    Flag("-vv", Effect.WORKS, "shows the version, what maniple can do and what it runs on"),
    Flag("-V", Effect.WORKS, "verbose: with -c says that a file is valid; undoes -q"),
    Flag("-q", Effect.WORKS, "quiet: no messages"),
    Flag("-D", Effect.WORKS, "goes to the background once everything listens"),
    Flag("-db", Effect.WORKS, "stays in the foreground, whatever the file says"),
    Flag("-d", Effect.PARTLY, "debug: stays in the foreground; the traffic itself is not shown"),
    Flag(
        "-W", Effect.WORKS, "master-worker: there is always a supervisor, which reloads; changes messages, exit codes"
    ),
    Flag("-Ws", Effect.WORKS, "as -W, and tells systemd how it is"),
    Flag("-p <file>", Effect.WORKS, "with -D or -W writes the supervisor's process id"),
    Flag("-n <number>", Effect.WORKS, "connections of the whole process (global maxconn)"),
    Flag("-N <number>", Effect.WORKS, "connections of each frontend that says nothing"),
    Flag("-m <megabytes>", Effect.WORKS, "limits the memory; HAProxy's limit is for all processes, this one for each"),
    Flag("-L <name>", Effect.WORKS, "the local peer's name, and $HAPROXY_LOCALPEER"),
    Flag("-sf <pid>*", Effect.WORKS, "once everything listens, asks these processes to finish (SIGUSR1)"),
    Flag("-st <pid>*", Effect.WORKS, "once everything listens, asks these processes to end (SIGTERM)"),
    Flag("-x <socket>", Effect.WORKS, "takes the listening sockets over from the process with this stats socket"),
    Flag("-S <bind>", Effect.WORKS, "with -W: the master's command line listens there"),
    Flag("-dC", Effect.PARTLY, "shows the configuration's lines as they were read; its anonymising key is refused"),
    Flag("-dD", Effect.WORKS, "lets the .diag lines of a file speak"),
    Flag("-dK<class>", Effect.PARTLY, "lists keywords (-dKhelp names the classes; cfg is the one there is)"),
    Flag("-dL", Effect.WORKS, "lists the shared objects that are loaded"),
    Flag("-dW", Effect.WORKS, "takes a warning for an error"),
    Flag("-dM[...]", Effect.ACCEPTED, "memory debugging: Python's memory is not poisoned; words are checked"),
    Flag("-dt[...]", Effect.ACCEPTED, "traces"),
    Flag("-de -dp -dk -dv", Effect.ACCEPTED, "pollers: uvloop uses epoll"),
    Flag("-dS -dZ -dF", Effect.ACCEPTED, "splicing, zero copy, fast forwarding: not used"),
    Flag("-dG", Effect.ACCEPTED, "getaddrinfo() is used"),
    Flag("-dR", Effect.ACCEPTED, "SO_REUSEPORT is used: groups need it"),
    Flag("-dr", Effect.WORKS, "servers whose name cannot be resolved are disabled, not an error"),
    Flag("-dI -dV", Effect.ACCEPTED, "insecure forks, TLS verification: there are neither"),
)
"""Every flag of HAProxy 3.0 to 3.2, and what becomes of it."""

MEMORY_WORDS = (
    ("fail", "no-fail", "randomly fail allocations"),
    ("no-merge", "merge", "disable merging of similar pools"),
    ("cold-first", "hot-first", "pick cold objects first"),
    ("integrity", "no-integrity", "enable cache integrity checks"),
    ("no-global", "global", "disable global shared cache"),
    ("no-cache", "cache", "disable thread-local cache"),
    ("caller", "no-caller", "save caller information in cache"),
    ("tag", "no-tag", "add tag at end of allocated objects"),
    ("poison", "no-poison", "poison newly allocated objects"),
    ("uaf", "no-uaf", "enable use-after-free checks (slow)"),
)
"""Words of `-dM` that set and clear an option, and what the option does in HAProxy."""

_ONE_ARGUMENT = "CnmNLfp"
_IGNORED_DEBUG = "epkvSZFGRIVt"
_NUMBER = re.compile(r"\s*([+-]?\d+)")
_POISON = re.compile(r"0[xX][0-9A-Fa-f]+|\d+")


class MissingArgument(Exception):
    """A flag at the end of the line lacks its argument; HAProxy finds this before anything else."""


class UsageError(Exception):
    """Not a command line of HAProxy: it answers with its version and its flags, exit code 1. The text is an alert."""


class FlagError(Exception):
    """An argument that cannot be read; the text is the alert."""


@dataclass(slots=True)
class Arguments:
    """What a command line says. Numbers are 0 where nothing was said."""

    files: list[str] = field(default_factory=list)
    show_version: bool = False
    show_build: bool = False
    check: bool = False
    condition: str | None = None
    directory: str | None = None
    verbose: bool = False
    quiet: bool = False
    daemon: bool = False
    foreground: bool = False
    debug: bool = False
    master_worker: bool = False
    systemd: bool = False
    pidfile: str | None = None
    maxconn: int = 0
    proxy_maxconn: int = 0
    memory: int = 0
    local_peer: str | None = None
    finish: list[int] = field(default_factory=list)
    terminate: list[int] = field(default_factory=list)
    old_socket: str | None = None
    master_socket: str | None = None
    dump_lines: bool = False
    dump_key: str = ""
    dump_keywords: list[str] = field(default_factory=list)
    dump_libraries: bool = False
    diagnostic: bool = False
    ignore_unresolved: bool = False
    zero_warning: bool = False
    memory_help: bool = False


def parse(words: Sequence[str]) -> Arguments:
    """The words after the program's name. Raises MissingArgument, UsageError, FlagError.

    `-v`, `-vv` and `-dMhelp` end the reading where they stand, as in HAProxy: what follows is not even looked at."""
    refuse_missing(words)
    arguments = Arguments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            raise UsageError
        flag = word[1:]
        if flag.startswith("v"):
            arguments.show_version = True
            arguments.show_build = flag.startswith("vv")
            return arguments
        if flag.startswith("d"):
            _debug(flag, arguments)
            if arguments.memory_help:
                return arguments
        elif flag.startswith("cc"):
            if not rest:
                raise UsageError
            arguments.condition = rest.pop(0)
        elif flag[:1] in _SWITCHES:
            for name in _SWITCHES[flag[0]]:
                setattr(arguments, name, True)
            arguments.systemd = arguments.systemd or flag.startswith("Ws")
        elif flag[:1] in ("x", "S"):
            if not rest:
                raise UsageError("Unix socket path expected with the -x flag\n")
            setattr(arguments, "old_socket" if flag[0] == "x" else "master_socket", rest.pop(0))
        elif flag.startswith(("sf", "st")):
            pids = arguments.finish if flag[1] == "f" else arguments.terminate
            while rest and not rest[0].startswith("-"):
                pids.append(_pid(flag[:2], rest.pop(0)))
        elif flag == "-":
            arguments.files.extend(rest)
            break
        elif flag[:1] and flag[0] in _ONE_ARGUMENT and rest:
            _with_argument(flag[0], rest.pop(0), arguments)
        else:
            raise UsageError
    return arguments


_SWITCHES = {
    "c": ("check",),
    "V": ("verbose",),
    "q": ("quiet",),
    "D": ("daemon",),
    "W": ("master_worker",),
}


def refuse_missing(words: Sequence[str]) -> None:
    """HAProxy first copies its arguments, and stumbles over a last flag without its argument: even before `-v`."""
    index = 0
    while index < len(words):
        flag = words[index][1:]
        if words[index] == "--":
            return
        if words[index].startswith("-") and flag[:1] and flag[0] in _ONE_ARGUMENT + "S":
            index += 1
            if index >= len(words):
                raise MissingArgument
        elif words[index].startswith("-x"):
            index += 1
        index += 1


def _debug(flag: str, arguments: Arguments) -> None:
    """The -d family: a second letter that means nothing leaves plain `-d`."""
    kind, rest = flag[1:2], flag[2:]
    if kind == "b":
        arguments.foreground = True
    elif kind == "D":
        arguments.diagnostic = True
    elif kind == "r":
        arguments.ignore_unresolved = True
    elif kind == "W":
        arguments.zero_warning = True
    elif kind == "L":
        arguments.dump_libraries = True
    elif kind == "C":
        arguments.dump_lines = True
        arguments.dump_key = rest
    elif kind == "K":
        arguments.dump_keywords.extend(rest.split(",") if rest else [])
    elif kind == "M":
        _memory(rest, arguments)
    elif kind == "" or kind not in _IGNORED_DEBUG:
        arguments.debug = True


def _memory(rest: str, arguments: Arguments) -> None:
    words = rest.split(",") if rest else []
    for index, word in enumerate(words):
        if word == "help":
            arguments.memory_help = True
            return
        if index == 0 and (word == "" or _POISON.fullmatch(word)):
            continue
        if not any(word in row[:2] for row in MEMORY_WORDS):
            raise FlagError(f"-dM: unknown pool debugging feature <{word}>")


def _with_argument(flag: str, value: str, arguments: Arguments) -> None:
    if flag == "f":
        arguments.files.append(value)
    elif flag == "C":
        arguments.directory = value
    elif flag == "L":
        arguments.local_peer = value
    elif flag == "p":
        arguments.pidfile = value
    elif flag == "n":
        arguments.maxconn = _number(value)
    elif flag == "N":
        arguments.proxy_maxconn = _number(value)
    else:
        arguments.memory = _number(value)


def _number(text: str) -> int:
    """As C's atol: the digits in front, 0 where there are none."""
    match = _NUMBER.match(text)
    return int(match[1]) if match else 0


def _pid(flag: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise FlagError(f"-{flag} option: some bytes unconsumed in PID list {{{text.lstrip('0123456789')}}}")
    if int(text) <= 0:
        raise UsageError
    return int(text)


def usage(program: str) -> str:
    """The help, for the standard error."""
    width = max(len(flag.text) for flag in FLAGS)
    lines = [
        f"Usage : {program} [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]",
        "        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]",
    ]
    for flag in FLAGS:
        mark = "" if flag.effect is Effect.WORKS else f" ({flag.effect.value})"
        lines.append(f"        {flag.text:<{width}}  {flag.summary}{mark}")
    lines.append("See `maniple --help` for maniple's own command line.")
    return "\n".join(lines) + "\n"
