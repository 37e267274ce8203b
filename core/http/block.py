"""Header blocks: all header lines of one message, what they say together, and what is forwarded of them.

Owns: HeaderBlock and its reading (S1, S2, S4, S5, S7, S8, S14, S15). Must not know: start lines, so everything that
depends on method, version or status is decided in head.py. Invariants: a HeaderBlock never changes after it is made,
for it is shared by all requests whose block has the same bytes; `wire` is empty or ends with CR LF and holds no
close, keep-alive or upgrade token.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar

from ..errors import ClientProtocolError, ExchangeError, ServerProtocolError
from .fields import COUNT_MASK, HOST, KEEP_ALIVES, LENGTH, PLAIN, FieldLines, Folded, Line
from .lengths import Coding, read_content_length, read_transfer_encoding
from .limits import Limits
from .memo import Memo

_LONGEST_REMEMBERED = 4096
_HOP_TOKENS = (b"", b"close", b"keep-alive")
_PAIR: itemgetter[int] = itemgetter(2)


class HeaderBlock:
    """What a header block says. `wire` is what is forwarded. `content_length` is -1 and `chunked` False where a body
    has no such framing. `conflict`: both framings were given, and Transfer-Encoding won (S2). `upgrade`: the Upgrade
    values, where a Connection token upgrade makes them one (without h2 and h2c, S15). `plain`: nothing that head.py
    would have to look at: no length, coding, close, upgrade or expectation. A Host may be there."""

    __slots__ = (
        "_fields",
        "_lines",
        "bound",
        "chunked",
        "close",
        "conflict",
        "content_length",
        "expect_continue",
        "host",
        "index",
        "keep_alive",
        "plain",
        "repeats",
        "ruled",
        "upgrade",
        "wire",
    )

    edited: ClassVar[bool] = False
    """Is this an exchange's own copy, which rules may change (edit.EditedBlock)?"""
    wire: bytes
    index: dict[bytes, bytes] | None
    """Name -> value of its last line; None until `make_index` was called."""
    repeats: bool
    """Does any name have several lines? Set with the index."""
    ruled: tuple[Any, ...] | None
    """What a rule set makes of the block (rules.fused): the set's own mark and the block to go on with, None for this
    one; a head with this block and the one to go on with. For blocks that have their index."""
    bound: tuple[Any, ...] | None
    """What somebody who binds requests to servers has read of the block: his own mark, and what he likes. Set with the
    index."""
    content_length: int
    chunked: bool
    conflict: bool
    close: bool
    keep_alive: bool
    upgrade: bytes
    expect_continue: bool
    host: bytes | None
    plain: bool

    def __init__(self, lines: list[Line], wire: bytes, host: bytes | None, length: int, plain: bool) -> None:
        self._lines = lines
        self._fields: tuple[tuple[bytes, bytes], ...] | None = None
        self.index = None
        self.repeats = False
        self.ruled = None
        self.wire = wire
        self.content_length = length
        self.chunked = False
        self.conflict = False
        self.close = False
        self.keep_alive = False
        self.upgrade = b""
        self.expect_continue = False
        self.host = host
        self.plain = plain

    @property
    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """Everything as received, names in lower case, values without the spaces around them. Made when first asked
        for: a request without rules never asks, and it costs 0.6 µs for 12 headers."""
        if self._fields is None:
            self._fields = tuple(map(_PAIR, self._lines))
        return self._fields

    def make_index(self) -> dict[bytes, bytes]:
        """Make the index, for rules: a dict of twelve headers costs as much as looking for two of them in the list.
        `block.index or block.make_index()` is how it is asked for."""
        self.index = index = dict(map(_PAIR, self._lines))
        self.bound = None
        self.repeats = len(index) != len(self._lines)
        token = index.get(b"connection")
        if token is not None:
            if token.lower() in _HOP_TOKENS and not self.repeats:
                del index[b"connection"]
            else:
                seen = dict(self._without_hop())
                index.clear()
                index.update(seen)
        return index

    def seen(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields as rules see them: without the tokens `close` and `keep-alive`, which are between the client and
        us (HAProxy's rules do not see them either)."""
        index = self.index or self.make_index()
        fields = self.fields
        if len(index) == len(fields) and b"connection" not in index:
            return fields
        return self._without_hop()

    def _without_hop(self) -> tuple[tuple[bytes, bytes], ...]:
        pairs = []
        for name, value in self.fields:
            if name == b"connection":
                tokens = [token.strip(b" \t") for token in value.split(b",")]
                value = b", ".join([token for token in tokens if token.lower() not in _HOP_TOKENS])
                if not value:
                    continue
            pairs.append((name, value))
        return tuple(pairs)

    def values(self, name: bytes) -> list[bytes]:
        """The values of all lines of that name (lower-case), as rules see them."""
        return [value for found, value in self.seen() if found == name]

    def copy(self) -> HeaderBlock:
        """A block of one's own, which may be changed before it is shown to anybody else."""
        copy = HeaderBlock(self._lines, self.wire, self.host, self.content_length, self.plain)
        copy.chunked = self.chunked
        copy.conflict = self.conflict
        copy.close = self.close
        copy.keep_alive = self.keep_alive
        copy.upgrade = self.upgrade
        copy.expect_continue = self.expect_continue
        return copy

    def with_line(self, name: bytes, value: bytes | None) -> HeaderBlock:
        """A block in which the only line of that name, which neither frames a body nor is a Host, has another value;
        None: in which it is not. It has what is asked for once a head is read, no more."""
        lines = self._lines.copy()
        wire = self.wire
        for place, (old, mark, (found, _)) in enumerate(lines):
            if found == name:
                new = b"" if value is None else b"%b: %b\r\n" % (name, value)
                at = (b"\r\n" + wire).index(b"\r\n" + old)
                wire = wire[:at] + new + wire[at + len(old) :]
                if value is None:
                    del lines[place]
                else:
                    lines[place] = (new, mark, (name, value))
                break
        return HeaderBlock(lines, wire, self.host, -1, False)

    def get(self, name: bytes) -> bytes | None:
        """The first value of a header (lower-case name), None without one."""
        for _, _, (found, value) in self._lines:
            if found == name:
                return value
        return None


class BlockReader:
    """Reads the header blocks of one direction, and remembers them. One thread only."""

    __slots__ = ("_line_of", "_max_lines", "_memo", "_refuse", "_request", "block_of")

    def __init__(self, limits: Limits, *, request: bool) -> None:
        unsafe = limits.accept_unsafe_request if request else limits.accept_unsafe_response
        self._line_of = FieldLines(request=request, unsafe=unsafe, entries=limits.cache_size).__getitem__
        # Whole response heads are remembered (head.py); their blocks alone would be a second copy of the same.
        self._memo: Memo[HeaderBlock] = Memo(limits.cache_size if request else 0, _LONGEST_REMEMBERED)
        self._max_lines = min(limits.max_headers - 1, COUNT_MASK)
        self._request = request
        self._refuse: type[ExchangeError] = ClientProtocolError if request else ServerProtocolError
        self.block_of = self._memo.table.get
        """The block of these bytes, if remembered. Looked at before `read`, without a call into Python."""

    def read(self, raw: bytes) -> HeaderBlock:
        """Read the bytes between the start line and the end of the blank line. Raises the direction's protocol
        error."""
        texts = raw.split(b"\r\n")
        if len(texts) < 2 or texts.pop() or texts.pop():
            raise self._refuse("header block without a blank line")
        if len(texts) > self._max_lines:
            raise self._refuse("too many headers")
        try:
            lines = [*map(self._line_of, texts)]
        except Folded:
            lines = [*map(self._line_of, self._unfold(texts))]
        total = 0
        length = -1
        host = None
        wires = []
        for wire, mark, pair in lines:
            wires.append(wire)
            if mark:
                total += mark
                if mark == HOST:
                    host = pair[1]
                elif mark == LENGTH:
                    length = int(pair[1])
        if total < 2 * LENGTH and total & COUNT_MASK <= HOST:
            # At most one Host and one length, nothing else that matters but perhaps keep-alive.
            block = HeaderBlock(lines, b"".join(wires), host, length, length < 0)
            if total & KEEP_ALIVES:
                block.keep_alive = True
        else:
            block = self._read_closely(lines, wires)
        self._memo.offer(raw, block)
        return block

    def _read_closely(self, lines: list[Line], wires: list[bytes]) -> HeaderBlock:
        """Every line that matters is looked at, and `wires` corrected."""
        block = HeaderBlock(lines, b"", None, -1, False)
        codings: list[bytes] = []
        lengths: list[int] = []
        upgrades: list[bytes] = []
        wants_upgrade = False
        for place, (_, mark, (name, value)) in enumerate(lines):
            if mark == PLAIN:
                continue
            if name == b"host":
                if block.host is None:
                    block.host = value
                elif block.host.lower() != value.lower():
                    raise self._refuse("different Hosts")
                else:
                    wires[place] = b""
            elif name == b"content-length":
                number = read_content_length(value)
                if lengths:
                    if number != block.content_length:
                        raise self._refuse("different Content-Lengths")
                    wires[place] = b""
                block.content_length = number
                lengths.append(place)
            elif name == b"transfer-encoding":
                if codings:
                    wires[place] = b""
                else:
                    wires[place] = b"transfer-encoding: chunked\r\n"
                codings.append(value)
            elif name == b"connection":
                for token in value.lower().split(b","):
                    option = token.strip(b" \t")
                    if option == b"close":
                        block.close = True
                    elif option == b"keep-alive":
                        block.keep_alive = True
                    elif option == b"upgrade":
                        wants_upgrade = True
            elif name == b"upgrade":
                if wires[place]:
                    upgrades.append(wires[place][9:-2])
            elif name == b"expect":
                block.expect_continue |= value.lower() == b"100-continue"
        if codings:
            self._refuse_codings(codings)
            block.chunked = True
            for place in lengths:
                wires[place] = b""
            block.conflict = bool(lengths)
            block.content_length = -1
        if wants_upgrade and upgrades:
            block.upgrade = b", ".join(upgrades)
        block.wire = b"".join(wires)
        if wires != [line[0] for line in lines]:
            # Rules compose the forwarded bytes from the lines: what was taken out must not come back.
            block._lines = [(wire, mark, pair) for wire, (_, mark, pair) in zip(wires, lines, strict=True)]
        block.plain = not (
            block.close or block.chunked or block.upgrade or block.expect_continue or block.content_length >= 0
        )
        return block

    def _refuse_codings(self, codings: list[bytes]) -> None:
        """Only `chunked` alone is relayed, in both directions: HAProxy refuses a response with `gzip` too (S4, S5)."""
        verdict = read_transfer_encoding(codings)
        if verdict is Coding.UNKNOWN_CHUNKED and self._request:
            raise self._refuse("unsupported transfer coding", 422)
        if verdict is not Coding.CHUNKED:
            raise self._refuse("bad Transfer-Encoding")

    def _unfold(self, lines: list[bytes]) -> list[bytes]:
        """Join continuation lines to theirs, each CR LF replaced by two spaces (obs-fold, RFC 9112 5.2, S9)."""
        unfolded: list[bytes] = []
        for line in lines:
            if line[:1] not in (b" ", b"\t"):
                unfolded.append(line)
            elif unfolded:
                unfolded[-1] += b"  " + line
            else:
                raise self._refuse("space before the first header")
        return unfolded
