"""What happened in one run of a case, as a flat table that two runs can be compared by.

Left out on purpose: ports, dates, the spelling of chunks (both sides may cut them anew), the exact values of timers and
of %B (HAProxy counts its own inner representation; here it is only zero or not).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from maniple.tests.wire.rig.messages import Parsed, read_all
from maniple.tests.wire.rig.peers import Peer

Facts = dict[str, str]

_WHERE = r"\S+ \[[^\]]*\] (?P<frontend>\S+) (?P<backend>[^/ ]+)/(?P<server>\S+) (?P<timers>\S+) "
_END = r"(?P<state>\S+) \d+/\d+/\d+/\d+/(?P<retries>\+?\d+) (?P<queues>\d+/\d+)"
_LINE = re.compile(
    _WHERE + r"(?P<status>-?\d+) (?P<size>\+?\d+) - - " + _END + r'(?P<captures>(?: \{[^}]*\})*) "(?P<request>.*)"$'
)
_TCP_LINE = re.compile(_WHERE + r"(?P<size>\+?\d+) " + _END + "$")


def _of_message(facts: Facts, name: str, message: Parsed) -> None:
    facts[f"{name}.start"] = message.start
    # Where the line of the proxy's own stands among the others, and how its token is spelled, means nothing.
    others = [line for line in message.headers if not line.startswith("connection: ")]
    own = [line.lower() for line in message.headers if line.startswith("connection: ")]
    facts[f"{name}.headers"] = " | ".join(others + own)
    body = message.body
    facts[f"{name}.body"] = repr(body)[2:-1] if len(body) < 300 else f"{len(body)} {hashlib.md5(body).hexdigest()}"
    if message.trailers:
        facts[f"{name}.trailers"] = " | ".join(message.trailers)
    if not message.whole:
        facts[f"{name}.whole"] = "no"


def of_client(facts: Facts, name: str, peer: Peer, methods: list[bytes], raw: bool) -> None:
    facts[f"{name}.end"] = peer.end
    if peer.failure:
        facts[f"{name}.failure"] = peer.failure
    if raw:
        facts[f"{name}.raw"] = repr(bytes(peer.received))
        return
    messages, rest = read_all(bytes(peer.received), methods or [b"GET"])
    for number, message in enumerate(messages):
        _of_message(facts, f"{name}.response{number}", message)
    facts[f"{name}.rest"] = repr(rest)


def of_origin(facts: Facts, name: str, peers: Sequence[Peer], raw: bool) -> None:
    facts[f"{name}.connections"] = str(len(peers))
    for number, peer in enumerate(peers):
        prefix = f"{name}.connection{number}"
        # HAProxy resets connections that it has no use for, we close them.
        facts[f"{prefix}.end"] = "closed" if peer.end in ("eof", "reset") else peer.end
        if raw:
            facts[f"{prefix}.raw"] = repr(bytes(peer.received))
            continue
        messages, rest = read_all(bytes(peer.received), [])
        for index, message in enumerate(messages):
            _of_message(facts, f"{prefix}.request{index}", message)
        facts[f"{prefix}.rest"] = repr(rest)


def of_log(facts: Facts, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        found = _LINE.match(line) or _TCP_LINE.match(line)
        if found is None:
            facts[f"log{number}"] = line
            continue
        parts = found.groupdict()
        parts["timers"] = "/".join("-1" if item == "-1" else "n" for item in parts["timers"].split("/"))
        parts["size"] = "0" if parts["size"] == "0" else "n"
        for key, value in parts.items():
            facts[f"log{number}.{key}"] = value


def in_order_of(ours: Facts, theirs: Facts) -> Facts:
    """Our facts with our log lines in their order, as far as they are equal: when several clients end at a time, whose
    line comes first is nobody's promise."""
    mine, others = _log_lines(ours), _log_lines(theirs)
    left = list(mine)
    order: dict[str, str] = {}
    for name, line in others.items():
        equal = next((own for own in left if mine[own] == line), None)
        if equal is not None:
            left.remove(equal)
            order[equal] = name
    free = [name for name in [*mine, *others] if name not in order.values()]
    order |= dict(zip(left, free, strict=False))
    return {order.get(_line_of(key), _line_of(key)) + key[len(_line_of(key)) :]: value for key, value in ours.items()}


def _line_of(key: str) -> str:
    return key.partition(".")[0]


def _log_lines(facts: Facts) -> dict[str, Facts]:
    """Name of a line (log0, log1, ...) to what it says."""
    lines: dict[str, Facts] = {}
    for key, value in facts.items():
        name = _line_of(key)
        if re.fullmatch(r"log\d+", name):
            lines.setdefault(name, {})[key[len(name) :]] = value
    return lines


def differences(ours: Facts, theirs: Facts) -> dict[str, tuple[str, str]]:
    """Fact to (ours, theirs), "(none)" where one has no such fact. A message, line or connection that one side lacks
    altogether is one difference under its own name."""
    found: dict[str, tuple[str, str]] = {}
    groups = [{key.rpartition(".")[0] for key in side} for side in (ours, theirs)]
    for key in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(key, "(none)"), theirs.get(key, "(none)")
        if mine == other:
            continue
        group = key.rpartition(".")[0]
        if group and group not in groups[0]:
            found[group] = ("(none)", _summary(group, theirs))
        elif group and group not in groups[1]:
            found[group] = (_summary(group, ours), "(none)")
        else:
            found[key] = (mine, other)
    return found


def _summary(group: str, facts: Facts) -> str:
    return facts.get(f"{group}.start") or " ".join(
        facts[key] for key in (f"{group}.status", f"{group}.state", f"{group}.request", f"{group}.end") if key in facts
    )
