"""Heads of HTTP/1 messages: start line and header block of one request or response, strictly read.

Owns: RequestHead, ResponseHead, HeadReader and where a head ends; all decisions that need start line and block
together (statuses of reference 3.3, S2, S3, S6, S7, S12, S14, S18). Must not know: sockets, bodies' bytes, rules,
statistics. Invariants: heads and blocks never change after they are made (they are shared by equal messages; whoever
edits a head makes a new one); what was read with a memory equals what is read without; nothing but
ClientProtocolError and ServerProtocolError is raised, whatever the bytes are.
"""

from __future__ import annotations

import re

from ..errors import ClientProtocolError, ServerProtocolError
from .block import BlockReader, HeaderBlock
from .limits import Limits
from .memo import Memo
from .start_line import RequestLine, StatusLine, read_request_line, read_status_line
from .uri import Form, default_ports, same_authority, without_default_port

__all__ = [
    "CHUNKED",
    "TO_CLOSE",
    "HeadReader",
    "HeaderBlock",
    "Limits",
    "RequestHead",
    "ResponseHead",
    "find_head_end",
]

CHUNKED = -2
"""`length` of a body in chunks."""
TO_CLOSE = -1
"""`length` of a response that lasts until its server closes."""

_LONGEST_LINE_REMEMBERED = 1024

_LENIENT_END = re.compile(rb"\n\r?\n")
_LEADING_EMPTY_LINES = re.compile(rb"[\r\n]+")
_WEBSOCKET_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==\Z")
"""Base64 of 16 bytes (RFC 6455 4.1)."""
_WITHOUT_CONTENT_IN_1_0 = frozenset((b"GET", b"HEAD", b"DELETE"))


def find_head_end(buffer: bytes | bytearray, start: int = 0) -> int:
    """The index after the blank line that ends the head at `start`, -1 while there is none. Empty lines before the head
    belong to it (read_request skips them). A head that ends with bare line feeds is found too, so that the reader can
    refuse it at once instead of the client waiting for a time-out."""
    first = buffer[start : start + 1]
    if first == b"\r" or first == b"\n":
        match = _LEADING_EMPTY_LINES.match(buffer, start)
        assert match is not None
        start = match.end()
    end = buffer.find(b"\r\n\r\n", start)
    if end >= 0:
        return end + 4
    if buffer.find(b"\n\n", start) < 0 and buffer.find(b"\n\r\n", start) < 0:
        return -1
    match = _LENIENT_END.search(buffer, start)
    assert match is not None
    return match.end()


class RequestHead:
    """One request's head. `line` is the request line as received (without its end), `start` the one that is forwarded
    (with it); what the server gets is `start + block.wire + the proxy's own lines + CR LF`. `version` is 10 or 11.
    `length`: bytes of body, or CHUNKED. `keep_alive`: may the client's connection persist, as far as the head says;
    `close_after`: it must not, because the framing was suspicious (S2, S3). `expect`: the client waits for 100
    Continue. `upgrade`: the proxy must add `connection: upgrade` when it forwards."""

    __slots__ = (
        "block",
        "close_after",
        "expect",
        "keep_alive",
        "length",
        "line",
        "method",
        "start",
        "target",
        "upgrade",
        "version",
    )

    def __init__(
        self,
        of: RequestLine,
        block: HeaderBlock,
        length: int,
        keep_alive: bool,
        close_after: bool,
        expect: bool,
        upgrade: bytes,
    ) -> None:
        self.line: bytes = of.line
        self.start: bytes = of.start
        self.method: bytes = of.method
        self.target: bytes = of.target
        self.version: int = of.version
        self.block = block
        self.length = length
        self.keep_alive = keep_alive
        self.close_after = close_after
        self.expect = expect
        self.upgrade = upgrade


class ResponseHead:
    """One response's head. `line` is the status line as received (without its end), `start` the one that is forwarded
    (with it). `length`: bytes of body, CHUNKED or TO_CLOSE; 0 where there can be none (HEAD, 1xx, 204, 304, CONNECT
    2xx). `keep_alive`: may the server's connection be used again. `upgrade`: what a 101 upgrades to."""

    __slots__ = (
        "block",
        "close_after",
        "keep_alive",
        "length",
        "line",
        "reason",
        "start",
        "status",
        "upgrade",
        "version",
    )

    def __init__(
        self, of: StatusLine, block: HeaderBlock, length: int, keep_alive: bool, close_after: bool, upgrade: bytes
    ) -> None:
        self.line: bytes = of.line
        self.start: bytes = of.start
        self.status: int = of.status
        self.reason: bytes = of.reason
        self.version: int = of.version
        self.block = block
        self.length = length
        self.keep_alive = keep_alive
        self.close_after = close_after
        self.upgrade = upgrade


class HeadReader:
    """Reads heads, and remembers what it read. One a thread."""

    __slots__ = (
        "_known_request_block",
        "_known_response_block",
        "_limits",
        "_max_head",
        "_request_blocks",
        "_request_line_of",
        "_request_lines",
        "_response_blocks",
        "_status_line_of",
        "_status_lines",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._max_head = limits.max_head
        self._request_blocks = BlockReader(limits, request=True)
        self._response_blocks = BlockReader(limits, request=False)
        self._request_lines: Memo[RequestLine] = Memo(limits.cache_size, _LONGEST_LINE_REMEMBERED)
        self._status_lines: Memo[StatusLine] = Memo(limits.cache_size, _LONGEST_LINE_REMEMBERED)
        # Bound once: four attribute look-ups a head less (0.1 µs).
        self._request_line_of = self._request_lines.table.get
        self._status_line_of = self._status_lines.table.get
        self._known_request_block = self._request_blocks.block_of
        self._known_response_block = self._response_blocks.block_of

    def read_request(self, raw: bytes) -> RequestHead:
        """Read exactly one request head, its blank line included. Raises ClientProtocolError with the status to
        answer."""
        end = raw.find(b"\r\n") + 2
        text = raw[:end]
        line = self._request_line_of(text)
        if line is None:
            if end < 3 or len(raw) > self._max_head:
                return self._read_odd_request(raw, end)
            line = read_request_line(text[:-2], self._limits.accept_unsafe_request)
            self._request_lines.offer(text, line)
        rest = raw[end:]
        block = self._known_request_block(rest)
        if block is None:
            if len(raw) > self._max_head:
                raise ClientProtocolError("request head too large", 431)
            block = self._request_blocks.read(rest)
        elif line.last_block is block:
            # The same line with the same block: the whole head is the last one (S2 and the rest decided then).
            head: RequestHead | None = line.last_head
            if head is not None:
                return head
        if line.plain and block.plain:
            head = RequestHead(line, block, 0, not block.close, False, False, b"")
        else:
            head = _join_request(line, block)
        line.last_block = block
        line.last_head = head
        return head

    def _read_odd_request(self, raw: bytes, end: int) -> RequestHead:
        """Empty lines before the request, bare line feeds, or too large: what no ordinary client sends."""
        stripped = raw.lstrip(b"\r\n")
        if stripped != raw:
            skipped = raw[: len(raw) - len(stripped)]
            if not self._limits.accept_unsafe_request and skipped.replace(b"\r\n", b""):
                raise ClientProtocolError("bare line feed or return before the request")
            if not stripped:
                raise ClientProtocolError("no request")
            return self.read_request(stripped)
        if len(raw) > self._max_head:
            raise self.oversized_request(raw)
        if b"\n" in raw and self._limits.accept_unsafe_request:
            return self.read_request(_with_full_line_ends(raw))
        raise ClientProtocolError("bare line feed" if end < 2 else "empty request line")

    def oversized_request(self, raw: bytes | bytearray) -> ClientProtocolError:
        """The error to raise for bytes that fill `max_head` without being a whole head: 414 if not even the request
        line fits, else 431, as HAProxy 3.3 answers (before: 400)."""
        fits = raw.find(b"\n", 0, self._max_head) >= 0
        return ClientProtocolError("request head too large", 431) if fits else ClientProtocolError("URI too long", 414)

    def read_response(self, raw: bytes, request_method: bytes) -> ResponseHead:
        """Read exactly one response head, its blank line included; `request_method` is what it answers. Raises
        ServerProtocolError."""
        end = raw.find(b"\r\n") + 2
        text = raw[:end]
        line = self._status_line_of(text)
        if line is None:
            if end < 2 or len(raw) > self._max_head:
                return self._read_odd_response(raw, request_method)
            line = read_status_line(text[:-2], self._limits.accept_unsafe_response)
            self._status_lines.offer(text, line)
        rest = raw[end:]
        block = self._known_response_block(rest)
        if block is None:
            if len(raw) > self._max_head:
                raise ServerProtocolError("response head too large")
            block = self._response_blocks.read(rest)
        return _join_response(line, block, request_method)

    def _read_odd_response(self, raw: bytes, request_method: bytes) -> ResponseHead:
        if len(raw) > self._max_head:
            raise ServerProtocolError("response head too large")
        if b"\n" in raw and self._limits.accept_unsafe_response:
            return self.read_response(_with_full_line_ends(raw), request_method)
        raise ServerProtocolError("bare line feed in the status line")


def _with_full_line_ends(raw: bytes) -> bytes:
    return re.sub(rb"\r?\n", b"\r\n", raw)


def _join_request(line: RequestLine, block: HeaderBlock) -> RequestHead:
    """What a request line and a block that is not plain mean together."""
    length = CHUNKED if block.chunked else max(block.content_length, 0)
    old = line.version < 11
    if length and old and line.method in _WITHOUT_CONTENT_IN_1_0:
        # S6: servers of that time take the body for the next request.
        raise ClientProtocolError("HTTP/1.0 GET, HEAD or DELETE with a body", 413)
    target = line.parts
    if target.form is Form.AUTHORITY and length:
        # Its content would be the tunnel's first bytes to some, a body to others.
        raise ClientProtocolError("CONNECT with a body")
    if target.authority and block.host is not None:
        if not same_authority(target, block.host):
            raise ClientProtocolError("Host differs from the target's authority")
        block = _with_synchronous_host(line, block)
    # S3: the peer of 1.0 that sent a coding is no 1.0 peer, or somebody stands between us.
    close_after = block.conflict or (block.chunked and old)
    keep_alive = not block.close and not close_after and (not old or block.keep_alive)
    upgrade = b"" if old else block.upgrade
    if upgrade and block.websocket_key is not None and not _WEBSOCKET_KEY.match(block.websocket_key):
        raise ClientProtocolError("websocket upgrade without a valid key")
    return RequestHead(line, block, length, keep_alive, close_after, block.expect_continue and not old, upgrade)


def _with_synchronous_host(line: RequestLine, block: HeaderBlock) -> HeaderBlock:
    """HAProxy takes the default port out of the target and, if it was given there, out of Host too."""
    host = block.host
    target = line.parts
    if host is None or without_default_port(target.authority, default_ports(target)) == target.authority:
        return block
    wanted = without_default_port(host, default_ports(target))
    if wanted == host:
        return block
    copy = block.copy()
    copy.host = wanted
    before, _, after = (b"\r\n" + block.wire).partition(b"\r\nhost: %b\r\n" % host)
    copy.wire = (before + b"\r\nhost: %b\r\n" % wanted + after)[2:]
    return copy


def _join_response(line: StatusLine, block: HeaderBlock, request_method: bytes) -> ResponseHead:
    """What a status line and a block mean together (S18, RFC 9112 6.3)."""
    status = line.status
    old = line.version < 11
    keep_alive = not block.close and not block.conflict and (not old or block.keep_alive)
    close_after = False
    upgrade = b""
    if status == 304 or request_method == b"HEAD":
        # What framing it has is that of the response to a GET.
        length = 0
    elif status < 200 or status == 204 or (request_method == b"CONNECT" and status < 300):
        length = 0
        if block.chunked or block.content_length >= 0:
            # RFC 9110 8.6: there must be none. Who reads it nevertheless must not wait for that body.
            keep_alive = keep_alive and not block.chunked and block.content_length == 0
            block = _without_framing(block)
        if status == 101:
            upgrade = block.upgrade
            if not upgrade:
                raise ServerProtocolError("101 without Upgrade")
    elif block.chunked:
        length = CHUNKED
        close_after = old
        keep_alive = keep_alive and not old
    elif block.content_length >= 0:
        length = block.content_length
    else:
        length = TO_CLOSE
        keep_alive = False
    return ResponseHead(line, block, length, keep_alive, close_after, upgrade)


def _without_framing(block: HeaderBlock) -> HeaderBlock:
    copy = block.copy()
    copy.chunked = False
    copy.content_length = -1
    lines = [
        line
        for line in block.wire.splitlines(keepends=True)
        if not line.startswith((b"content-length:", b"transfer-encoding:"))
    ]
    copy.wire = b"".join(lines)
    return copy
