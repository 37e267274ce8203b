"""Fetches of the request line and of what belongs to it: method, target and its parts, version (manual 7.3.6).

Owns: these. Must not know: header fetches (fetch_headers), cookies, bodies. All give nothing where there is no request
head, as in a TCP proxy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..http.uri import Form, Target, bare_authority, read_target, split_port
from . import format_source
from .catalogue import BOTH, REQUEST, REQUEST_KEPT, Call, Fetch, Needs, fetch, plain_fetch
from .hashes import avalanche, sdbm
from .samples import BIN, BOOL, INT, IP, METH, STR, pack_ip, str_to_int

QUESTION_MARK = ord("?")
"""A number: `b"?" in target` would cost 0.2 us more, since it is tried as a number first."""


WELL_KNOWN = frozenset((b"OPTIONS", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"CONNECT"))
"""Methods that HAProxy has numbers for: `set-method` does not change the number."""


@plain_fetch("method", METH, REQUEST_KEPT, "The method, as received if it is one of RFC 9110's")
def method(x: Any) -> Any:
    head = x.head
    if head is None:
        return None
    if head.block.edited:
        received = head.line.partition(b" ")[0]
        if received in WELL_KNOWN:
            return received
    return head.method


@plain_fetch("url", STR, REQUEST, "The target, as the client sent it")
def url(x: Any) -> Any:
    head = x.head
    if head is None:
        return None
    return head.target if head.parts is None else head.parts.normal


def pathq_of(head: Any) -> bytes | None:
    """Path and query of a request; None where its target has no path (CONNECT, `*`)."""
    parts = head.parts
    if parts is None:
        target: bytes = head.target
        return target
    if parts.form is not Form.ABSOLUTE:
        return None
    return target_path(parts)


def target_path(parts: Target) -> bytes:
    """Path and query of a target that has them."""
    return parts.path if parts.query is None else b"%b?%b" % (parts.path, parts.query)


@plain_fetch("path", STR, REQUEST, "The path, without the query")
def path(x: Any) -> Any:
    head = x.head
    if head is None:
        return None
    if head.parts is None:
        target = head.target
        return target.partition(b"?")[0] if QUESTION_MARK in target else target
    return head.parts.path if head.parts.form is Form.ABSOLUTE else None


@plain_fetch("pathq", STR, REQUEST, "Path and query")
def pathq(x: Any) -> Any:
    head = x.head
    return None if head is None else pathq_of(head)


@plain_fetch("query", STR, REQUEST, "The query: what follows the question mark; nothing where there is none")
def query(x: Any) -> Any:
    head = x.head
    if head is None:
        return None
    _, mark, found = head.target.partition(b"?")
    return found if mark else None


@plain_fetch("base", STR, REQUEST, "Host and path")
def base(x: Any) -> Any:
    return _with_host(x, path(x))


@plain_fetch("baseq", STR, REQUEST, "Host, path and query")
def baseq(x: Any) -> Any:
    return _with_host(x, pathq(x))


def _with_host(x: Any, found: bytes | None) -> bytes | None:
    """Host and path; the host alone where there is no path (`*`)."""
    head = x.head
    if head is None:
        return None
    host: bytes | None = head.block.host
    if not host:
        return found
    return host if found is None else host + found


def _hash_of(text_of: Callable[[Any], Any]) -> Fetch:
    def run(x: Any) -> int | None:
        text = text_of(x)
        return None if text is None else avalanche(sdbm(text))

    return run


def _with_source(hash_of: Fetch) -> Fetch:
    def run(x: Any) -> bytes | None:
        number = hash_of(x)
        source: bytes = x.session.source
        return number.to_bytes(4, "big") + source if number is not None and source else None

    return run


base32 = plain_fetch("base32", INT, REQUEST, "A hash of base")(_hash_of(base))
url32 = plain_fetch("url32", INT, REQUEST, "A hash of baseq")(_hash_of(baseq))
_SOURCE_TOO = Needs.HEAD | Needs.CONNECTION
plain_fetch("base32+src", BIN, REQUEST, "base32 and the client's address", needs=_SOURCE_TOO)(_with_source(base32))
plain_fetch("url32+src", BIN, REQUEST, "url32 and the client's address", needs=_SOURCE_TOO)(_with_source(url32))


def _authority(x: Any) -> bytes | None:
    head = x.head
    if head is None or head.parts is None or not head.parts.authority:
        return None
    return bare_authority(head.parts.authority)


@plain_fetch("url_ip", IP, REQUEST, "The address in an absolute target")
def url_ip(x: Any) -> bytes | None:
    authority = _authority(x)
    return None if authority is None else pack_ip(split_port(authority)[0].strip(b"[]"))


@plain_fetch("url_port", INT, REQUEST, "The port behind an address in an absolute target, 80 if it names none")
def url_port(x: Any) -> int | None:
    authority = _authority(x)
    if authority is None or url_ip(x) is None:
        return None
    port = split_port(authority)[1]
    return int(port) if port.isdigit() else 80


@plain_fetch("req.ver req_ver", STR, REQUEST, "The version, as 1.1")
def version(x: Any) -> Any:
    head = x.head
    return None if head is None else b"1.1" if head.version == 11 else b"1.0"


@plain_fetch("req.proto_http req_proto_http", BOOL, REQUEST_KEPT, "Whether the request is one of HTTP")
def proto_http(x: Any) -> bool:
    return x.head is not None


@plain_fetch("http_first_req", BOOL, REQUEST_KEPT, "Whether it is the connection's first request")
def first_request(x: Any) -> Any:
    return x.request_number == 0


@plain_fetch("unique-id", STR, BOTH | REQUEST_KEPT, "What unique-id-format made", needs=Needs.HEAD)
def unique_id(x: Any) -> bytes | None:
    return format_source.unique_id(x) or None


# What is kept of the request as it was received, whatever rules have made of it.


@plain_fetch("capture.req.method", STR, REQUEST_KEPT, "The method, as received")
def captured_method(x: Any) -> Any:
    head = x.head
    return None if head is None else head.line.partition(b" ")[0]


@plain_fetch("capture.req.uri", STR, REQUEST_KEPT, "Path and query, as received")
def captured_uri(x: Any) -> Any:
    head = x.head
    if head is None:
        return None
    words = head.line.split(None, 2)
    target: bytes = words[1]
    if target[:1] == b"/":
        return target
    parts = read_target(target, words[0])
    return None if parts is None or parts.form is not Form.ABSOLUTE else target_path(parts)


@plain_fetch("capture.req.ver", STR, REQUEST_KEPT, "The version, as HTTP/1.1")
def captured_version(x: Any) -> Any:
    head = x.head
    return None if head is None else b"HTTP/1.1" if head.version == 11 else b"HTTP/1.0"


def captured(attribute: str) -> Callable[[Call], Fetch]:
    def make(call: Call) -> Fetch:
        index = call.values[0]
        if index < 0:
            raise call.error("captures are numbered from 0", 0)

        def run(x: Any) -> bytes | None:
            captures = getattr(x, attribute)
            if index >= len(captures) or captures[index] is None:
                return None
            text: str = captures[index]
            return text.encode("utf-8", "surrogateescape")

        return run

    return make


fetch("capture.req.hdr", STR, REQUEST_KEPT, "A captured header of the request", arguments="index:integer")(
    captured("request_captures")
)


# Parameters of the query.


def parameters(text: bytes, delimiters: bytes) -> list[tuple[bytes, bytes]]:
    """(name, value) for each parameter that has an `=`, in order. The first of `delimiters` parts them."""
    first = delimiters[:1]
    for other in delimiters[1:]:
        text = text.replace(bytes((other,)), first)
    found = []
    for part in text.split(first):
        name, equals, value = part.partition(b"=")
        if equals:
            found.append((name, value))
    return found


def _parameters_of(call: Call) -> tuple[bytes | None, Callable[[Any], bytes | None], bytes]:
    """Name, the function that gives the text with the parameters, and what parts them."""
    name, delimiter = call.values
    if delimiter is not None and len(delimiter) != 1:
        raise call.error("the delimiter is one character", 1)
    mark = delimiter or b"?"

    def text(x: Any) -> bytes | None:
        head = x.head
        if head is None:
            return None
        _, found, rest = head.target.partition(mark)
        return rest if found else None

    return name or None, text, b"&;" + mark


def first_parameter(name: bytes | None, text: Callable[[Any], bytes | None], delimiters: bytes) -> Fetch:
    """scope -> the first parameter of that name, or at all where it is None."""

    def run(x: Any) -> bytes | None:
        query = text(x)
        if query is None:
            return None
        for found, value in parameters(query, delimiters):
            if name is None or found == name:
                return value
        return None

    return run


def all_parameters(name: bytes | None, text: Callable[[Any], bytes | None], delimiters: bytes) -> Fetch:
    """scope -> all parameters of that name."""

    def each(x: Any) -> list[bytes]:
        query = text(x)
        if query is None:
            return []
        return [value for found, value in parameters(query, delimiters) if name is None or found == name]

    return each


@fetch(
    "url_param urlp",
    STR,
    REQUEST,
    "A parameter of the query",
    arguments="name:string? delimiter:string?",
    each=lambda call: all_parameters(*_parameters_of(call)),
)
def _url_param(call: Call) -> Fetch:
    return first_parameter(*_parameters_of(call))


def _numbers(each: Fetch) -> Fetch:
    def numbers(x: Any) -> list[int]:
        return [number for value in each(x) if (number := leading_number(value)) is not None]

    return numbers


def leading_number(value: bytes) -> int:
    """The decimal number at a text's start, 0 without one (`hdr_val`, `urlp_val` ...)."""
    return str_to_int(value) or 0


@fetch(
    "urlp_val",
    INT,
    REQUEST,
    "A parameter of the query, as a number",
    arguments="name:string? delimiter:string?",
    each=lambda call: _numbers(all_parameters(*_parameters_of(call))),
)
def _urlp_val(call: Call) -> Fetch:
    read = first_parameter(*_parameters_of(call))

    def run(x: Any) -> int | None:
        value = read(x)
        return None if value is None else leading_number(value)

    return run
