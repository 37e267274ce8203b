"""Bind lines (manual 5.1): addresses and the words behind them.

Owns: the table of bind words. Must not know: sockets. Invariant: one line gives one BindSpec whose `text` is the
addresses as written, since listeners are recognised by it at a reload.
"""

from __future__ import annotations

import grp
import pwd

from ..addresses import parse_addresses
from .drafts import BindDraft, ProxyDraft, Reading
from .keywords import BIND_KEYWORDS as TABLE
from .keywords import FRONT, PROXY_KEYWORDS, Keyword, State, fixed, setter
from .model import BindSpec
from .phrases import read_phrases
from .statement import Refusal, Statement
from .threads import join, parse_threads
from .values import Duration, Integer, Mapped, Text, Value

BIND = frozenset({"bind"})
LISTENING = FRONT - {"defaults"}


def _word(name: str, field: str, kind: Value, summary: str, reader: str, state: State = State.IN_FORCE) -> None:
    TABLE.add(Keyword(name, BIND, kind.shape, summary, reader, setter(field, kind), state=state))


def _flag(name: str, field: str, summary: str, reader: str, state: State = State.IN_FORCE) -> None:
    TABLE.add(Keyword(name, BIND, "", summary, reader, fixed(field, True), 0, 0, state))


def octal(text: str) -> int:
    """Permissions such as 660; ValueError for what is no octal number."""
    if not text or any(digit not in "01234567" for digit in text):
        raise ValueError("an octal number is expected, such as 660")
    return int(text, 8)


def user_number(text: str) -> int:
    """The uid of a user name; ValueError when there is none."""
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise ValueError("no such user") from None


def group_number(text: str) -> int:
    """The gid of a group name; ValueError when there is none."""
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise ValueError("no such group") from None


def _maximum_segment(text: str) -> int:
    value = Integer(-65535, 65535).read(text)
    if value == 0:
        raise ValueError("must be from 1 to 65535, or its negative")
    return value


def _shards(text: str) -> str:
    if text not in ("by-thread", "by-group"):
        try:
            Integer(1, 1024).read(text)
        except ValueError:
            raise ValueError("a number from 1 to 1024, by-thread or by-group is expected") from None
    return text


_word("name", "name", Text("name"), "Name of the listener in statistics and logs.", "build")
_word("id", "id", Integer(1), "Number of the listener in statistics, unique in its proxy.", "steward", State.ACCEPTED)
_word(
    "maxconn", "maxconn", Integer(), "Most connections that the listener accepts at a time; 0: no own limit.", "relay"
)
_word(
    "backlog", "backlog", Integer(), "Length of the queue of connections not accepted yet; 0: the proxy's.", "sockets"
)
_word("nice", "nice", Integer(-1024, 1024), "Priority of the listener's work.", "relay", State.ACCEPTED)
_word("interface", "interface", Text("interface"), "Only packets of this network interface are seen.", "sockets")
_word("mss", "mss", Mapped("size", _maximum_segment), "TCP maximum segment size offered to clients.", "sockets")
_word("tcp-ut", "tcp_ut", Duration(), "TCP user timeout: how long sent bytes may stay unacknowledged.", "sockets")
_word("mode", "mode", Mapped("octal", octal), "Permissions of a unix socket.", "sockets")
_word("uid", "uid", Integer(), "Owner of a unix socket, by number.", "sockets")
_word("gid", "gid", Integer(), "Group of a unix socket, by number.", "sockets")
_word("user", "uid", Mapped("user", user_number), "Owner of a unix socket, by name.", "sockets")
_word("group", "gid", Mapped("group", group_number), "Group of a unix socket, by name.", "sockets")
_word("shards", "shards", Mapped("shards", _shards), "How many sockets are made of it.", "groups")
_flag("tfo", "tfo", "TCP fast open: data in the first packet.", "sockets")
_flag("transparent", "transparent", "Bind to addresses that are not this machine's.", "sockets")
_flag("defer-accept", "defer_accept", "Accept once the client has sent something.", "sockets")
_flag("v4v6", "v4v6", "An IPv6 any-address takes IPv4 as well.", "sockets")
_flag("v6only", "v6only", "An IPv6 any-address takes IPv6 only.", "sockets")


@TABLE.keyword("thread", BIND, "<set>", "Groups and threads that accept here.", reader="groups")
def _thread(statement: Statement, draft: BindDraft) -> None:
    """Several on a line are added up, as in HAProxy."""
    threads = statement.value(0, Mapped("set", parse_threads))
    try:
        joined = join(draft.spec.threads, threads) if draft.spec.threads.ranges else threads
    except ValueError as error:
        raise Refusal(f"`thread {statement.text(0)}`: {error}", statement.arguments[0]) from None
    draft.set("threads", joined)


@TABLE.keyword(
    "process",
    BIND,
    "<set>",
    "Of old configurations: refused, with what to write instead.",
    reader="parser",
    state=State.KNOWN,
)
def _process(statement: Statement, draft: BindDraft) -> None:
    """HAProxy 2.4 and before: `process <processes>[/<threads>]`."""
    text = statement.text(0)
    processes, slash, threads = text.partition("/")
    instead = f"thread {processes}/{threads or 'all'}"
    if slash and processes in ("1", "all"):
        instead = f"thread {threads}"
    elif text == "all":
        instead = "nothing (all threads is the default)"
    raise Refusal(
        f"`process {text}` is not supported any more: HAProxy has had one process since 2.5",
        statement.arguments[0],
        f"write {instead}: a process of old is a group here (`nbgroup`), and `thread` names groups and threads",
    )


def parse_bind(statement: Statement, reading: Reading) -> BindSpec:
    """The listener of one bind line; Refusal when its addresses cannot be used. Complaints about the words behind them
    are recorded one by one."""
    if not statement.text(0):
        raise Refusal("`bind` expects <address>[,...] [<word>...]")
    word = statement.arguments[0]
    try:
        # addresses may hold variables outside double quotes as well (manual 4.2 "bind")
        text = reading.environment.expand(word.text)
        addresses = tuple(reading.resolve(one) for one in parse_addresses(text, zero_port=True))
    except ValueError as error:
        raise Refusal(f"`bind {word.text}`: {error}", word) from None
    draft = BindDraft(BindSpec(statement.place, text, addresses))
    read_phrases(statement, 1, TABLE, draft, "bind")
    return draft.spec


@PROXY_KEYWORDS.keyword(
    "bind",
    LISTENING,
    "<address>[,...] [<word>...]",
    "Listen on addresses: [host]:port[-port], path, unix@, abns@, fd@, ipv4@, ipv6@.",
    reader="supervisor",
    arity=(0, -1),
)
def _bind(statement: Statement, draft: ProxyDraft) -> None:
    spec = parse_bind(statement, draft.reading)
    if spec.id is not None:
        for other in draft.binds:
            if other.id == spec.id:
                raise Refusal(f"`id {spec.id}`: already the id of `bind {other.text}` (line {other.place.line})")
    draft.binds.append(spec)
