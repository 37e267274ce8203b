"""Actions on header lines of requests and responses (manual 4.2: add-header and its kin).

Owns: these. Must not know: which bytes are forwarded (http.edit). A header's name is kept in lower case. `connection`
is not theirs: what it says is the proxy's own business on each side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config.model import RuleWord
from ..http.edit import edit_request, edit_response, is_value
from ..http.fields import TOKENS
from ..http.line_edits import Edit
from .actions import HTTP, Act, Use, action, nothing
from .formats import constant_of
from .fused import describe_edit
from .regexes import compile_regex
from .replacing import replacer

_OURS = frozenset((b"connection", b"keep-alive", b"proxy-connection"))


def header_name(use: Use) -> bytes:
    """The next word as the name of a header that will be written. Those that are the proxy's own business get a
    warning, and `_OURS` has them: HAProxy takes the line."""
    word, text = use.text("the name of a header")
    name = text.lower()
    if not name or name.translate(TOKENS) != name:
        raise use.error(f"'{word.text}' is no name of a header", word)
    if name in _OURS:
        hint = "`option httpclose` and `option http-server-close` say when connections are closed"
        use.warn(f"maniple says `{word.text}` itself, on each side: the line does nothing", word, hint)
    return name


def checked(use: Use, text: Callable[[Any], bytes], word: RuleWord | None = None) -> Callable[[Any], bytes]:
    """A text that will stand in a header line."""
    value = constant_of(text)
    if value is not None and not is_value(value):
        raise use.error("a header's value cannot contain CR, LF or NUL", word)
    return text


def edited_block(request: bool) -> Callable[[Any], Any]:
    """scope -> the block of the message, made one that may be edited."""

    def of_request(x: Any) -> Any:
        head = x.head = edit_request(x.head)
        return head.block

    def of_response(x: Any) -> Any:
        head = x.answer = edit_response(x.answer)
        return head.block

    return of_request if request else of_response


@action("set-header", HTTP, "<name> <format>", "Replace all lines of a header by one", edits=True)
def _set_header(use: Use) -> Act:
    name = header_name(use)
    text = checked(use, use.format("a value"))
    if name in _OURS:
        return nothing()
    block_of = edited_block(use.ground.request)

    def act(x: Any) -> None:
        # The text may speak of the line that it replaces.
        new = text(x)
        block_of(x).set(name, new)

    return _described(use, act, "set", name, text)


@action("add-header", HTTP, "<name> <format>", "Add a line of a header", edits=True)
def _add_header(use: Use) -> Act:
    name = header_name(use)
    text = checked(use, use.format("a value"))
    if name in _OURS:
        return nothing()
    block_of = edited_block(use.ground.request)

    def act(x: Any) -> None:
        new = text(x)
        block_of(x).add(name, new)

    return _described(use, act, "add", name, text)


def _described(use: Use, act: Act, verb: str, name: bytes, text: Callable[[Any], bytes]) -> Act:
    """The action; an edit of a request that is always the same says what it is, so that it can be fused."""
    value = constant_of(text)
    return describe_edit(act, Edit(verb, name, value)) if use.ground.request and value is not None else act


def name_matcher(use: Use, method: str, text: bytes, word: RuleWord) -> Callable[[bytes], bool]:
    """What `-m <method>` says of names. Names are compared in lower case."""
    lower = text.lower()
    if method == "str":
        return lambda name: name == lower
    if method == "beg":
        return lambda name: name.startswith(lower)
    if method == "end":
        return lambda name: name.endswith(lower)
    if method == "sub":
        return lambda name: lower in name
    try:
        search = compile_regex(text).search
    except ValueError as error:
        raise use.error(str(error), word) from None
    return lambda name: search(name) is not None


@action(
    "del-header",
    HTTP,
    "<name> [-m {str|beg|end|sub|reg}]",
    "Delete all lines of a header, or of all that match",
    edits=True,
)
def _del_header(use: Use) -> Act:
    word, text = use.text("the name of a header")
    method = "str"
    if use.skip("-m"):
        flag = use.take("a matching method")
        method = flag.text
        if method not in ("str", "beg", "end", "sub", "reg"):
            raise use.error(f"unknown matching method '{method}'", flag, "methods are str, beg, end, sub, reg")
    request = use.ground.request
    block_of = edited_block(request)
    if method != "str":
        matches = name_matcher(use, method, text, word)

        def delete_where(x: Any) -> None:
            block_of(x).delete_where(matches)

        return delete_where
    name = text.lower()

    def delete(x: Any) -> None:
        block = x.head.block if request else x.answer.block
        if name in (block.index or block.make_index()):
            block_of(x).delete(name)

    return describe_edit(delete, Edit("delete", name)) if request else delete


@action(
    "replace-header", HTTP, "<name> <regex> <format>", "Replace each line's value where the regex matches", edits=True
)
def _replace_header(use: Use) -> Act:
    return _replacement(use, "replace_lines")


@action(
    "replace-value", HTTP, "<name> <regex> <format>", "Replace each value of a list where the regex matches", edits=True
)
def _replace_value(use: Use) -> Act:
    return _replacement(use, "replace_values")


def _replacement(use: Use, method: str) -> Act:
    name = header_name(use)
    replace = replacer(use)
    if name in _OURS:
        return nothing()
    request = use.ground.request
    block_of = edited_block(request)

    def act(x: Any) -> None:
        block = x.head.block if request else x.answer.block
        if name in (block.index or block.make_index()):
            getattr(block_of(x), method)(name, replace(x))

    return act


@action("early-hint", frozenset({"http-request"}), "<name> <format>", "A line of a 103 response, sent at once")
def _early_hint(use: Use) -> Act:
    name = header_name(use)
    text = checked(use, use.format("a value"))
    if name in _OURS:
        return nothing()

    def act(x: Any) -> None:
        head = x.head
        if head is not None and head.version == 11:
            hints = x.hints
            if hints is None:
                hints = x.hints = []
            hints.append(b"%b: %b\r\n" % (name, text(x)))

    return act
