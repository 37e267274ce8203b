"""The `option` lines of proxies (manual 4.2 "option ...").

Owns: the table of options: sides, mode, whether `no` may stand before them. Must not know: what the relay does with
one. Invariants: an option without arguments is a name in `ProxySpec.options`, one that was switched off explicitly a
name in `no_options`; never in both.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from .drafts import ProxyDraft
from .keywords import ANY, BACK, FRONT, OPTIONS, Keyword, State
from .model import ForwardForSpec
from .statement import Refusal, Statement
from .values import Integer

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)


def _switch(statement: Statement, draft: ProxyDraft) -> None:
    """Turn a plain option on, off, or back to its default."""
    name = statement.name.removeprefix("option ")
    spec = draft.spec
    on, off = spec.options - {name}, spec.no_options - {name}
    if statement.inversion == "":
        on |= {name}
    elif statement.inversion == "no":
        off |= {name}
    draft.spec = replace(spec, options=on, no_options=off)


def _plain(
    name: str,
    sections: frozenset[str],
    summary: str,
    reader: str,
    *,
    http_only: bool = False,
    invertible: bool = True,
    state: State = State.IN_FORCE,
) -> None:
    OPTIONS.add(
        Keyword(name, sections, "", summary, reader, _switch, 0, 0, state, invertible=invertible, http_only=http_only)
    )


_plain("abortonclose", BACK, "Drop a waiting request whose client has gone.", "relay")
_plain("allbackups", BACK, "Use all backup servers at a time, not the first one.", "balance")
_plain("backup-on-full", BACK, "Ours: requests go to the backup backend, too, when all servers are full.", "relay")
_plain("http-buffer-request", ANY, "Wait for a request's body before http-request rules.", "rules", http_only=True)
_plain("clitcpka", FRONT, "TCP keep-alive packets to clients.", "sockets")
_plain("srvtcpka", BACK, "TCP keep-alive packets to servers.", "sockets")
_plain("dontlog-normal", FRONT, "Log only what ended with an error, a time-out, a retry or a 5xx.", "log")
_plain("log-separate-errors", FRONT, "Log what did not end well with level err instead of info.", "log")
_plain("logasap", FRONT, "Log when the response begins, not when it ends.", "log")
_plain("dontlognull", FRONT, "No log line for a connection without data.", "log")
_plain(
    "http-ignore-probes", FRONT, "Answer nothing to a client that closes or stalls silently.", "relay", http_only=True
)
_plain(
    "idle-close-on-response",
    FRONT,
    "In a soft stop, close an idle client after its next response only.",
    "relay",
    http_only=True,
)
_plain("http-no-delay", ANY, "Pass small pieces on at once: always done, with it or without.", "relay", http_only=True)
_plain("prefer-last-server", BACK, "Keep a client's requests on the server it had last.", "balance", http_only=True)
_plain(
    "persist",
    BACK,
    "Send a request to the server of its cookie though it is down.",
    "persistence",
)
_plain("log-health-checks", BACK, "Log every result of a health check.", "checks", state=State.ACCEPTED)
_plain(
    "accept-unsafe-violations-in-http-request",
    FRONT,
    "Let requests through that break the syntax in known ways.",
    "http",
    http_only=True,
)
_plain(
    "accept-unsafe-violations-in-http-response",
    BACK,
    "Let responses through that break the syntax in known ways.",
    "http",
    http_only=True,
)


def _older_name(statement: Statement, draft: ProxyDraft) -> None:
    """HAProxy's names before 3.1 of the two options above."""
    side = statement.name.rpartition("-")[2]
    newer = Statement(
        statement.file,
        statement.line,
        f"option accept-unsafe-violations-in-http-{side}",
        statement.word,
        (),
        statement.diagnostics,
        statement.inversion,
    )
    _switch(newer, draft)


for _side, _sections in (("request", FRONT), ("response", BACK)):
    OPTIONS.add(
        Keyword(
            f"accept-invalid-http-{_side}",
            _sections,
            "",
            f"Older name of accept-unsafe-violations-in-http-{_side}.",
            "http",
            _older_name,
            0,
            0,
            invertible=True,
            http_only=True,
        )
    )

_CLOSE_MODES = {"httpclose": "close", "http-server-close": "server-close", "http-keep-alive": "keep-alive"}


def _close_mode(statement: Statement, draft: ProxyDraft) -> None:
    """The last one written wins; `no` or `default` puts keep-alive back if it names the mode that is set."""
    mode = _CLOSE_MODES[statement.name.removeprefix("option ")]
    if statement.inversion == "":
        draft.set("close_mode", mode)
    elif draft.spec.close_mode == mode:
        draft.set("close_mode", "keep-alive")


for _name, _summary in (
    ("httpclose", "Close both connections after each response."),
    ("http-server-close", "Close the server's connection after each response."),
    ("http-keep-alive", "Keep both connections open (the default)."),
):
    OPTIONS.add(Keyword(_name, ANY, "", _summary, "relay", _close_mode, 0, 0, invertible=True))


@OPTIONS.keyword("tcpka", ANY, "", "TCP keep-alive packets to clients and servers.", reader="sockets")
def _tcpka(statement: Statement, draft: ProxyDraft) -> None:
    names = {"clitcpka"} if draft.kind in FRONT else set()
    names |= {"srvtcpka"} if draft.kind in BACK else set()
    spec = draft.spec
    draft.spec = replace(spec, options=spec.options | names, no_options=spec.no_options - names)


@OPTIONS.keyword(
    "redispatch",
    BACK,
    "[<interval>]",
    "Send a retry to another server: every n-th, -n: the n-th before the last, 0: never.",
    reader="relay",
    arity=(0, 1),
    invertible=True,
)
def _redispatch(statement: Statement, draft: ProxyDraft) -> None:
    if statement.inversion:
        draft.set("redispatch", 0)
    else:
        draft.set("redispatch", statement.value(0, Integer(None)) if len(statement) else -1)


@OPTIONS.keyword(
    "forwardfor",
    ANY,
    "[except <network>] [header <name>] [if-none]",
    "Tell the server the client's address in a header.",
    reader="relay",
    arity=(0, -1),
    http_only=True,
)
def _forwardfor(statement: Statement, draft: ProxyDraft) -> None:
    spec = ForwardForSpec()
    words = list(statement.arguments)
    while words:
        word = words.pop(0)
        if word.text == "if-none":
            spec = replace(spec, if_none=True)
            continue
        if word.text not in ("except", "header"):
            raise Refusal(f"`option forwardfor` takes except, header and if-none, not '{word.text}'", word)
        if not words:
            expected = "<network>" if word.text == "except" else "<name>"
            raise Refusal(f"`option forwardfor {word.text}` expects {expected}", word)
        argument = words.pop(0)
        if word.text == "except":
            try:
                spec = replace(spec, except_net=str(ipaddress.ip_network(argument.text, strict=False)))
            except ValueError:
                message = f"`except {argument.text}`: an address, with /mask or without, is expected"
                raise Refusal(message, argument) from None
        else:
            if not _HEADER_NAME.fullmatch(argument.text):
                raise Refusal(f"`header {argument.text}`: not the name of a header", argument)
            spec = replace(spec, header=argument.text, header_written=True)
    draft.set("forwardfor", spec)


@OPTIONS.keyword(
    "httplog", FRONT, "[clf|json]", "Log requests in HAProxy's HTTP format; json (ours): as objects.",
    reader="log", arity=(0, 1),
)  # fmt: skip
def _httplog(statement: Statement, draft: ProxyDraft) -> None:
    if len(statement) and statement.text(0) not in ("clf", "json"):
        raise Refusal("`option httplog` takes one of the words clf and json", statement.arguments[0])
    draft.choose_log_format(f"httplog {statement.text(0)}".rstrip(), "", statement)


@OPTIONS.keyword("tcplog", FRONT, "[clf]", "Log connections in HAProxy's TCP format.", reader="log", arity=(0, 1))
def _tcplog(statement: Statement, draft: ProxyDraft) -> None:
    if len(statement) and statement.text(0) != "clf":
        raise Refusal("`option tcplog` takes the word clf only", statement.arguments[0])
    draft.choose_log_format("tcplog clf" if len(statement) else "tcplog", "", statement)
