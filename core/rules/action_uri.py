"""Actions on the request line: method and target (manual 4.2: set-path and its kin).

Owns: what a path, a query and a URI are for them. Must not know: normalizers (normalizing). Invariant: what is
forwarded stays a request line: a method that is no token, or a target with blanks, controls or none of the forms of RFC
9112, is a rewrite that has failed (`strict-mode`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..http.edit import edit_request
from ..http.fields import TOKENS
from ..http.uri import (
    TARGET_BYTES,
    Form,
    bare_authority,
    default_ports,
    read_target,
    table_of,
    without_default_port,
)
from .actions import REQUEST, Act, Text, Use, action
from .failing import failure
from .fetch_request import pathq_of
from .normalizing import NORMALIZERS
from .replacing import replacer
from .verdicts import Answer, Verdict

_TARGETS = table_of(TARGET_BYTES)


def _forwarded(head: Any) -> bytes:
    """The target as it goes on."""
    target: bytes = head.target if head.parts is None else head.parts.normal
    return target


def set_target(x: Any, target: bytes) -> bool:
    """Change the target; False if that is none."""
    head = x.head
    if not target or target.translate(_TARGETS) != target:
        return False
    parts = None
    normal = target
    if target[:1] != b"/" or head.method == b"CONNECT":
        parts = read_target(target, head.method)
        if parts is None:
            return False
        normal = parts.normal
    head = x.head = edit_request(head)
    head.target = target
    head.parts = parts
    head.start = b"%b %b HTTP/1.%d\r\n" % (head.method, normal, head.version - 10)
    return True


def set_pathq(x: Any, pathq: bytes) -> bool:
    """Change path and query, and leave scheme and authority as they are. `*` is replaced as a whole."""
    head = x.head
    parts = head.parts
    if parts is not None and parts.form is Form.ABSOLUTE:
        normal = parts.normal
        old = pathq_of(head) or b""
        pathq = normal[: len(normal) - len(old)] + pathq
    return set_target(x, pathq)


def _setter(use: Use, apply: Callable[[Any, bytes], bool], text: Text) -> Act:
    failed = failure(use)

    def act(x: Any) -> Verdict | None:
        if apply(x, text(x)):
            return None
        return failed(x)

    return act


def _set_path(x: Any, path: bytes) -> bool:
    pathq = pathq_of(x.head)
    if pathq is None:
        return set_pathq(x, path)
    _, mark, query = pathq.partition(b"?")
    return set_pathq(x, path + mark + query)


def _set_query(x: Any, query: bytes) -> bool:
    pathq = pathq_of(x.head)
    if pathq is None:
        return False
    path, mark, _ = pathq.partition(b"?")
    if not query and not mark:
        return True
    return set_pathq(x, b"%b?%b" % (path, query))


def _set_method(x: Any, method: bytes) -> bool:
    if not method or method.translate(TOKENS) != method:
        return False
    head = x.head
    if method == head.method:
        return True
    if method == b"CONNECT" or head.method == b"CONNECT":
        # Its target has another form, and its response another framing.
        return False
    head = x.head = edit_request(head)
    if method == b"HEAD" or head.method == b"HEAD":
        # What the client expects of the answer and what the server sends are not the same any more.
        head.ordinary = False
    head.method = method
    head.start = b"%b %b HTTP/1.%d\r\n" % (method, _forwarded(head), head.version - 10)
    return True


@action("set-method", REQUEST, "<format>", "Change the method", edits=True)
def _method(use: Use) -> Act:
    return _setter(use, _set_method, use.format("a method"))


@action("set-path", REQUEST, "<format>", "Change the path; the query stays", edits=True)
def _path(use: Use) -> Act:
    return _setter(use, _set_path, use.format("a path"))


@action("set-pathq", REQUEST, "<format>", "Change path and query", edits=True)
def _pathq(use: Use) -> Act:
    return _setter(use, set_pathq, use.format("a path"))


@action("set-query", REQUEST, "<format>", "Change what follows the question mark", edits=True)
def _query(use: Use) -> Act:
    return _setter(use, _set_query, use.format("a query"))


def _set_uri(x: Any, target: bytes) -> bool:
    """An absolute target names the host, too."""
    if not set_target(x, target):
        return False
    parts = x.head.parts
    if parts is not None and parts.form is Form.ABSOLUTE:
        host = bare_authority(without_default_port(parts.authority, default_ports(parts)))
        x.head.block.replace_lines(b"host", lambda value: host)
    return True


@action("set-uri", REQUEST, "<format>", "Change the whole target, and Host where it is absolute", edits=True)
def _uri(use: Use) -> Act:
    return _setter(use, _set_uri, use.format("a target"))


def _replacing(use: Use, read: Callable[[Any], bytes | None], write: Callable[[Any, bytes], bool]) -> Act:
    replace = replacer(use)
    failed = failure(use)

    def act(x: Any) -> Verdict | None:
        old = read(x)
        if old is None:
            return None
        new = replace(x)(old)
        if new == old or write(x, new):
            return None
        return failed(x)

    return act


def _read_path(x: Any) -> bytes | None:
    pathq = pathq_of(x.head)
    return None if pathq is None else pathq.partition(b"?")[0]


@action(
    "replace-path", REQUEST, "<regex> <format>", "Change the path where the regex matches; the query stays", edits=True
)
def _replace_path(use: Use) -> Act:
    return _replacing(use, _read_path, _set_path)


@action("replace-pathq", REQUEST, "<regex> <format>", "Change path and query where the regex matches", edits=True)
def _replace_pathq(use: Use) -> Act:
    return _replacing(use, lambda x: pathq_of(x.head), set_pathq)


@action("replace-uri", REQUEST, "<regex> <format>", "Change the whole target where the regex matches", edits=True)
def _replace_uri(use: Use) -> Act:
    return _replacing(use, lambda x: _forwarded(x.head), _set_uri)


@action("normalize-uri", REQUEST, "<normalizer> [full|strict]", "Bring the target into a normal form", edits=True)
def _normalize(use: Use) -> Act:
    word = use.take("a normalizer")
    found = NORMALIZERS.get(word.text)
    if found is None:
        raise use.error(f"unknown normalizer '{word.text}'", word, f"normalizers are {', '.join(sorted(NORMALIZERS))}")
    flag, normalize = found
    strong = bool(flag) and use.skip(flag)
    failed = failure(use)
    refused = Answer(use.place, 400, page=True, termination=b"PR", denied=True)

    def act(x: Any) -> Verdict | None:
        old = pathq_of(x.head)
        if old is None:
            return None
        new = normalize(old, strong)
        if new is None:
            return refused
        if new == old or set_pathq(x, new):
            return None
        return failed(x)

    return act
