"""Errors that follow from other errors: a name that nobody has, because the line that was to make it is in error.

Owns: which lines make which names, and whether an error that says that there is no such name follows from one in such
a line. Must not know: how errors are found and shown. Invariant: an error is held for a consequence only where the
name stands, as a whole word, where a line in error would have made a thing of that sort; whatever is in doubt is told.
"""

from __future__ import annotations

import re

from . import suggest

_MADE = {
    "acl": "ACL",
    "backend": "backend|stick table|table",
    "defaults": "defaults section",
    "frontend": "stick table|table",
    "group": "group",
    "http-errors": "section http-errors|http-errors",
    "listen": "backend|stick table|table",
    "peers": "peers section",
    "request-rules": "rule set",
    "resolvers": "resolvers",
    "response-rules": "rule set",
    "server": "server",
    "server-template": "server",
    "table": "stick table|table",
    "user": "user",
    "userlist": "userlist",
}
"""Keyword -> what the errors call the thing that gets the word behind it for a name."""
_HEADERS = frozenset(_MADE) - {"acl", "group", "server", "server-template", "table", "user"}
_TABLE = "stick-table"
_ABSENCE = re.compile(
    r"there is no (?P<absent>[\w -]+?) '|no (?P<anywhere>backend) has a server '"
    r"|there is (?P<such>no such server)|'(?P<owner>[^']*)' has no stick table"
    r"|has no (?P<own>server|stick table|group|user)\b"
)
"""What is said of a name that nobody has, and what it would be the name of."""


def absent(message: str, word: str) -> tuple[str, str]:
    """What an error says there is none of, and its name; two times "" where it says nothing of the kind. `word`: the
    error's offending word, the name unless the message tells it."""
    found = _ABSENCE.search(message)
    if found is None:
        return "", ""
    if found["owner"] is not None:
        return "stick table", found["owner"]
    return found["absent"] or found["own"] or "server", word.rpartition("/")[2]


def made_by(line: str, header: str, mistaken: str) -> tuple[str, str]:
    """What a line would have made were it not for an error: the expression of its nouns, and that of its names; both
    are "" where it makes nothing. `header`: the line that its section begins with; `mistaken`: the error's word. A
    keyword that is itself the mistake is taken for the one that was probably meant."""
    words = line.split()
    if not words:
        return "", ""
    keyword = words[0]
    if keyword == mistaken:
        keyword = suggest.nearest(keyword, (*_MADE, _TABLE)) or keyword
    if keyword == _TABLE:
        named = header.split()
        return ("stick table|table", re.escape(named[1])) if len(named) > 1 else ("", "")
    if keyword not in _MADE or len(words) < 2:
        return "", ""
    if keyword == "server-template":
        return _MADE[keyword], re.escape(words[1]) + "[0-9]+"
    return _MADE[keyword], re.escape(words[1])


def follows(message: str, word: str, made: tuple[str, str]) -> bool:
    """Is an error of that message and offending word a consequence of a line that makes that?"""
    nouns, names = made
    noun, name = absent(message, word)
    if not name or not nouns:
        return False
    return re.fullmatch(nouns, noun) is not None and re.fullmatch(names, name) is not None


def begins_section(line: str) -> bool:
    """Is it the line that a section begins with?"""
    words = line.split(maxsplit=1)
    return bool(words) and words[0] in _HEADERS
