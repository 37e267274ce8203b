"""The flags of `maniple run` as lines of the configuration language.

Owns: which line a flag is, and which sections of the files it goes to. Must not know: how lines are read, how the
result is run. Invariant: a flag is nothing but text that the one parser reads after the files, so it is checked as a
file is, its complaints name "<command line>", and a flag wins because the last line wins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.config import parser, sections
from ..core.config.diagnostics import Diagnostics
from ..core.config.environment import Environment
from ..core.config.keywords import GLOBAL_KEYWORDS, OPTIONS, PROXY_KEYWORDS, nearest
from ..core.config.lexer import Word
from ..core.config.model import Configuration

PLACE = "<command line>"
BUILT_IN = "<built in>"
NAME = "maniple"
"""The one section that there is without a file."""

FRONTS = frozenset(("frontend", "listen"))
BACKS = frozenset(("backend", "listen"))

WITHOUT_FILE = """\
defaults
    mode {mode}
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    timeout http-request 10s
    timeout http-keep-alive 10s
{log}listen {name}
"""
"""What flags are added to when there is no file. The long timeouts are those of the examples in HAProxy's manual."""


class FlagError(Exception):
    """Flags that do not fit the files; the text says which and what would."""


@dataclass(frozen=True, slots=True)
class FlagLine:
    """A line of configuration and the kinds of section that it goes to; `name` narrows it to one."""

    text: str
    kinds: frozenset[str]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RunFlags:
    """What was said. Texts are in the configuration language; "" and () stand for nothing said."""

    files: Sequence[str] = ()
    binds: Sequence[str] = ()
    servers: Sequence[str] = ()
    frontend: str = ""
    backend: str = ""
    mode: str = ""
    balance: str = ""
    http_reuse: str = ""
    timeouts: Sequence[str] = ()
    logs: Sequence[str] = ()
    nbgroup: str = ""
    nbthread: str = ""
    maxconn: str = ""
    lines: Sequence[str] = ()
    global_lines: Sequence[str] = ()


def load(flags: RunFlags, environment: Mapping[str, str] | None = None) -> tuple[Configuration | None, Diagnostics]:
    """The configuration of files and flags, None where there are errors. Raises FlagError."""
    from ..core.report.examination import examine

    environment = os.environ if environment is None else environment
    if not flags.files:
        if not flags.binds:
            raise FlagError("nothing to listen on: give --bind ADDRESS, or a file with -f")
        if not flags.servers:
            raise FlagError("no server: give --server NAME=HOST:PORT, or a file with -f")
        mode = flags.mode or "http"
        # Without a `log` line the option would have no effect, and be warned of.
        log = f"    option {'tcplog' if mode == 'tcp' else 'httplog'}\n" if flags.logs else ""
        text = WITHOUT_FILE.format(mode=mode, log=log, name=NAME)
        additions = as_additions(flag_lines(flags, NAME, NAME))
        return parser.load([(BUILT_IN, text)], Environment(environment), additions=additions, examine=examine)
    around = Environment(environment, files=flags.files)
    configuration, diagnostics = parser.load_files(flags.files, around, examine=examine)
    if configuration is None:
        return None, diagnostics
    frontend = _target("--bind", "--frontend", flags.frontend, FRONTS, configuration) if flags.binds else ""
    backend = _target("--server", "--backend", flags.backend, BACKS, configuration) if flags.servers else ""
    lines = flag_lines(flags, frontend, backend)
    if not lines:
        return configuration, diagnostics
    # Read anew with the flags: what a section takes from others (maxconn, timeouts) must follow from the flags too.
    around = Environment(environment, files=flags.files)
    return parser.load_files(flags.files, around, additions=as_additions(lines), examine=examine)


def flag_lines(flags: RunFlags, frontend: str, backend: str) -> list[FlagLine]:
    """One line for each flag. `frontend` and `backend` are where new addresses and servers go."""
    lines = [
        FlagLine(f"{keyword} {value}", frozenset(("global",)))
        for keyword, value in (("nbgroup", flags.nbgroup), ("nbthread", flags.nbthread), ("maxconn", flags.maxconn))
        if value
    ]
    lines += [_global_line(text) for text in flags.global_lines]
    lines += [FlagLine(f"bind {text}", FRONTS, frontend) for text in flags.binds]
    lines += [FlagLine(_server_line(text, number), BACKS, backend) for number, text in enumerate(flags.servers, 1)]
    lines += [FlagLine(f"log {_log_words(text)}", FRONTS) for text in flags.logs]
    for keyword, value in (("mode", flags.mode), ("balance", flags.balance), ("http-reuse", flags.http_reuse)):
        if value:
            lines.append(_proxy_line(f"{keyword} {value}"))
    lines += [_proxy_line(f"timeout {text.replace('=', ' ', 1)}") for text in flags.timeouts]
    lines += [_proxy_line(text) for text in flags.lines]
    # One flag is one line, and a line feed in it must not begin another.
    return [FlagLine(line.text.replace("\n", " ").replace("\r", " "), line.kinds, line.name) for line in lines]


def as_additions(lines: Sequence[FlagLine]) -> parser.Additions:
    def wanted(number: int, kind: str, name: str) -> bool:
        line = lines[number - 1]
        return kind in line.kinds and line.name in (None, name)

    return parser.Additions(PLACE, [line.text for line in lines], wanted)


def _global_line(text: str) -> FlagLine:
    words = text.split()
    if not words or words[0] in sections.SECTIONS:
        raise FlagError(f"--global '{text}': expects a line of the global section")
    return FlagLine(text, frozenset(("global",)))


def _proxy_line(text: str) -> FlagLine:
    """The line for every section where its keyword belongs. A keyword that nobody reads is a FlagError: it would belong
    nowhere, and so be ignored."""
    words = [Word(word, 1) for word in text.split()]
    while words and words[0].text in ("no", "default"):
        words = words[1:]
    if not words:
        raise FlagError(f"--set '{text}': nothing to set")
    option = words[0].text == "option" and len(words) > 1
    found = OPTIONS.find(words[1:]) if option else PROXY_KEYWORDS.find(words)
    if found is None:
        name = f"option {words[1].text}" if option else words[0].text
        if not option and GLOBAL_KEYWORDS.find(words) is not None:
            raise FlagError(f"--set '{text}': `{name}` belongs in the global section: use --global")
        hint = nearest(words[int(option)].text, OPTIONS.names() if option else PROXY_KEYWORDS.names())
        raise FlagError(f"--set '{text}': maniple has no keyword `{name}`{'; ' if hint else ''}{hint}")
    return FlagLine(text, found[0].sections & (FRONTS | BACKS))


def _server_line(text: str, number: int) -> str:
    """`a=10.0.0.1:80 weight 2` as a server line; a server without a name is named after its place."""
    first, _, words = text.strip().partition(" ")
    name, equals, address = first.partition("=")
    if not equals:
        name, address = f"server{number}", first
    return f"server {name} {address} {words}".rstrip()


def _log_words(text: str) -> str:
    """`stdout` alone is short for what a person at a terminal wants; anything else is as after `log` in a file."""
    words = text.split()
    if len(words) == 1:
        plain = words[0] in ("stdout", "stderr") or words[0].startswith("fd@")
        return f"{words[0]} format raw local0" if plain else f"{words[0]} local0"
    return text


def _target(flag: str, option: str, name: str, kinds: frozenset[str], configuration: Configuration) -> str:
    """The section that `flag` adds to: the one named, or the only one there is."""
    names = [proxy.name for proxy in configuration.proxies if proxy.kind in kinds]
    if name:
        if name not in names:
            raise FlagError(f"{option} {name}: the files have no such section; there are: {', '.join(names) or 'none'}")
        return name
    if len(names) == 1:
        return names[0]
    if not names:
        raise FlagError(f"{flag}: the files have no section that it could add to")
    raise FlagError(f"{flag}: which one? Say {option} with one of: {', '.join(names)}")
