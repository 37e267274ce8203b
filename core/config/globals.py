"""The keywords of the global section (manual 3), but those of logs and of CPU placement.

Owns: their syntax, and which of them keep their first value when written twice. Must not know: processes and sockets.
Invariant: repeated global sections merge; numbers are checked against HAProxy's ranges, with our own higher limits for
threads and groups.
"""

from __future__ import annotations

import re

from .bind import group_number, user_number
from .control import read_control
from .drafts import GlobalDraft
from .keywords import GLOBAL, Keyword, State, setter
from .keywords import GLOBAL_KEYWORDS as TABLE
from .statement import Refusal, Statement
from .threads import MAX_GROUPS, MAX_THREADS
from .values import Choice, Duration, Integer, Mapped, Size, Text, Value

_NODE = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


_SHARDS = Choice(("by-process", "by-thread", "by-group"))


def _default_shards(text: str) -> str:
    return "1" if _SHARDS.read(text) == "by-process" else text


def _setting(
    name: str,
    field: str,
    kind: Value,
    summary: str,
    reader: str,
    *,
    once: bool = False,
    state: State = State.IN_FORCE,
) -> None:
    TABLE.add(Keyword(name, GLOBAL, kind.shape, summary, reader, setter(field, kind), state=state, once=once))


_setting("maxconn", "maxconn", Integer(), "Most concurrent connections of the process.", "relay", once=True)
_setting("nbthread", "nbthread", Integer(1, MAX_THREADS), "Event loops in all; groups divide them.", "groups")
_setting("pidfile", "pidfile", Text("path"), "File that the supervisor's pid is written to.", "supervisor", once=True)
_setting("hard-stop-after", "hard_stop_after", Duration(), "Longest soft stop.", "supervisor")
_setting("grace", "grace", Duration(), "Time between a soft stop and its first effect.", "supervisor")
_setting("chroot", "chroot", Text("directory"), "Directory that groups are locked into.", "groups", once=True)
_setting(
    "mworker-max-reloads", "max_reloads", Integer(), "Reloads that an old group may survive.", "supervisor", once=True
)
_setting("ulimit-n", "ulimit_n", Integer(), "Limit of open files.", "supervisor", once=True)
_setting("tune.bufsize", "tune.bufsize", Size(1), "Bytes that the head of a message must fit, maxrewrite less.", "http")
_setting("tune.maxrewrite", "tune.maxrewrite", Size(), "Bytes kept free for rewriting a head.", "http")
_setting("tune.http.maxhdr", "tune.maxhdr", Integer(1, 32767), "Most header fields of a message.", "http")
_setting("tune.http.cookielen", "tune.cookielen", Integer(1), "Bytes of a captured cookie in a log line.", "log")
_setting("tune.http.logurilen", "tune.logurilen", Integer(1), "Bytes of a request line in a log line.", "log")
_setting(
    "tune.http.head-cache", "tune.head_cache", Integer(), "Ours: header blocks remembered per thread; 0: none.", "http"
)
for _scope in ("global", "proc", "sess", "txn", "reqres"):
    _setting(f"tune.vars.{_scope}-max-size", f"tune.vars_{_scope}", Size(), "Bytes of variables of rules.", "rules")
_setting(
    "tune.stick-counters",
    "tune.stick_counters",
    Integer(0, 255),
    "Sets of counters (sc0, sc1, ...) that a session or a request may track.",
    "rules",
)
_setting(
    "tune.maxaccept",
    "tune.maxaccept",
    Integer(-1),
    "Connections accepted in a row.",
    "relay",
    once=True,
    state=State.ACCEPTED,
)
_setting(
    "tune.idletimer",
    "tune.idletimer",
    Duration(0, 65535),
    "Time after which a stream counts as idle.",
    "relay",
    state=State.ACCEPTED,
)
_setting(
    "tune.listener.balance",
    "tune.listener_balance",
    Choice(("hash", "least", "cpu")),
    "Ours: which thread gets a connection: by the kernel's hash, the least loaded, or that of the CPU it came in on.",
    "groups",
)
_setting(
    "tune.listener.default-shards",
    "tune.default_shards",
    Mapped("shards", _default_shards),
    "Sockets of an address whose bind line has no `shards`.",
    "groups",
)
_setting(
    "tune.watchdog.warn",
    "tune.watchdog_warn",
    Duration(),
    "Ours: time without a turn of a thread's loop until it is warned of; 0: never.",
    "supervisor",
)
_setting(
    "tune.watchdog.kill",
    "tune.watchdog_kill",
    Duration(),
    "Ours: time until the group of such a thread is ended; 0: never.",
    "supervisor",
)
for _side in ("client", "server"):
    for _what, _text in (("rcvbuf", "receive"), ("sndbuf", "send")):
        _setting(
            f"tune.{_what}.{_side}",
            f"tune.{_what}_{_side}",
            Size(),
            f"Kernel {_text} buffer of {_side} sockets.",
            "sockets",
            once=True,
            state=State.ACCEPTED,
        )


def _groups(statement: Statement, draft: GlobalDraft) -> None:
    if statement.text(0) == "auto":
        draft.set("nbgroup", None)
    else:
        draft.set("nbgroup", statement.value(0, Integer(1, MAX_GROUPS)))


TABLE.add(
    Keyword(
        "nbgroup", GLOBAL, "<1..256>|auto", "Ours: processes that the threads are divided among.", "groups", _groups
    )
)
TABLE.add(Keyword("thread-groups", GLOBAL, "<1..256>|auto", "HAProxy's name of nbgroup.", "groups", _groups))


@TABLE.keyword("user", GLOBAL, "<name>", "User to become, by name.", reader="supervisor")
def _user(statement: Statement, draft: GlobalDraft) -> None:
    _identity(statement, draft, "user", "uid")


@TABLE.keyword("group", GLOBAL, "<name>", "Group to become, by name.", reader="supervisor")
def _group(statement: Statement, draft: GlobalDraft) -> None:
    _identity(statement, draft, "group", "gid")


@TABLE.keyword("uid", GLOBAL, "<number>", "User to become, by number.", reader="supervisor")
def _uid(statement: Statement, draft: GlobalDraft) -> None:
    _identity(statement, draft, "user", "uid")


@TABLE.keyword("gid", GLOBAL, "<number>", "Group to become, by number.", reader="supervisor")
def _gid(statement: Statement, draft: GlobalDraft) -> None:
    _identity(statement, draft, "group", "gid")


def _identity(statement: Statement, draft: GlobalDraft, name: str, number: str) -> None:
    """`user` and `uid` are one setting, `group` and `gid` another; the first line of each counts."""
    if statement.name == number:
        value = statement.value(0, Integer())
    else:
        value = statement.value(0, Mapped("name", user_number if name == "user" else group_number))
    if getattr(draft.spec, number) is not None:
        statement.warn(f"`{name}` or `{number}` was already specified: the first one is kept")
        return
    draft.set(number, value)
    if statement.name == name:
        draft.set(name, statement.text(0))


@TABLE.keyword("daemon", GLOBAL, "", "Go to the background.", reader="supervisor")
def _daemon(statement: Statement, draft: GlobalDraft) -> None:
    draft.set("daemon", True)


@TABLE.keyword(
    "description",
    GLOBAL,
    "<text>",
    "A sentence shown in statistics.",
    reader="steward",
    arity=(1, -1),
    state=State.ACCEPTED,
)
def _description(statement: Statement, draft: GlobalDraft) -> None:
    draft.set("description", " ".join(statement.texts))


def _accept(statement: Statement, draft: GlobalDraft) -> None:
    """What it would allow is allowed."""


for _name in ("expose-experimental-directives", "expose-deprecated-directives"):
    TABLE.keyword(_name, GLOBAL, "", "Allow certain keywords; maniple has no such ones.", reader="parser")(_accept)


@TABLE.keyword("node", GLOBAL, "<name>", "Name of this instance in statistics.", reader="steward", state=State.ACCEPTED)
def _node(statement: Statement, draft: GlobalDraft) -> None:
    if not _NODE.fullmatch(statement.text(0)):
        raise Refusal("`node` expects letters, digits, dots, hyphens and underscores", statement.arguments[0])
    draft.set("node", statement.text(0))


@TABLE.keyword(
    "stats socket",
    GLOBAL,
    "<address> [mode <octal>] [user <name>] [group <name>] [level user|operator|admin] [expose-fd listeners]",
    "Socket of the runtime commands; may be repeated.",
    reader="supervisor",
    arity=(1, -1),
)
def _stats_socket(statement: Statement, draft: GlobalDraft) -> None:
    try:
        spec, ignored = read_control(statement.texts, statement.place)
    except ValueError as error:
        raise Refusal(f"`stats socket`: {error}") from None
    for text in ignored:
        statement.warn(f"`stats socket`: `{text}` has no effect")
    draft.set("controls", (*draft.spec.controls, spec))
    _remember_stats(statement, draft)


@TABLE.keyword("stats timeout", GLOBAL, "<time>", "Inactivity of a runtime connection.", reader="supervisor")
def _stats_timeout(statement: Statement, draft: GlobalDraft) -> None:
    draft.set("control_timeout", statement.value(0, Duration(1)))
    _remember_stats(statement, draft)


@TABLE.keyword("stats maxconn", GLOBAL, "<number>", "Most runtime connections at a time.", reader="supervisor")
def _stats_maxconn(statement: Statement, draft: GlobalDraft) -> None:
    draft.set("control_maxconn", statement.value(0, Integer(1)))
    _remember_stats(statement, draft)


def _remember_stats(statement: Statement, draft: GlobalDraft) -> None:
    words = (statement.name.removeprefix("stats "), *statement.texts)
    draft.set("stats_lines", (*draft.spec.stats_lines, words))


@TABLE.keyword("setenv", GLOBAL, "<name> <value>", "Set a variable for the lines below.", reader="parser", arity=(2, 2))
def _setenv(statement: Statement, draft: GlobalDraft) -> None:
    _environment(statement, draft)


@TABLE.keyword("presetenv", GLOBAL, "<name> <value>", "Set a variable unless it is set.", reader="parser", arity=(2, 2))
def _presetenv(statement: Statement, draft: GlobalDraft) -> None:
    _environment(statement, draft)


@TABLE.keyword("unsetenv", GLOBAL, "<name>...", "Forget variables.", reader="parser", arity=(1, -1))
def _unsetenv(statement: Statement, draft: GlobalDraft) -> None:
    _environment(statement, draft)


@TABLE.keyword("resetenv", GLOBAL, "[<name>...]", "Forget all variables but these.", reader="parser", arity=(0, -1))
def _resetenv(statement: Statement, draft: GlobalDraft) -> None:
    _environment(statement, draft)


def _environment(statement: Statement, draft: GlobalDraft) -> None:
    variables = draft.reading.environment
    try:
        if statement.name == "setenv":
            variables.set(statement.text(0), statement.text(1))
        elif statement.name == "presetenv":
            variables.preset(statement.text(0), statement.text(1))
        elif statement.name == "unsetenv":
            variables.unset(statement.texts)
        else:
            variables.reset(statement.texts)
    except ValueError as error:
        raise Refusal(f"`{statement.name}`: {error}") from None
