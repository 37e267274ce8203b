"""The runtime commands on maps and ACLs: `show`, `get`, `add`, `set`, `del`, `clear`, `prepare`, `commit`.

Owns: their words and texts, which are HAProxy's (management 9.3; compared with 3.0). Must not know: how a change comes
to the groups (pattern_desk). Unlike HAProxy's they need the level operator where they change something, and the
patterns of an ACL's own line can be changed only if they have a number (`-u`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from ..core.rules.pattern_sources import PatternSource
from .command import Command, Payload, refuse
from .pattern_book import Entry, PatternSet
from .pattern_desk import Plan
from .steering import Answer, Steering

RunBoth = Callable[[bool, Steering, Sequence[str], Answer], None]
_NUMBER = re.compile(r"[0-9]{1,10}")
_REFERENCE = re.compile(r"#(?:0[xX])?([0-9a-fA-F]{1,16})\Z")
_NOT_CHANGEABLE = "These patterns stand in an ACL's line. Give them a number with '-u', or a file with '-f'."


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _wanted(as_map: bool) -> Callable[[PatternSource], bool]:
    return (lambda source: source.of_map) if as_map else (lambda source: source.of_acl)


def _unknown(as_map: bool) -> str:
    return f"Unknown {'map' if as_map else 'ACL'} identifier. Please use #<id> or <file>."


def _find(steering: Steering, name: str, as_map: bool) -> PatternSet | str:
    """The set that is meant, or what is wrong with it."""
    book = steering.patterns.book
    found = None if book is None else book.find(name, _wanted(as_map))
    return _unknown(as_map) if found is None else found


def _version(words: Sequence[str]) -> tuple[int | None, Sequence[str]]:
    """`@<ver>`, and the words behind it. As HAProxy: what is no number is 0."""
    if not words or not words[0].startswith("@"):
        return None, words
    digits = _NUMBER.match(words[0], 1)
    return int(digits[0]) & 0xFFFFFFFF if digits else 0, words[1:]


# What is there.


def _show(as_map: bool, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    version, words = _version(words)
    if not words and version is None:
        steering.patterns.uses(lambda uses: _list(as_map, steering, uses, answer))
        return
    found = _find(steering, words[0] if words else "", as_map)
    if isinstance(found, str):
        refuse(answer, found)
        return
    for entry in found.of_version(found.current if version is None else version):
        answer.line(f"0x{entry.number:x} {_text(entry.key)}{f' {_text(entry.value)}' if found.source.of_map else ''}")
    answer.end()


def _list(as_map: bool, steering: Steering, uses: dict[str, int], answer: Answer) -> None:
    """`entry_cnt` counts an entry once for each way in which it is used."""
    answer.line("# id (file) description")
    book = steering.patterns.book
    wanted = _wanted(as_map)
    for one in () if book is None else book.sets:
        source = one.source
        if wanted(source):
            count = len(one) * uses.get(source.name, 1)
            answer.line(
                f"{source.number} ({source.file}) {source.description}."
                f" curr_ver={one.current} next_ver={one.next} entry_cnt={count}"
            )
    answer.end()


def _get(as_map: bool, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if len(words) < 2:
        refuse(answer, f"Missing {'map' if as_map else 'ACL'} identifier and/or key.")
        return
    found = _find(steering, words[0], as_map)
    if isinstance(found, str):
        refuse(answer, found)
    elif not found.changeable:
        refuse(answer, _NOT_CHANGEABLE)
    else:
        question = ["get", found.name, as_map, _bytes(words[1]).decode("latin-1")]
        steering.patterns.ask(question, partial(_got, answer))


def _got(answer: Answer, text: str | None) -> None:
    if text is None:
        refuse(answer, "No group answers.")
        return
    if text:
        answer.line(text)
    answer.end()


# Changes. What a change does to a set is found when it is its turn: others may have changed the set meanwhile.


def _change(
    steering: Steering, answer: Answer, name: str, as_map: bool, plan: Callable[[PatternSet], Plan | str]
) -> None:
    def make() -> Plan | str:
        found = _find(steering, name, as_map)
        if isinstance(found, str):
            return found
        return plan(found) if found.changeable else _NOT_CHANGEABLE

    steering.patterns.change(make, answer)


def _add_map(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    payload = words[-1] if words and isinstance(words[-1], Payload) else None
    version, words = _version(words[:-1] if payload is not None else words)
    complaint = ""
    if payload is not None and words:
        pairs, complaint = _read_payload(payload)
    elif len(words) < 3:
        refuse(
            answer,
            "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier)"
            " and a payload",
        )
        return
    else:
        pairs = [(_bytes(words[1]), _bytes(words[2]))]
    _change(steering, answer, words[0], True, lambda found: _adding(found, pairs, version, "map", complaint))


def _read_payload(text: str) -> tuple[list[tuple[bytes, bytes]], str]:
    """A key and its value on each line, and what is wrong with the first wrong line."""
    pairs: list[tuple[bytes, bytes]] = []
    for line in text.split("\n"):
        key, *rest = line.strip(" \t").split(maxsplit=1) or ("",)
        if not key:
            continue
        if not rest:
            return pairs, f"Missing value for key '{key}'."
        pairs.append((_bytes(key), _bytes(rest[0])))
    return pairs, ""


def _add_acl(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    version, words = _version(words)
    if len(words) < 2:
        refuse(answer, "'add acl' expects two parameters: ACL identifier and pattern.")
        return
    pattern = _bytes(words[1])

    def plan(found: PatternSet) -> Plan | str:
        if found.source.of_map:
            return "This ACL is shared with a map containing samples. You must use the command 'add map' to add values."
        return _adding(found, [(pattern, pattern)], version, "acl", "")

    _change(steering, answer, words[0], False, plan)


def _adding(
    found: PatternSet, pairs: list[tuple[bytes, bytes]], version: int | None, kind: str, complaint: str
) -> Plan | str:
    if version is not None and found.in_future(version):
        return f"Version number in the future, please use 'prepare {kind}' before."
    target = found.current if version is None else version
    changes = found.adding(pairs)
    apply = partial(found.add, pairs, target)
    if target == found.current:
        return Plan(changes, apply, complaint=complaint)
    # Nobody needs to know before it is committed, but whether it could be.
    return Plan([], apply, check=found.adding(pairs), complaint=complaint)


def _chosen(found: PatternSet, text: str) -> Sequence[Entry]:
    """By key, in all versions, or by the entry's number."""
    reference = _REFERENCE.match(text)
    if reference is not None:
        entry = found.entries.get(int(reference[1], 16))
        return () if entry is None else (entry,)
    return tuple(found.of_key(_bytes(text)))


def _set_map(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if len(words) < 3:
        refuse(answer, "'set map' expects three parameters: map identifier, key and value.")
        return
    value = _bytes(words[2])

    def plan(found: PatternSet) -> Plan | str:
        entries = _chosen(found, words[1])
        if not entries:
            return "key or pattern not found." if _REFERENCE.match(words[1]) else "entry not found."
        return Plan(found.setting(entries, value), lambda: found.set(entries, value))

    _change(steering, answer, words[0], True, plan)


def _delete(as_map: bool, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if len(words) < 2:
        refuse(answer, f"This command expects two parameters: {'map' if as_map else 'ACL'} identifier and key.")
        return

    def plan(found: PatternSet) -> Plan | str:
        entries = _chosen(found, words[1])
        if not entries:
            return "Key not found."
        return Plan(found.deleting(entries), lambda: found.delete(entries))

    # HAProxy calls an unknown ACL a map here.
    if isinstance(_find(steering, words[0], as_map), str):
        refuse(answer, _unknown(True))
    else:
        _change(steering, answer, words[0], as_map, plan)


def _clear(as_map: bool, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    version, words = _version(words)
    if not words:
        refuse(answer, f"Missing {'map' if as_map else 'ACL'} identifier.")
        return

    def plan(found: PatternSet) -> Plan | str:
        target = found.current if version is None else version
        return Plan(found.clearing() if target == found.current else [], lambda: found.clear(target))

    _change(steering, answer, words[0], as_map, plan)


def _prepare(as_map: bool, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    def plan(found: PatternSet) -> Plan | str:
        return Plan([], lambda: answer.line(f"New version created: {found.prepare()}"))

    _change(steering, answer, words[0] if words else "", as_map, plan)


def _commit(as_map: bool, steering: Steering, words: Sequence[str], answer: Answer) -> None:
    version, words = _version(words)
    if version is None:
        refuse(answer, "Missing version number.")
        return
    if not words:
        refuse(answer, f"Missing {'map' if as_map else 'ACL'} identifier.")
        return

    def plan(found: PatternSet) -> Plan | str:
        if not found.can_commit(version):
            return "Version number out of range."
        return Plan(found.replacing(version), lambda: found.commit(version))

    _change(steering, answer, words[0], as_map, plan)


def _pair(verb: str, usage: str, summary: tuple[str, str], level: str, run: RunBoth) -> tuple[Command, Command]:
    return (
        Command((verb, "acl"), f"{verb} acl {usage.replace('MAP', 'acl')}", summary[0], level, partial(run, False)),
        Command((verb, "map"), f"{verb} map {usage.replace('MAP', 'map')}", summary[1], level, partial(run, True)),
    )


PATTERN_COMMANDS = (
    Command(("add", "acl"), "add acl [@<ver>] <acl> <pattern>", "add an acl entry", "operator", _add_acl),
    Command(
        ("add", "map"),
        "add map [@<ver>] <map> <key> <val>",
        "add a map entry (payload supported instead of key/val)",
        "operator",
        _add_map,
        payload=True,
    ),
    *_pair(
        "clear",
        "[@<ver>] <MAP>",
        ("clear the contents of this acl", "clear the contents of this map"),
        "operator",
        _clear,
    ),
    *_pair(
        "commit",
        "@<ver> <MAP>",
        ("commit the ACL at this version", "commit the map at this version"),
        "operator",
        _commit,
    ),
    *_pair(
        "del",
        "<MAP> [<key>|#<ref>]",
        ("delete acl entries matching <key>", "delete map entries matching <key>"),
        "operator",
        _delete,
    ),
    *_pair(
        "get",
        "<MAP> <value>",
        ("report the patterns matching a sample for an ACL", "report the keys and values matching a sample for a map"),
        "user",
        _get,
    ),
    *_pair(
        "prepare",
        "<MAP>",
        ("prepare a new version for atomic ACL replacement", "prepare a new version for atomic map replacement"),
        "operator",
        _prepare,
    ),
    Command(("set", "map"), "set map <map> [<key>|#<ref>] <value>", "modify a map entry", "operator", _set_map),
    *_pair(
        "show",
        "[@ver] [MAP]",
        ("report available acls or dump an acl's contents", "report available maps or dump a map's contents"),
        "user",
        _show,
    ),
)
