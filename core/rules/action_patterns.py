"""Actions that change maps and ACLs: `set-map`, `del-map`, `add-acl`, `del-acl` (manual 4.2).

Owns: their words. Must not know: how patterns are searched, how other threads come to know (pattern_journal).

The change holds for the next rule already. As in HAProxy what cannot be an entry of the file (a map of numbers that is
given a word) is left out without a word. Unlike there an unknown file is an error, since nobody could read it.
"""

from __future__ import annotations

from typing import Any

from .actions import AFTER, REQUEST, RESPONSE, Act, Use, action
from .pattern_files import PatternFile, PatternFiles, files_of


def _file(use: Use, as_map: bool | None) -> tuple[PatternFiles, PatternFile]:
    word = use.argument
    if word is None or not word.text:
        raise use.error("the name of a file is expected, as in `set-map(/etc/a.map)`")
    files = files_of(use.ground.site)
    file = files.files.get(word.text)
    if file is None:
        try:
            file = files.file(word.text, bool(as_map))
        except ValueError as error:
            raise use.error(str(error), word) from None
    if as_map is not None and file.as_map != as_map:
        hint = "`add-acl` and `del-acl` change files of one column" if as_map else "`set-map` gives it a value"
        raise use.error(f"'{word.text}' {'is not a map' if as_map else 'is a map'}", word, hint)
    return files, file


@action(
    "set-map", REQUEST | RESPONSE | AFTER, "<key> <value>", "Set the value of a map for a key, in all groups",
    argument="<file>",
)  # fmt: skip
def _set_map(use: Use) -> Act:
    files, file = _file(use, True)
    key = use.format("the key", encoded=False)
    value = use.format("the value", encoded=False)
    change = files.change

    def act(x: Any) -> None:
        change(file, key(x), value(x))

    return act


@action("add-acl", REQUEST | RESPONSE, "<key>", "Add a pattern to an ACL's file, in all groups", argument="<file>")
def _add_acl(use: Use) -> Act:
    files, file = _file(use, False)
    key = use.format("the pattern", encoded=False)
    change = files.change

    def act(x: Any) -> None:
        text = key(x)
        change(file, text, text)

    return act


def _delete(use: Use, as_map: bool | None) -> Act:
    files, file = _file(use, as_map)
    key = use.format("the key", encoded=False)
    change = files.change

    def act(x: Any) -> None:
        change(file, key(x), None)

    return act


@action("del-map", REQUEST | RESPONSE | AFTER, "<key>", "Take a key out of a map, in all groups", argument="<file>")
def _del_map(use: Use) -> Act:
    return _delete(use, True)


@action("del-acl", REQUEST | RESPONSE | AFTER, "<key>", "Take a pattern out of an ACL's file", argument="<file>")
def _del_acl(use: Use) -> Act:
    return _delete(use, None)
