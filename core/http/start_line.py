"""Request lines and status lines, checked and taken apart.

Owns: S10 (with uri), S11, methods, versions, statuses. Must not know: header blocks.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from ..errors import ClientProtocolError, ServerProtocolError
from .fields import TOKENS
from .uri import TARGET_BYTES, Target, read_target, table_of

_SPACES = re.compile(rb"[ \t]+")
_VERSION = re.compile(rb"HTTP/([1-9])\.([0-9])\Z")
_STATUS_LINE = re.compile(rb"HTTP/([1-9])\.([0-9])[ \t]+([1-9][0-9][0-9])(?:[ \t]+([^\x00-\x08\x0a-\x1f\x7f]*))?\r\n\Z")

_TARGETS = table_of(TARGET_BYTES)
_UNSAFE_TARGETS = table_of(TARGET_BYTES + b"#" + bytes(range(0x80, 0x100)))

_COMMON_METHODS = frozenset((b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS"))
"""Known to be tokens. Any other token is passed on too: a proxy need not know what it means."""

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class RequestLine:
    """One request line. `line` as received, without its end; `start` as forwarded, with it. `version` is 10 or 11.
    `parts` is None for the origin form, which needs no taking apart to be forwarded."""

    __slots__ = ("line", "method", "parts", "start", "target", "version")

    line: bytes
    start: bytes
    method: bytes
    target: bytes
    version: int
    parts: Target | None


class StatusLine:
    """One status line. `line` as received, without its end; `start` as forwarded, with it. `version` is 10 or 11."""

    __slots__ = ("line", "reason", "start", "status", "version")

    line: bytes
    start: bytes
    status: int
    reason: bytes
    version: int


def read_request_line(into: RequestLine, text: bytes, unsafe: bool) -> None:
    """Read a request line with its CR LF into an object. Raises ClientProtocolError."""
    line = text[:-2]
    words = line.split(b" ")
    good = _UNSAFE_TARGETS if unsafe else _TARGETS
    if len(words) == 3:
        method, target, version = words
        # One test for what nearly all lines are (0.55 µs instead of 2.0).
        if (
            version == b"HTTP/1.1"
            and method in _COMMON_METHODS
            and target[:1] == b"/"
            and target.translate(good) == target
        ):
            into.line = line
            into.start = text
            into.method = method
            into.target = target
            into.version = 11
            into.parts = None
            return
    # RFC 9112 3 allows several spaces and tabs between the words (not around them), and HAProxy takes them.
    words = _SPACES.split(line)
    if len(words) != 3:
        raise ClientProtocolError("request line is not method, target and version")
    method, target, version = words
    if not _VERSION.match(version):
        raise ClientProtocolError("bad version")
    # Whoever speaks a later version reads 1.1 too (RFC 9110 6.2).
    number = 10 if version == b"HTTP/1.0" else 11
    if method not in _COMMON_METHODS and (not method or method.translate(TOKENS) != method):
        raise ClientProtocolError("method is not a token")
    if target.translate(good) != target:
        raise ClientProtocolError("forbidden character in the target")
    parts = None
    forwarded = target
    if target[:1] != b"/" or method == b"CONNECT" or method == b"PRI":
        if method == b"PRI":
            # The first line of HTTP/2's preface; we answer as a listener with disable-h2-upgrade does.
            raise ClientProtocolError("HTTP/2 preface", 405 if line == b"PRI * HTTP/2.0" else 400)
        parts = read_target(target, method)
        if parts is None:
            raise ClientProtocolError("target has a form that its method does not allow")
        forwarded = parts.normal
    into.line = line
    into.start = b"%b %b HTTP/1.%d\r\n" % (method, forwarded, number - 10)
    into.method = method
    into.target = target
    into.version = number
    into.parts = parts


def read_status_line(into: StatusLine, text: bytes) -> None:
    """Read a status line with its CR LF into an object. Raises ServerProtocolError."""
    match = _STATUS_LINE.match(text)
    if match is None:
        raise ServerProtocolError("bad status line")
    major, minor, digits, reason = match.groups()
    status = int(digits)
    reason = reason or _REASONS.get(status, b"Unknown")
    into.line = text[:-2]
    into.status = status
    into.reason = reason
    # The version stays the server's, as in HAProxy.
    into.version = version = 10 if major == b"1" and minor == b"0" else 11
    into.start = b"HTTP/1.%d %d %b\r\n" % (version - 10, status, reason)
