"""Fetches of the bytes of TCP streams, before anybody has understood them (manual 7.3.5, layer 6 and payload).

Owns: these, and telling whether more bytes could change what they say. Must not know: who collects the bytes and waits
for more (relay/inspection), TLS and RDP (hello, rdp).

A fetch whose answer may change with the next bytes sets `unsure` on the scope; a rule of `tcp-request content` that is
not true because of it is looked at again when they are here (inspecting). Streams of HTTP have been understood already:
of them only lengths are told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import hello
from .catalogue import BOTH, REQUEST, RESPONSE, Call, Fetch, Needs, Stage, fetch, plain_fetch
from .hello import MORE, ClientHello, Reading, hello_type, hello_version, read_client_hello
from .rdp import read_cookie
from .samples import BIN, BOOL, INT, STR

_RESPONSE_STAGES = RESPONSE & ~Stage.CHECK
_MOST = 1 << 20
"""Offsets and lengths beyond any buffer."""

Bytes = Callable[[Any], bytes | None]


def of_request(x: Any) -> bytes | None:
    """What has come from the client and was not sent on; None of HTTP."""
    found: bytes | None = x.request_payload()
    return found


def of_response(x: Any) -> bytes | None:
    """The same of the server."""
    found: bytes | None = x.response_payload()
    return found


def of_message(call: Call) -> Bytes:
    """Which bytes a name means that does not say it."""
    if call.name.startswith("res"):
        return of_response
    if call.name.startswith("req"):
        return of_request
    return of_response if call.stage & _RESPONSE_STAGES and not call.stage & REQUEST else of_request


def _buffer(call: Call) -> int:
    """tune.bufsize: what lies behind it never comes."""
    size: int = getattr(call.site.process, "bufsize", 16384)
    return size


# Lengths, and the end.


@plain_fetch("req.len req_len", INT, REQUEST, "How many bytes of the client are here", needs=Needs.PAYLOAD)
def request_length(x: Any) -> Any:
    found = x.request_payload()
    x.unsure = True
    if found is not None:
        return len(found)
    head = x.head
    return None if head is None else len(head.start) + len(head.block.wire) + 2 + len(x.body())


@plain_fetch("res.len", INT, RESPONSE, "How many bytes of the server are here", needs=Needs.PAYLOAD)
def response_length(x: Any) -> Any:
    found = x.response_payload()
    x.unsure = True
    if found is not None:
        return len(found)
    answer = x.answer
    return None if answer is None else len(answer.start) + len(answer.block.wire) + 2


@plain_fetch(
    "wait_end", BOOL, BOTH, "True when the time of inspect-delay is over, or no more can come", needs=Needs.PAYLOAD
)
def wait_end(x: Any) -> Any:
    if x.uncertain:
        x.unsure = True
        return None
    return True


# Bytes.


@fetch(
    "req.payload res.payload payload",
    BIN,
    BOTH,
    "Bytes from an offset on; length 0: all that are here",
    arguments="offset:integer length:integer",
    needs=Needs.PAYLOAD,
)
def _payload(call: Call) -> Fetch:
    offset, length = call.values
    for index, value in enumerate(call.values):
        if not 0 <= value < _MOST:
            raise call.error("a number of bytes is expected", index)
    data_of = of_message(call)
    end = offset + length
    if end > _buffer(call):
        return lambda x: None

    def run(x: Any) -> bytes | None:
        found = data_of(x)
        if found is None:
            return None
        if len(found) < end:
            x.unsure = True
            return None
        if length:
            return found[offset:end]
        x.unsure = True
        return found[offset:]

    return run


@fetch(
    "req.payload_lv res.payload_lv payload_lv",
    BIN,
    BOTH,
    "Bytes whose number is said at an offset; where they begin: behind it, or at an absolute or +- relative offset",
    arguments="offset:integer length:integer start:string?",
    needs=Needs.PAYLOAD,
)
def _payload_lv(call: Call) -> Fetch:
    offset, width, start = call.values
    if not 0 <= offset < _MOST:
        raise call.error("an offset is expected", 0)
    if not 0 < width <= 8:
        raise call.error("a length takes 1 to 8 bytes", 1)
    behind = begin = offset + width
    if start:
        try:
            number = int(start)
        except ValueError:
            raise call.error(f"'{start.decode()}' is no offset", 2) from None
        begin = behind + number if start[:1] in (b"+", b"-") else number
        if begin < 0:
            raise call.error("that is before the first byte", 2)
    data_of = of_message(call)
    most = _buffer(call)

    def run(x: Any) -> bytes | None:
        found = data_of(x)
        if found is None:
            return None
        if len(found) < behind:
            x.unsure = True
            return None
        size = int.from_bytes(found[offset:behind], "big")
        if not size or size + begin > most:
            return None
        if len(found) < begin + size:
            x.unsure = True
            return None
        return found[begin : begin + size]

    return run


# TLS.


def _looking(data_of: Bytes, read: Callable[[bytes], Any]) -> Fetch:
    """A fetch of what a reader finds in the bytes."""

    def run(x: Any) -> Any:
        found = data_of(x)
        if found is None:
            return None
        value = read(found)
        if isinstance(value, Reading):
            if value is MORE:
                x.unsure = True
            return None
        return value

    return run


@fetch(
    "req.ssl_hello_type req_ssl_hello_type",
    INT,
    REQUEST,
    "Type of the first TLS message: 1 for a client's hello",
    needs=Needs.PAYLOAD,
)
def _request_hello_type(call: Call) -> Fetch:
    return _looking(of_request, hello_type)


@fetch(
    "res.ssl_hello_type rep_ssl_hello_type",
    INT,
    RESPONSE,
    "Type of the server's first TLS message: 2 for its hello",
    needs=Needs.PAYLOAD,
)
def _response_hello_type(call: Call) -> Fetch:
    return _looking(of_response, hello_type)


@fetch(
    "req.ssl_ver req_ssl_ver",
    INT,
    REQUEST,
    "Version in the client's hello, major * 65536 + minor; patterns are written 3.1",
    needs=Needs.PAYLOAD,
)
def _version(call: Call) -> Fetch:
    return _looking(of_request, hello_version)


_LATEST: list[tuple[bytes, ClientHello | Reading]] = [(b"", MORE)]
"""Bytes, and the hello in them: several rules ask of one connection in turn, and to read it costs 15 us."""


def hello_in(data: bytes) -> ClientHello | Reading:
    """The hello at the start of a stream; looked for once in the same bytes."""
    latest = _LATEST[0]
    if latest[0] is data:
        return latest[1]
    found = read_client_hello(data)
    _LATEST[0] = (data, found)
    return found


def _of_hello(names: str, kind: Any, summary: str, tell: Callable[[ClientHello], Any]) -> None:
    """Register a fetch of something in the client's hello."""

    def read(data: bytes) -> Any:
        found = hello_in(data)
        return found if isinstance(found, Reading) else tell(found)

    @fetch(names, kind, REQUEST, summary, needs=Needs.PAYLOAD)
    def _make(call: Call) -> Fetch:
        return _looking(of_request, read)


def _ticket(found: ClientHello) -> int | None:
    if not found.extensions:
        return None
    content = found.extensions.get(hello.SESSION_TICKET)
    return 0 if content is None else 2 if content else 1


_of_hello("req.ssl_sni req_ssl_sni", STR, "Server name in the client's hello", lambda found: found.server_name)
_of_hello("req.ssl_alpn", STR, "First of the protocols that the client's hello offers", lambda found: found.protocol)
_of_hello("req.ssl_st_ext", INT, "Session ticket of the hello: 0 not spoken of, 1 asked for, 2 there", _ticket)
_of_hello(
    "req.ssl_ec_ext",
    BOOL,
    "Whether the client's hello says which elliptic curves it knows",
    lambda found: True if hello.SUPPORTED_GROUPS in found.extensions else None,
)
_of_hello("req.ssl_cipherlist", BIN, "Cipher suites of the client's hello, two bytes each", lambda found: found.ciphers)
_of_hello(
    "req.ssl_sigalgs",
    BIN,
    "Signature algorithms of the client's hello, two bytes each",
    lambda found: found.list_of(hello.SIGNATURE_ALGORITHMS),
)
_of_hello(
    "req.ssl_supported_groups",
    BIN,
    "Groups that the client's hello says it knows, two bytes each",
    lambda found: found.list_of(hello.SUPPORTED_GROUPS),
)
_of_hello(
    "req.ssl_keyshare_groups",
    BIN,
    "Groups of the key shares in the client's hello, two bytes each",
    lambda found: found.key_share_groups,
)


# RDP.


@fetch(
    "req.rdp_cookie rdp_cookie",
    STR,
    REQUEST,
    "Cookie of a Remote Desktop client",
    arguments="name:string?",
    needs=Needs.PAYLOAD,
)
def _rdp_cookie(call: Call) -> Fetch:
    name = call.values[0] or b""
    return _looking(of_request, lambda data: read_cookie(data, name))


@fetch(
    "req.rdp_cookie_cnt rdp_cookie_cnt",
    INT,
    REQUEST,
    "Whether a Remote Desktop client sent that cookie: 1 or 0",
    arguments="name:string?",
    needs=Needs.PAYLOAD,
)
def _rdp_cookies(call: Call) -> Fetch:
    name = call.values[0] or b""

    def read(data: bytes) -> int | Reading:
        found = read_cookie(data, name)
        return found if found is MORE else int(isinstance(found, bytes))

    return _looking(of_request, read)
