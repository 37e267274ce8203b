"""Request lines and status lines, checked and taken apart.

Owns: S10 (with uri), S11, methods, versions, statuses. Must not know: header blocks. Invariant: what is made here is
shared by all messages with the same start line; only `last_block` and `last_head` change, which head.py uses as a
memory of one.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..errors import ClientProtocolError, ServerProtocolError
from .fields import TOKEN_BYTES
from .uri import TARGET_BYTES, Form, Target, read_target

if TYPE_CHECKING:
    from .block import HeaderBlock
    from .head import RequestHead

_SPACES = re.compile(rb"[ \t]+")
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])\Z")
_STATUS_LINE = re.compile(rb"HTTP/([0-9])\.([0-9])[ \t]+([1-9][0-9][0-9])(?:[ \t]+([^\x00-\x08\x0a-\x1f\x7f]*))?\Z")
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_UNSAFE_TARGET_BYTES = TARGET_BYTES + b"#" + bytes(range(0x80, 0x100))


class RequestLine:
    """One request line. `line` as received, `start` as forwarded (with CR LF); `version` 10 or 11."""

    __slots__ = ("last_block", "last_head", "line", "method", "parts", "plain", "start", "target", "version")

    def __init__(self, line: bytes, method: bytes, parts: Target, target: bytes, version: int) -> None:
        self.line = line
        self.method = method
        self.parts = parts
        self.target = target
        self.version = version
        self.start = b"%b %b HTTP/%d.%d\r\n" % (method, parts.normal, version // 10, version % 10)
        self.plain = version == 11 and parts.form is Form.ORIGIN
        self.last_block: HeaderBlock | None = None
        self.last_head: RequestHead | None = None


class StatusLine:
    """One status line. `line` as received, `start` as forwarded (with CR LF); `version` 10 or 11."""

    __slots__ = ("line", "reason", "start", "status", "version")

    def __init__(self, line: bytes, status: int, reason: bytes, version: int) -> None:
        self.line = line
        self.status = status
        self.reason = reason
        self.version = version
        # The version stays the server's, as in HAProxy: a client of 1.0 behind us may depend on it.
        self.start = b"HTTP/1.%d %d %b\r\n" % (version % 10, status, reason)


def read_request_line(line: bytes, unsafe: bool) -> RequestLine:
    """Read a request line without its end. Raises ClientProtocolError."""
    words = line.split(b" ")
    if len(words) != 3 or b"\t" in line:
        # RFC 9112 3 allows several spaces and tabs between the words (not around them), and HAProxy takes them.
        words = _SPACES.split(line)
        if len(words) != 3:
            raise ClientProtocolError("request line is not method, target and version")
    method, target, version = words
    if version == b"HTTP/1.1":
        number = 11
    else:
        match = _VERSION.match(version)
        if match is None or match[1] == b"0":
            raise ClientProtocolError("bad version")
        # Whoever speaks a later version reads 1.1 too (RFC 9110 6.2).
        number = 10 if version == b"HTTP/1.0" else 11
    if not method or method.translate(None, TOKEN_BYTES):
        raise ClientProtocolError("method is not a token")
    if not target or target.translate(None, _UNSAFE_TARGET_BYTES if unsafe else TARGET_BYTES):
        raise ClientProtocolError("forbidden character in the target")
    if method == b"PRI":
        # The first line of HTTP/2's preface; we answer as a listener with disable-h2-upgrade does.
        raise ClientProtocolError("HTTP/2 preface", 405 if line == b"PRI * HTTP/2.0" else 400)
    parts = read_target(target, method)
    if parts is None:
        raise ClientProtocolError("target has a form that its method does not allow")
    return RequestLine(line, method, parts, target, number)


def read_status_line(line: bytes, unsafe: bool) -> StatusLine:
    """Read a status line without its end. Raises ServerProtocolError."""
    match = _STATUS_LINE.match(line)
    if match is None or match[1] == b"0":
        raise ServerProtocolError("bad status line")
    version = 10 if match[1] == b"1" and match[2] == b"0" else 11
    status = int(match[3])
    return StatusLine(line, status, match[4] or _REASONS.get(status, b"Unknown"), version)
