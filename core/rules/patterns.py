"""Patterns: the texts of one matching method made ready to be searched in.

Owns: the methods (`-m`), which type each wants, how each reads its patterns, `why` for explanations. Must not know:
where patterns come from (ACL lines, files, the runtime API), flags. Errors are ConfigErrors at the word that is wrong.

A `Patterns` may be changed while it is used: `load` replaces all of it, and every test that was made with it follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from .expression import Word
from .matching import Exact, Matcher, Methods, Presence, Regexes, Test, Truth
from .ranges import Lengths, Networks, Numbers, read_network, read_range
from .regexes import compile_regex
from .samples import BIN, BOOL, INT, IP, METH, STR, Type, unpack_ip
from .searching import Prefixes, Substrings, Suffixes, Words


class PatternError(ValueError):
    """A pattern that cannot be read: `text` is the whole pattern."""

    def __init__(self, message: str, text: bytes) -> None:
        super().__init__(message)
        self.text = text


DIR_DELIMITERS = b"/?"
DOM_DELIMITERS = b"/?.:"


def _as_written(text: bytes) -> bytes:
    return text


def _hexadecimal(text: bytes) -> bytes:
    if len(text) % 2:
        raise ValueError("an even number of hexadecimal digits is expected")
    try:
        return bytes.fromhex(text.decode("ascii")) if b" " not in text else _refuse_hexadecimal()
    except ValueError:
        raise ValueError("hexadecimal digits are expected") from None


def _refuse_hexadecimal() -> bytes:
    raise ValueError


def _unresolved_network(text: bytes) -> Any:
    return read_network(text, resolve=False)


@dataclass(frozen=True, slots=True)
class Method:
    """One matching method. `want` None: the value as it is."""

    name: str
    want: Type | None
    read: Callable[[bytes], Any]
    make: Callable[[bool], Matcher]
    """fold -> an empty matcher."""
    patterns: bool = True
    """Whether it compares with patterns at all."""


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("found", None, _as_written, lambda fold: Presence(), patterns=False),
        Method("bool", INT, _as_written, lambda fold: Truth(), patterns=False),
        Method("int", INT, read_range, lambda fold: Numbers()),
        Method("ip", IP, read_network, lambda fold: Networks()),
        Method("bin", BIN, _hexadecimal, lambda fold: Exact(False)),
        Method("len", STR, read_range, lambda fold: Lengths()),
        Method("str", STR, _as_written, Exact),
        Method("beg", STR, _as_written, Prefixes),
        Method("sub", STR, _as_written, Substrings),
        Method("dir", STR, _as_written, lambda fold: Words(fold, DIR_DELIMITERS)),
        Method("dom", STR, _as_written, lambda fold: Words(fold, DOM_DELIMITERS)),
        Method("end", STR, _as_written, Suffixes),
        Method("reg", STR, _as_written, lambda fold: Regexes()),
        Method("meth", METH, _as_written, Methods),
    )
}
"""`meth` is what the fetch `method` is matched by, and cannot be asked for."""

DEFAULT_METHODS: dict[Type, str] = {BOOL: "bool", INT: "int", IP: "ip", STR: "str"}
"""What a value is matched by where no method is written. The other types have none."""


class Patterns:
    """Patterns of one method that can be searched."""

    __slots__ = ("_read", "count", "found", "ignore_case", "match", "matcher", "method", "shared", "want")

    def __init__(self, method: str, ignore_case: bool = False, resolve: bool = True) -> None:
        """Empty. `resolve`: names of hosts among networks are asked for. KeyError: there is no such method."""
        self.method = METHODS[method]
        self.want = self.method.want
        """The type that values must have."""
        self.ignore_case = ignore_case
        self.matcher = self.method.make(ignore_case)
        self.match: Callable[[Any], bool] = self.matcher.match
        self.found: Callable[[Any], Any] = self.matcher.found
        """value -> the payload of the pattern that matches, or None."""
        self.count = 0
        """How many there are, unless they are shared."""
        self.shared = False
        """Do they belong to a file, which is searched itself?"""
        self._read = self.method.read
        if method == "ip" and not resolve:
            self._read = _unresolved_network

    def read(self, text: bytes) -> Any:
        """The key of a pattern. ValueError."""
        if self.method.name == "reg":
            return compile_regex(text, self.ignore_case)
        return self._read(text)

    def load(self, entries: Iterable[tuple[bytes, Any]]) -> None:
        """Replace all patterns by these: (text, payload). PatternError for the first that is wrong; nothing has
        changed then."""
        read = self.read
        listed = []
        for text, payload in entries:
            try:
                listed.append((read(text), payload))
            except ValueError as error:
                raise PatternError(str(error), text) from None
        self.matcher.load(listed)
        self.count = len(listed)

    @property
    def shares(self) -> bool:
        """Can it search in a dict that belongs to somebody else?"""
        return type(self.matcher) is Exact and not self.ignore_case and self.method.name == "str"

    def share(self, table: dict[bytes, Any]) -> None:
        """Search in this very dict, text -> payload, which its owner changes in place; before any test is made."""
        assert isinstance(self.matcher, Exact)
        self.matcher.share(table)
        self.found = self.matcher.found
        self.shared = True

    def add(self, text: bytes, payload: Any) -> bool:
        """Append one pattern; False: nothing is done, `load` has to. ValueError."""
        done = self.shared or self.matcher.add(self.read(text), payload)
        self.count += done
        return done

    def remove(self, text: bytes) -> bool:
        """Take out one pattern; False: nothing is done, `load` has to."""
        done = self.shared or self.matcher.remove(self.read(text))
        self.count -= done
        return done

    def set(self, text: bytes, payload: Any) -> bool:
        """Change the payload of one pattern; False: nothing is done, `load` has to."""
        return self.matcher.set(self.read(text), payload)

    def over(self, run: Callable[[Any], Any]) -> Test:
        return self.matcher.over(run)

    def over_each(self, each: Callable[[Any], Any]) -> Test:
        return self.matcher.over_each(each)

    def why(self, value: Any) -> str:
        """For people: what this value meets, or does not meet. `value` as `match` takes it, of type `want`."""
        method = self.method
        shown = show_sample(IP, value) if method.want is IP else show_value(value)
        if not method.patterns:
            return f"{shown} is {'there' if method.name == 'found' else 'true' if value else 'false'}"
        hit = self.found(value)
        case = ", whatever the case" if self.ignore_case else ""
        if hit is not None:
            pattern = show_value(hit) if isinstance(hit, bytes) else "a pattern"
            return f"{shown} matches {pattern} ({method.name}{case})"
        return f"{shown} matches no pattern ({method.name}{case})"


_RANGE = "an integer, or a range such as 10:20, 10: or :20"
_WRITTEN = {
    "int": _RANGE,
    "len": _RANGE,
    "ip": "such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
    "bin": "pairs of hexadecimal digits, such as 0d0a",
    "reg": "what is meant as it stands is written behind a backslash: `\\.` `\\(` `\\[`",
}
"""How a pattern of a method is written."""


def compile_patterns(
    method: str, words: Sequence[Word], *, ignore_case: bool = False, resolve: bool = True
) -> Patterns:
    """Patterns written in a line. Their payload is their text. Raises ConfigError at the word that is wrong, and for an
    unknown method (without a place)."""
    if method not in METHODS:
        raise ConfigError(f"unknown matching method '{method}'", word=method, hint=f"one of {', '.join(METHODS)}")
    patterns = Patterns(method, ignore_case, resolve)
    texts = [word.text.encode("utf-8", "surrogateescape") for word in words]
    try:
        patterns.load(zip(texts, texts, strict=True))
    except PatternError as error:
        word = words[texts.index(error.text)]
        raise ConfigError(str(error), column=word.column, word=word.text, hint=_WRITTEN.get(method, "")) from None
    return patterns


def show_value(value: Any) -> str:
    """A value for people."""
    if isinstance(value, bytes):
        return "'" + value.decode("utf-8", "backslashreplace") + "'"
    return str(value)


def show_sample(kind: Type, value: Any) -> str:
    """A value of a known type for people."""
    return unpack_ip(value).decode() if kind is IP else show_value(value)
