"""Sections `userlist NAME`: users, their passwords and their groups (manual 12.1).

Owns: their syntax, and who is in which group whatever side says so. Must not know: requests, how a password is checked.

Facts (measured: HAProxy 2.6, 3.0): a second user or group of one name is ignored with a warning; an empty name between
commas is nobody; groups and users may be named before their lines; one that does not exist is an error; a user without
a password is accepted, and never let in. Here a second list of one name is an error: HAProxy adds its lines to the
list that stands last in the file, whichever that is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from ..passwords import NoCryptError, complaint
from .diagnostics import Diagnostics
from .drafts import Reading
from .keywords import Table
from .lexer import Word
from .model import Place, UserlistSpec, UserSpec
from .names import TWICE
from .statement import Refusal, Statement
from .suggest import offer

SECTION = frozenset({"userlist"})

Member = tuple[str, Place]
"""A name and where it is written."""


@dataclass(slots=True)
class UserDraft:
    """A `user` line."""

    place: Place
    password: str | None
    hashed: bool
    groups: list[Member]


@dataclass(slots=True)
class UserlistDraft:
    """A section so far."""

    reading: Reading
    name: str
    place: Place
    kind: str = "userlist"
    written: dict[str, Place] = field(default_factory=dict)
    users: dict[str, UserDraft] = field(default_factory=dict)
    groups: dict[str, list[Member]] = field(default_factory=dict)
    """Group -> the users that its line names."""

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={}, users={}, groups={})


KEYWORDS: Table[UserlistDraft] = Table("userlists")


def _members(statement: Statement, word: Word) -> list[Member]:
    """The names of a list with commas, each with its place."""
    found = []
    index = 0
    for name in word.text.split(","):
        if name:
            found.append((name, Place(statement.file, statement.line, word.start + index)))
        index += len(name) + 1
    return found


def _value(statement: Statement, index: int) -> Word:
    if index + 1 >= len(statement):
        option = statement.arguments[index]
        raise Refusal(f"`{statement.name} ... {option.text}` expects a value", option)
    return statement.arguments[index + 1]


@KEYWORDS.keyword(
    "group", SECTION, "<name> [users <user>,...]", "A group, and who is in it.", reader="rules", arity=(1, -1)
)
def _group(statement: Statement, draft: UserlistDraft) -> None:
    name = statement.text(0)
    if name in draft.groups:
        statement.warn(f"group '{name}' is there already: this line is ignored", statement.arguments[0])
        return
    members: list[Member] | None = None
    for index in range(1, len(statement), 2):
        option = statement.arguments[index]
        if option.text != "users":
            raise Refusal(f"`group` cannot take '{option.text}'", option, "usage: group <name> [users <user>,...]")
        if members is not None:
            raise Refusal("`group`: `users` stands here twice", option, "all users stand in one list: users ann,bob")
        members = _members(statement, _value(statement, index))
    draft.groups[name] = members or []


@KEYWORDS.keyword(
    "user",
    SECTION,
    "<name> {password <hash>|insecure-password <text>} [groups <group>,...]",
    "A user; the hash is one of crypt(3).",
    reader="rules",
    arity=(1, -1),
)
def _user(statement: Statement, draft: UserlistDraft) -> None:
    word = statement.arguments[0]
    if word.text in draft.users:
        statement.warn(f"user '{word.text}' is there already: this line is ignored", word)
        return
    user = draft.users[word.text] = UserDraft(statement.place_of(word), None, False, [])
    for index in range(1, len(statement), 2):
        option = statement.arguments[index]
        if option.text in ("password", "insecure-password"):
            value = _value(statement, index)
            if user.password is not None:
                raise Refusal("`user`: there is a password already", option, "a user has one password")
            user.password, user.hashed = value.text, option.text == "password"
            if user.hashed:
                _check_hash(statement, value)
        elif option.text == "groups":
            user.groups += _members(statement, _value(statement, index))
        else:
            hint = offer(option.text, ("password", "insecure-password", "groups"), "words")
            raise Refusal(f"`user` cannot take '{option.text}'", option, hint)
    if user.password is None:
        statement.warn(f"user '{word.text}' has no password: nobody is let in by that name", word)


def _check_hash(statement: Statement, word: Word) -> None:
    try:
        wrong = complaint(word.text.encode("utf-8", "surrogateescape"))
    except NoCryptError as error:
        raise Refusal(f"`user ... password`: {error}", word) from None
    if wrong:
        statement.warn(f"`user`: {wrong}: nobody is let in by it", word, "such as `openssl passwd -6` makes them")


def userlists(drafts: Iterable[UserlistDraft], diagnostics: Diagnostics) -> dict[str, UserlistSpec]:
    """The lists by name, with all groups of each user."""
    found: dict[str, UserlistSpec] = {}
    for draft in drafts:
        other = found.get(draft.name)
        if other is not None:
            message = f"userlist '{draft.name}' is there already, in line {other.place.line}"
            diagnostics.error(draft.place, message, draft.name, TWICE)
            continue
        found[draft.name] = _resolve(draft, diagnostics)
    return found


def _absent(kind: str, name: str, names: Iterable[str]) -> str:
    return offer(name, names, f"{kind}s") or f"it is made by a line `{kind} {name}`"


def _resolve(draft: UserlistDraft, diagnostics: Diagnostics) -> UserlistSpec:
    groups: dict[str, dict[str, None]] = {name: {} for name in draft.users}
    for name, user in draft.users.items():
        for group, place in user.groups:
            if group not in draft.groups:
                message = f"userlist '{draft.name}' has no group '{group}'"
                diagnostics.error(place, message, group, _absent("group", group, draft.groups))
            groups[name][group] = None
    for group, members in draft.groups.items():
        for name, place in members:
            if name not in draft.users:
                message = f"userlist '{draft.name}' has no user '{name}'"
                diagnostics.error(place, message, name, _absent("user", name, draft.users))
                continue
            groups[name][group] = None
    users = {
        name: UserSpec(name, user.password, user.hashed, tuple(groups[name])) for name, user in draft.users.items()
    }
    return UserlistSpec(draft.place, draft.name, users, tuple(draft.groups))
