"""Log lines: `log` of proxies and of the global section, the formats, the tag.

Owns: the syntax of a log target and the texts that `option httplog` and `tcplog` stand for. Must not know: how a line
is formatted or sent. Invariant: `no log` also forgets what the defaults said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ..addresses import Address, parse_address
from .drafts import GlobalDraft, ProxyDraft, Reading
from .keywords import ANY, FRONT, GLOBAL, GLOBAL_KEYWORDS, PROXY_KEYWORDS, setter
from .model import LogSpec, Place
from .statement import Refusal, Statement
from .values import Choice, Integer, Text

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"),
    *("auth2", "ftp", "ntp", "audit", "alert", "cron2"),
    *(f"local{number}" for number in range(8)),
)
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
LOG_FORMATS = ("rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw", "local")
SYSLOG_PORT = 514
_ALL = "it is written `log global`: facilities and levels are those of the lines `log` in the global section"
_USAGE = "<address> [len <length>] [format <format>] [sample <ranges>:<size>] <facility> [<level> [<minlevel>]]"

HTTP_LOG_FORMAT = (
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
)
TCP_LOG_FORMAT = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
JSON_LOG_FORMAT = "%{+json}o"
"""Stands for the whole object of `option httplog json` (report.json_log); the flag is no part of other formats."""
NAMED_FORMATS = {
    "httplog": HTTP_LOG_FORMAT,
    "httplog clf": (
        '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc '
        "%sq %bq %CC %CS %hrl %hsl"
    ),
    "httplog json": JSON_LOG_FORMAT,
    "tcplog": TCP_LOG_FORMAT,
    "tcplog clf": (
        '%{+Q}o %{-Q}ci - - [%T] "TCP " 000 %B "" "" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc '
        '%sq %bq "" "" '
    ),
}

_SAMPLE_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?", re.ASCII)


def parse_log(statement: Statement, reading: Reading) -> LogSpec:
    """The logger of one `log` line; Refusal with the word that is wrong."""
    words = list(statement.arguments)
    if len(words) < 2 or not words[0].text:
        raise Refusal(f"`log` expects {_USAGE}")
    first = words.pop(0)
    target, address = _parse_target(statement, reading)
    length, form = 1024, ""
    sample: tuple[tuple[int, int], ...] = ()
    size = 0
    if len(words) > 1 and words[0].text == "len":
        length = statement.read(words[1], Integer(80, 65535))
        del words[:2]
    if len(words) > 1 and words[0].text == "format":
        form = statement.read(words[1], Choice(LOG_FORMATS))
        del words[:2]
    if len(words) > 1 and words[0].text == "sample":
        try:
            sample, size = parse_sample(words[1].text)
        except ValueError as error:
            raise Refusal(f"`log ... sample {words[1].text}`: {error}", words[1]) from None
        del words[:2]
    if not words:
        raise Refusal(f"`log {first.text}`: a facility is expected", None, f"usage: log {_USAGE}")
    if words[0].text not in FACILITIES:
        message = f"`log {first.text}`: '{words[0].text}' is not a facility"
        raise Refusal(message, words[0], f"facilities are {', '.join(FACILITIES)}")
    levels = [7, 0]
    for index, word in enumerate(words[1:3]):
        if word.text not in LEVELS:
            raise Refusal(f"`log {first.text}`: '{word.text}' is not a level", word, f"levels are {', '.join(LEVELS)}")
        levels[index] = LEVELS.index(word.text)
    if len(words) > 3:
        raise Refusal(f"`log` cannot take the extra argument '{words[3].text}'", words[3], f"usage: log {_USAGE}")
    return LogSpec(
        statement.place,
        target,
        address,
        form,
        FACILITIES.index(words[0].text),
        levels[0],
        levels[1],
        length,
        sample,
        size,
    )


def _parse_target(statement: Statement, reading: Reading) -> tuple[str, str]:
    """The kind of target and its address as the model has them."""
    word = statement.arguments[0]
    if word.text in ("stdout", "stderr"):
        return word.text, ""
    if word.text.startswith("file@"):
        if len(word.text) == 5:
            raise Refusal("`log file@`: a path is expected", word)
        return "file", word.text[5:]
    if word.text.startswith(("ring@", "backend@", "tcp@", "tcp4@", "tcp6@")):
        kind = word.text.partition("@")[0]
        raise Refusal(f"HAProxy's log target `{kind}@` is not supported by maniple yet", word)
    try:
        address = reading.resolve(
            parse_address(reading.environment.expand(word.text), default_port=SYSLOG_PORT, datagram=True)
        )
    except ValueError as error:
        raise Refusal(f"`log`: {error}", word) from None
    return _target_of(address)


def _target_of(address: Address) -> tuple[str, str]:
    if address.kind == "fd":
        return "fd", address.host
    if address.kind == "abns":
        return "unix", "\0" + address.host
    if address.kind == "unix":
        return "unix", address.host
    host = address.host or ("127.0.0.1" if address.kind == "inet" else "::1")
    return "udp", f"[{host}]:{address.port_low}" if address.kind == "inet6" else f"{host}:{address.port_low}"


def parse_sample(text: str) -> tuple[tuple[tuple[int, int], ...], int]:
    """`1,3-4:6` -> (((1, 1), (3, 4)), 6). ValueError when malformed, overlapping or beyond the size."""
    listed, colon, size_text = text.rpartition(":")
    if not colon:
        raise ValueError("the size after a colon is missing")
    ranges: list[tuple[int, int]] = []
    for part in listed.split(","):
        match = _SAMPLE_RANGE.fullmatch(part)
        low = int(match[1]) if match else 0
        high = int(match[2] or match[1]) if match else 0
        if low < 1 or high < low:
            raise ValueError(f"'{part}' is not a position or a range of positions from 1 on")
        ranges.append((low, high))
    ranges.sort()
    if any(low <= previous[1] for previous, (low, _) in pairwise(ranges)):
        raise ValueError("ranges overlap")
    size = Integer(1).read(size_text)
    if size < ranges[-1][1]:
        raise ValueError(f"the size {size} is less than the highest position {ranges[-1][1]}")
    return tuple(ranges), size


def format_sample(sample: Sequence[tuple[int, int]], size: int) -> str:
    """The text that `parse_sample` reads back."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in sample) + f":{size}"


@GLOBAL_KEYWORDS.keyword(
    "log", GLOBAL, _USAGE, "A logger: stdout, stderr, fd@, file@, syslog by UDP or unix socket.",
    reader="log", arity=(0, -1), invertible=True,
)  # fmt: skip
def _global_log(statement: Statement, draft: GlobalDraft) -> None:
    if statement.inversion:
        statement.expect(0, 0, "")
        draft.set("logs", ())
        return
    if statement.text(0) == "global":
        raise Refusal("`log global` cannot stand in the global section", statement.arguments[0])
    draft.set("logs", (*draft.spec.logs, parse_log(statement, draft.reading)))


@PROXY_KEYWORDS.keyword(
    "log", ANY, "global | " + _USAGE, "A logger of the proxy's traffic, or all those of the global section.",
    reader="log", arity=(0, -1), invertible=True,
)  # fmt: skip
def _proxy_log(statement: Statement, draft: ProxyDraft) -> None:
    if statement.inversion:
        statement.expect(0, 0, "")
        draft.logs.clear()
    elif statement.text(0) == "global":
        if len(statement) > 1:
            word = statement.arguments[1]
            raise Refusal(f"`log global` cannot take the extra argument '{word.text}'", word, _ALL)
        draft.logs.append(None)
    else:
        draft.logs.append(parse_log(statement, draft.reading))


@PROXY_KEYWORDS.keyword("log-format", ANY, "<format>", "Format of the access log.", reader="log", arity=(0, -1))
def _log_format(statement: Statement, draft: ProxyDraft) -> None:
    draft.choose_log_format("text", _format_text(statement, draft), statement)


@PROXY_KEYWORDS.keyword(
    "error-log-format", FRONT, "<format>", "Format of the log of connection errors.", reader="log", arity=(0, -1)
)
def _error_log_format(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("error_log_format", _format_text(statement, draft))


@PROXY_KEYWORDS.keyword(
    "log-format-sd", FRONT, "<format>", "Structured data of lines to loggers of format rfc5424.",
    reader="log", arity=(0, -1),
)  # fmt: skip
def _log_format_sd(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("log_format_sd", _format_text(statement, draft))


def _format_text(statement: Statement, draft: ProxyDraft) -> str:
    if not statement.text(0):
        raise Refusal(f"`{statement.name}` expects <format>")
    if len(statement) > 1:
        raise Refusal(f"`{statement.name}` takes one argument: quote it or escape its spaces", statement.arguments[1])
    word = statement.arguments[0]
    place = Place(statement.file, statement.line, word.start)
    draft.set("format_places", {**draft.spec.format_places, statement.name: place})
    return statement.text(0)


_TAG = "Name that syslog lines carry instead of haproxy."
PROXY_KEYWORDS.keyword("log-tag", ANY, "<tag>", _TAG, reader="log")(setter("log_tag", Text("tag")))
GLOBAL_KEYWORDS.keyword("log-tag", GLOBAL, "<tag>", _TAG, reader="log")(setter("log_tag", Text("tag")))


@GLOBAL_KEYWORDS.keyword(
    "log-send-hostname", GLOBAL, "[<name>]", "Syslog lines carry this host name, or the machine's.",
    reader="log", arity=(0, 1), once=True,
)  # fmt: skip
def _log_send_hostname(statement: Statement, draft: GlobalDraft) -> None:
    draft.set("log_send_hostname", statement.text(0))
