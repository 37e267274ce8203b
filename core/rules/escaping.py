"""How bytes that came from a client are made safe for a log line.

Owns: the escape rules of the manual's chapter 8.6 and the flag E of chapter 8.2.6. Invariant: whatever goes in, what
comes out is printable ASCII in one line, in which a quote ends the field and (for captures) a brace or bar ends the
capture. Must not know: what the texts mean.

Rules, found by experiment where the manual is silent: a byte outside 32..126, `#` and `"` become `#` and two upper-case
hexadecimal digits; in captured headers `{`, `|` and `}` too. With flag E, `\\` and `]` get a backslash before them, and
so does `"` where it is not replaced: in our own texts.
"""

from __future__ import annotations

_ALWAYS = set(range(32)) | set(range(127, 256)) | set(b'#"')
_BRACES = set(b"{|}")
_SYNTAX = set(b"\\]")


def _plain(escaped: set[int]) -> bytes:
    return bytes(sorted(set(range(256)) - escaped))


def _table(hashed: set[int], slashed: frozenset[int] | set[int] = frozenset()) -> dict[int, str]:
    table = {code: f"#{code:02X}" for code in hashed}
    table.update({code: "\\" + chr(code) for code in slashed})
    return table


_LINE_PLAIN = _plain(_ALWAYS)
_LINE_TABLE = _table(_ALWAYS)
_LINE_E_PLAIN = _plain(_ALWAYS | _SYNTAX)
_LINE_E_TABLE = _table(_ALWAYS, _SYNTAX)
_CAPTURE_TABLE = _table(_ALWAYS | _BRACES)
_CAPTURE_E_TABLE = _table(_ALWAYS | _BRACES, _SYNTAX)
SYNTAX_TABLE = _table(set(), _SYNTAX | set(b'"'))
"""Flag E: what RFC 5424 6.3.3 forbids in a parameter's value."""
_CONTROLS = {*range(9), *range(10, 32), 127}
CONTROL_TABLE = _table(_CONTROLS)
"""Control characters, tabs excepted, for values of expressions in log lines."""
PERCENT_TABLE = {code: f"%{code:02X}" for code in _CONTROLS}
"""The same for values of expressions in messages."""


def escape_line(raw: bytes) -> str:
    """A request line, method or target for the log."""
    # Deleting what is plain and looking whether anything is left costs 0.08 us, a table translation 1.2 us.
    if not raw.translate(None, _LINE_PLAIN):
        return raw.decode("latin-1")
    return raw.decode("latin-1").translate(_LINE_TABLE)


def escape_line_e(raw: bytes) -> str:
    """The same with flag E."""
    if not raw.translate(None, _LINE_E_PLAIN):
        return raw.decode("latin-1")
    return raw.decode("latin-1").translate(_LINE_E_TABLE)


def escape_capture(text: str) -> str:
    """A captured header between braces; `text` holds one character a byte (latin-1)."""
    return text.translate(_CAPTURE_TABLE)


def escape_capture_e(text: str) -> str:
    """The same with flag E."""
    return text.translate(_CAPTURE_E_TABLE)


def escape_text_e(text: str) -> str:
    """One of our own texts (a name, an address) with flag E: only what RFC 5424 6.3.3 forbids in a parameter's
    value."""
    return text.translate(SYNTAX_TABLE)
