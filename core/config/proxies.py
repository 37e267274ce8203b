"""The keywords of proxies that have no file of their own: mode, balance, limits, error pages, identity, pools.

Owns: their syntax. Must not know: rules that need other sections (resolve). Invariant: a keyword that HAProxy ignores
in the wrong kind of section is a warning there, as HAProxy says it; which ones is in the registry, not here.
"""

from __future__ import annotations

import re

from .drafts import ErrorLine, ProxyDraft, Reading
from .keywords import ANY, BACK, FRONT, Keyword, State, fixed, nearest, setter
from .keywords import PROXY_KEYWORDS as TABLE
from .lexer import Word
from .model import BalanceSpec, ErrorFileSpec
from .server import parse_source
from .statement import Refusal, Statement
from .values import Choice, Duration, Integer, Text

NAMED = ANY - {"defaults"}
ERROR_STATUSES = (
    200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
)  # fmt: skip
"""Statuses whose built-in reply can be replaced."""

ALGORITHMS = ("roundrobin", "static-rr", "leastconn", "first", "random")
_LATER_ALGORITHMS = ("source", "uri", "url_param", "hdr", "rdp-cookie", "hash", "log-hash", "sticky", "log-sticky")
_ALGORITHM = re.compile(r"([A-Za-z0-9_.-]+)(?:\((.*)\))?")
DEFAULT_DRAWS = 2


@TABLE.keyword("mode", ANY, "{tcp|http}", "Protocol of the proxy; tcp where nothing is said.", reader="relay")
def _mode(statement: Statement, draft: ProxyDraft) -> None:
    word = statement.text(0)
    if word in ("log", "spop", "haterm"):
        raise Refusal(f"HAProxy's `mode {word}` is not supported by maniple yet", statement.arguments[0])
    if word == "health":
        raise Refusal("`mode health` was removed from HAProxy", statement.arguments[0])
    draft.set("mode", statement.value(0, Choice(("tcp", "http"))))


@TABLE.keyword(
    "balance", BACK, "<algorithm> [<argument>...]", "How a server is chosen.", reader="balance", arity=(0, -1)
)
def _balance(statement: Statement, draft: ProxyDraft) -> None:
    if not len(statement):
        draft.set("balance", BalanceSpec(place=statement.place))
        return
    word = statement.arguments[0]
    match = _ALGORITHM.fullmatch(word.text)
    name = match[1] if match else word.text
    if name in _LATER_ALGORITHMS:
        raise Refusal(f"HAProxy's `balance {name}` is not supported by maniple yet", word)
    if match is None or name not in ALGORITHMS:
        hint = nearest(name, ALGORITHMS) or f"algorithms are {', '.join(ALGORITHMS)}"
        raise Refusal(f"`balance`: unknown algorithm '{word.text}'", word, hint)
    arguments: tuple[str, ...] = ()
    if name == "random":
        arguments = (str(_draws(statement, match[2])),)
    elif match[2] is not None:
        raise Refusal(f"`balance {name}` takes no argument in parentheses", word)
    for extra in statement.arguments[1:]:
        statement.warn(f"`balance {name}` takes no argument: '{extra.text}' is ignored", extra)
    draft.set("balance", BalanceSpec(name, arguments, statement.place))


def _draws(statement: Statement, text: str | None) -> int:
    """The number in `random(n)`."""
    if text is None:
        return DEFAULT_DRAWS
    try:
        return int(Integer(1).read(text))
    except ValueError as error:
        raise Refusal(f"`balance random`: number of draws '{text}': {error}", statement.arguments[0]) from None


@TABLE.keyword("retries", BACK, "<number>", "Attempts after the first that fails to connect.", reader="relay")
def _retries(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("retries", statement.value(0, Integer()))


@TABLE.keyword(
    "default_backend", FRONT, "<backend>", "Backend of requests that no rule sends elsewhere.", reader="build"
)
def _default_backend(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("default_backend", statement.value(0, Text("backend")))
    draft.written["default_backend"] = statement.place_of(statement.arguments[0])


@TABLE.keyword(
    "id",
    NAMED,
    "<1..>",
    "Number of the proxy in statistics, unique among all.",
    reader="steward",
    state=State.ACCEPTED,
    strict=True,
)
def _id(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("id", statement.value(0, Integer(1)))
    draft.written["id"] = statement.place_of(statement.arguments[0])


@TABLE.keyword(
    "description",
    NAMED,
    "<text>",
    "A sentence shown in statistics.",
    reader="steward",
    arity=(1, -1),
    state=State.ACCEPTED,
    strict=True,
)
def _description(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("description", " ".join(statement.texts))


@TABLE.keyword(
    "http-reuse", BACK, "{never|safe|aggressive|always}", "Which requests may use an idle connection.", reader="pools"
)
def _http_reuse(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("http_reuse", statement.value(0, Choice(("never", "safe", "aggressive", "always"))))


@TABLE.keyword(
    "errorfile", ANY, "<status> <file>", "File with the whole reply for a status.", reader="relay", arity=(2, 2)
)
def _errorfile(statement: Statement, draft: ProxyDraft) -> None:
    _set_reply(statement, draft, *read_page(statement, draft.reading))


def read_page(statement: Statement, reading: Reading) -> tuple[int, ErrorFileSpec]:
    """Status and page of an `errorfile` line. Refusal."""
    status, word = error_status(statement, statement.arguments[0]), statement.arguments[1]
    try:
        content = reading.read_file(word.text)
    except OSError as error:
        raise Refusal(f"`errorfile {status}`: cannot read '{word.text}': {error.strerror or error}", word) from None
    if content and not (content.startswith(b"HTTP/1.") and (b"\r\n\r\n" in content or b"\n\n" in content)):
        raise Refusal(f"`errorfile {status}`: '{word.text}' is not a whole HTTP response", word)
    return status, ErrorFileSpec("file", word.text, content)


def error_status(statement: Statement, word: Word) -> int:
    """A status that has a built-in reply. Refusal."""
    status = statement.read(word, Integer(None))
    if status not in ERROR_STATUSES:
        listed = ", ".join(map(str, ERROR_STATUSES))
        raise Refusal(f"`{statement.name}`: no built-in reply has status {word.text}", word, f"statuses are {listed}")
    return int(status)


def _set_reply(statement: Statement, draft: ProxyDraft, status: int, reply: ErrorFileSpec) -> None:
    draft.error_lines.append(ErrorLine(statement.place, (status,), reply))


def _errorloc(statement: Statement, draft: ProxyDraft) -> None:
    kind = "303" if statement.name == "errorloc303" else "302"
    url = statement.value(1, Text("url"))
    _set_reply(statement, draft, error_status(statement, statement.arguments[0]), ErrorFileSpec(kind, url))


for _name in ("errorloc", "errorloc302", "errorloc303"):
    _code = "303" if _name == "errorloc303" else "302"
    TABLE.add(
        Keyword(_name, ANY, "<status> <url>", f"Redirect with {_code} instead of a reply.", "relay", _errorloc, 2, 2)
    )


@TABLE.keyword(
    "source", BACK, "<address>[:<port>]", "Address to connect to servers from.", reader="sockets", arity=(0, -1)
)
def _source(statement: Statement, draft: ProxyDraft) -> None:
    for extra in statement.arguments[1:]:
        if extra.text in ("usesrc", "interface"):
            raise Refusal(f"HAProxy's `source ... {extra.text}` is not supported by maniple yet", extra)
        raise Refusal(f"`source` cannot take the extra argument '{extra.text}'", extra)
    draft.set("source", parse_source(statement, ranges=False))


def _pool(field: str, kind: Integer | Duration, name: str, summary: str) -> None:
    def read(statement: Statement, draft: ProxyDraft) -> None:
        draft.pools[field] = statement.value(0, kind)

    TABLE.add(Keyword(name, BACK, kind.shape, summary, "pools", read))


_pool("pool_min", Integer(), "pool-min-conn", "Ours: the same word of all servers that do not say it themselves.")
_pool("pool_half_life", Duration(1), "pool-half-life", "Ours: the same word of all servers that do not say it.")
_pool("pool_purge_batches", Integer(1), "pool-purge-batches", "Ours: the same word of all servers that do not say it.")

TABLE.keyword("maxconn", FRONT, "<number>", "Most concurrent connections; 0: the global one.", reader="relay")(
    setter("maxconn", Integer())
)
TABLE.keyword("backlog", FRONT, "<number>", "Length of the queue of connections not accepted yet.", reader="sockets")(
    setter("backlog", Integer())
)
TABLE.keyword(
    "fullconn", BACK, "<number>", "Load at which a server's maxconn is reached from minconn.", reader="balance"
)(setter("fullconn", Integer()))
TABLE.keyword("monitor-uri", FRONT, "<uri>", "Path answered with 200 without a server.", reader="relay")(
    setter("monitor_uri", Text("uri"))
)
TABLE.keyword("disabled", ANY, "", "The proxy is read but not started.", reader="build")(fixed("disabled", True))
TABLE.keyword("enabled", ANY, "", "Undo `disabled` of a defaults section.", reader="build")(fixed("disabled", False))
