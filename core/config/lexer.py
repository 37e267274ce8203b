"""Text of a configuration file to lines of words (manual 2.1 to 2.3).

Owns: quoting, escapes, comments, variables, line ends, the limit of words. Must not know: any keyword, nor the
conditional blocks (conditions.py). Invariants: columns count characters of the source text from 1; a line is read only
when it is asked for, so that a `setenv` above it has already happened; a line with an error is reported once, left out,
and reading goes on with the next.

The rules, as HAProxy 3.0 applies them:
- Words are parted by blanks outside quotes. Quotes may open and close inside a word: `a"b c"'d'` is one word.
- Inside '' nothing is special. Inside "" the escapes and `$` are; outside quotes the escapes and `#` are.
- Escapes: backslash and one of: blank, backslash, `#`, `'`, `"`, `t`, `n`, `r`, `xHH`; inside "" also `$`. Any other
  backslash stands for itself.
- `$NAME ${NAME} ${NAME-default}`: the default runs to the next `}` whatever stands between, and only replaces a
  variable that does not exist. `${NAME[*]}` parts its value into words at blanks.
- When an unset variable without default ends its quotes, as in `"$NAME" next`, the blanks after it vanish as well:
  the word is not empty, it is not there.
- A carriage return ends the line wherever it stands.
- Empty words at the end of a line are dropped; HAProxy's keywords cannot tell them from no word at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .columns import Trail
from .diagnostics import Diagnostics
from .environment import Environment
from .model import Place

MAX_WORDS = 64
"""Words of one line, the keyword included (HAProxy's MAX_LINE_ARGS)."""

BLANKS = " \t\n\v\f\r"

_SPECIAL = re.compile(r"[\\\"'#]")
_PLAIN_WORD = re.compile(r"[^ \t\n\v\f\r]+")
_BLANK_RUN = re.compile(r"[ \t\n\v\f\r]*")
_ORDINARY_RUN = re.compile(r"[^\\\"'#$ \t\n\v\f\r]+")
_QUOTED_RUN = {'"': re.compile(r"[^\\\"$]+"), "'": re.compile(r"[^']+")}
_NAME = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}", re.ASCII)
_ESCAPES = {" ": " ", "\\": "\\", "#": "#", "'": "'", '"': '"', "t": "\t", "n": "\n", "r": "\r"}
_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_./:,;@%+=*()\[\]{}<>|&!?^~-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Word:
    """One word, unquoted. `column` is where it starts in the source, its quote included."""

    text: str
    column: int
    first: int = 0
    """Column of the first character of `text`, a Column where the others do not follow one by one; 0: `column`."""

    @property
    def start(self) -> int:
        """Column of the first character of `text`: `start + n` is that of character n, whatever was quoted."""
        return self.first or self.column


@dataclass(frozen=True, slots=True)
class Line:
    """One line that has words. `text` is its source without the line end."""

    place_file: str
    number: int
    words: tuple[Word, ...]
    text: str

    def place(self, index: int = 0) -> Place:
        """Where word `index` stands; beyond the last word: just after the text of the line."""
        if index < len(self.words):
            return Place(self.place_file, self.number, self.words[index].column)
        return Place(self.place_file, self.number, len(self.text.rstrip(BLANKS)) + 1)


_QUOTING = "quotes come in pairs; a quote, a blank, a `#` or a backslash that is meant stands behind a backslash"


class LexicalError(ValueError):
    """A line that cannot be cut into words. `column` counts from 1."""

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint


def read_lines(file_name: str, text: str, environment: Environment, diagnostics: Diagnostics) -> Iterator[Line]:
    """The lines of `text` that have words, one at a time. `text` is the file decoded as UTF-8 with `surrogateescape`
    and without translating line ends."""
    sources = text.split("\n")
    last = sources.pop()
    diagnostics.add_source(file_name, [*sources, last] if last else sources)
    if last:
        sources.append(last)
    if text.startswith("\ufeff"):
        diagnostics.error(Place(file_name, 1, 1), "the file starts with a byte order mark", hint="save it without one")
        sources[0] = sources[0][1:]
    for number, source in enumerate(sources, start=1):
        source = source.removesuffix("\r")
        place = Place(file_name, number, 1)
        try:
            words = split_words(source, environment, file_name, number)
        except LexicalError as error:
            diagnostics.error(Place(file_name, number, error.column), error.message, hint=error.hint or _QUOTING)
            continue
        _warn_about_ignored_text(source, words, place, diagnostics)
        if words:
            yield Line(file_name, number, words, source)
    if last:
        diagnostics.error(
            Place(file_name, len(sources), len(last) + 1),
            "the last line does not end with a line feed: the file may be truncated",
            hint="end the last line with a line feed",
        )


def split_words(
    text: str, environment: Environment, file_name: str = "", number: int = 0, *, comments: bool = True
) -> tuple[Word, ...]:
    """The words of one line; `file_name` and `number` are what `$.FILE` and `$.LINE` read. Without `comments` a `#` is
    a character as any other (the argument of `-cc`). LexicalError."""
    nul = text.find("\0")
    if nul >= 0:
        raise LexicalError("stray NUL character", nul + 1, "the file is damaged, or not a text file")
    text = text.partition("\r")[0]
    if _SPECIAL.search(text) is None:
        words = [Word(match[0], match.start() + 1) for match in _PLAIN_WORD.finditer(text)]
    else:
        words = _Cutter(text, environment, file_name, number, comments).cut()
    if len(words) > MAX_WORDS:
        raise LexicalError(f"too many words: a line has at most {MAX_WORDS}", words[MAX_WORDS].column)
    return tuple(words)


def quote_word(text: str) -> str:
    """`text` written so that reading gives it back, quoted only where it must be. ValueError: it contains a NUL."""
    if "\0" in text:
        raise ValueError("a word cannot contain a NUL character")
    if _NEEDS_NO_QUOTES.fullmatch(text):
        return text
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '\\"$':
        return "\\" + character
    if character in "\t\n\r":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[character]
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character


def _warn_about_ignored_text(source: str, words: tuple[Word, ...], place: Place, diagnostics: Diagnostics) -> None:
    line_end = source.find("\r")
    if line_end >= 0 and source[line_end:].strip(BLANKS):
        diagnostics.warning(
            Place(place.file, place.line, line_end + 1),
            "a carriage return ends this line: what follows it is ignored",
            hint=r"write \r for a carriage return in a word",
        )
    for index, word in enumerate(words):
        if not word.text:
            diagnostics.warning(
                Place(place.file, place.line, word.column),
                f"word {index + 1} is empty: HAProxy ends most lines there",
                hint="remove it, or give its variable a value",
            )
            break


class _Cutter:
    """One line being cut: a cursor over `text`, the quote that is open, and the word that is being collected."""

    __slots__ = (
        "_column",
        "_comments",
        "_environment",
        "_file_name",
        "_number",
        "_position",
        "_quote",
        "_quote_start",
        "_text",
        "_trail",
        "_words",
    )

    def __init__(self, text: str, environment: Environment, file_name: str, number: int, comments: bool) -> None:
        self._text = text
        self._environment = environment
        self._file_name = file_name
        self._number = number
        self._comments = comments
        self._position = 0
        self._quote = ""
        self._quote_start = 0
        self._words: list[Word] = []
        self._trail = Trail()
        self._column = 0

    def cut(self) -> list[Word]:
        text = self._text
        self._skip_blanks()
        while self._position < len(text):
            run = (_QUOTED_RUN[self._quote] if self._quote else _ORDINARY_RUN).match(text, self._position)
            if run is not None:
                self._trail.copied(run[0], run.start() + 1)
                self._position = run.end()
                continue
            character = text[self._position]
            if character in "\"'" and self._quote in ("", character):
                self._toggle_quote(character)
            elif character == "\\":
                self._read_escape()
            elif character == "$" and self._quote == '"':
                self._read_variable()
            elif character == "#" and self._comments:
                break
            elif character in "$#":
                self._trail.copied(character, self._position + 1)
                self._position += 1
            else:
                self._end_word()
                self._skip_blanks()
        if self._quote:
            name = "double" if self._quote == '"' else "single"
            raise LexicalError(
                f"unmatched {name} quote",
                self._quote_start + 1,
                f"close it, or write \\{self._quote} for the character",
            )
        self._end_word()
        words = self._words
        while words and not words[-1].text:
            words.pop()
        return words

    def _skip_blanks(self) -> None:
        blanks = _BLANK_RUN.match(self._text, self._position)
        if blanks is not None:
            self._position = blanks.end()
        self._column = self._position + 1

    def _end_word(self) -> None:
        text = _joined(self._trail.parts)
        self._words.append(Word(text, self._column, self._trail.first(text, self._column)))
        self._trail = Trail()

    def _toggle_quote(self, character: str) -> None:
        if self._quote:
            self._quote = ""
        else:
            self._quote = character
            self._quote_start = self._position
        self._position += 1

    def _read_escape(self) -> None:
        start = self._position
        following = self._text[self._position + 1 : self._position + 2]
        if following == "x":
            pair = _HEX_PAIR.match(self._text, self._position + 2)
            if pair is None:
                raise LexicalError(
                    "truncated or invalid hexadecimal sequence", self._position + 1, r"write \xHH with two hex digits"
                )
            code = int(pair[0], 16)
            if code == 0:
                raise LexicalError("a word cannot contain a NUL character", self._position + 1)
            made, self._position = chr(code) if code < 0x80 else chr(0xDC00 + code), pair.end()
        elif following in _ESCAPES:
            made, self._position = _ESCAPES[following], start + 2
        elif following == "$" and self._quote:
            made, self._position = "$", start + 2
        else:
            self._position += 1
            self._trail.copied("\\", start + 1)
            return
        self._trail.made(made, start + 1, self._position + 1)

    def _read_variable(self) -> None:
        text = self._text
        dollar = self._position
        brace = text.startswith("{", dollar + 1)
        start = dollar + 2 if brace else dollar + 1
        match = _NAME.match(text, start)
        if match is None:
            raise LexicalError(
                "forbidden first character in environment variable name",
                start + 1,
                r"a name is letters, digits and _, no digit first; write \$ for a dollar inside double quotes",
            )
        name = match[0]
        value = self._value(name, start)
        end = match.end()
        split = False
        if brace:
            if text.startswith("[", end):
                if not text.startswith("[*]", end):
                    raise LexicalError("truncated or invalid word expansion sequence", end + 1, "write ${NAME[*]}")
                split = True
                end += 3
            close = text.find("}", end) if text.startswith("-", end) else end
            if not text.startswith("}", close) or close < 0:
                raise LexicalError(
                    "unmatched brace in environment variable name", dollar + 2, "write ${NAME} or ${NAME-default}"
                )
            if value is None and close > end:
                value = text[end + 1 : close]
            end = close + 1
        self._position = end
        if value is None:
            self._vanish()
        elif split:
            self._add_words(value, dollar + 1)
        else:
            self._trail.made(value, dollar + 1, end + 1)

    def _value(self, name: str, start: int) -> str | None:
        """What `name` stands for now; None where it is not set. A default is asked for by the caller."""
        if not name.startswith("."):
            return self._environment.get(name)
        if name == ".FILE":
            return self._file_name
        if name == ".LINE":
            return str(self._number)
        if name == ".SECTION":
            return self._environment.section
        raise LexicalError(f"unknown pseudo-variable '{name}'", start + 1, "known: .FILE .LINE .SECTION")

    def _vanish(self) -> None:
        """An unset variable that ends its quotes takes the blanks after it along: no empty word is left."""
        if self._text.startswith('"', self._position):
            self._quote = ""
            self._position += 1
            if any(self._trail.parts):
                blanks = _BLANK_RUN.match(self._text, self._position)
                self._position = blanks.end() if blanks is not None else self._position
            else:
                self._skip_blanks()

    def _add_words(self, value: str, column: int) -> None:
        """Part `value` at blanks: its first piece continues the present word, its last one goes on after it."""
        first, *others = re.split(r"[ \t\n\v\f\r]+", value)
        self._trail.made(first, column, self._position + 1)
        for piece in others:
            self._end_word()
            self._trail.made(piece, column, self._position + 1)
            self._column = column


def _joined(parts: list[str]) -> str:
    r"""One string. Bytes that \xHH gave as surrogates become the characters that they are in UTF-8 together."""
    text = "".join(parts)
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
