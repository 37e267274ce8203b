"""What is wrong with a configuration, collected and shown.

Owns: the form of a report (`file:line:column: level: message`, the source line with the offending word marked, a hint).
Must not know: keywords, sections, how a file is read. Invariant: reports are kept as they come, shown in the order of
the text, and nothing is dropped: all errors of a file are told, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .consequences import absent, begins_section, follows, made_by
from .model import Place

Level = Literal["error", "warning", "notice"]

_TAB_STOP = 8


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One report. `word` is the offending word as written ("" when the whole line is meant); `hint` says what to do."""

    level: Level
    place: Place
    message: str
    word: str = ""
    hint: str = ""

    def headline(self) -> str:
        """`file:line:column: level: message`; line and column are left out where they are 0 (the file as a whole)."""
        place = self.place
        where = place.file
        if place.line > 0:
            where += f":{place.line}:{place.column}" if place.column > 0 else f":{place.line}"
        return f"{where}: {self.level}: {self.message}"


class Diagnostics:
    """The reports of one reading, and the texts that they point into."""

    __slots__ = ("_file_order", "_reports", "_sources")

    def __init__(self) -> None:
        self._reports: list[Diagnostic] = []
        self._sources: dict[str, Sequence[str]] = {}
        self._file_order: dict[str, int] = {}

    def add_source(self, file: str, lines: Sequence[str]) -> None:
        """Give the lines of `file` (line 1 first), so that reports can show what was written."""
        self._sources[file] = lines
        self._file_order.setdefault(file, len(self._file_order))

    def error(self, place: Place, message: str, word: str = "", hint: str = "") -> None:
        """Something that keeps the configuration from being used."""
        self.add(Diagnostic("error", place, message, word, hint))

    def warning(self, place: Place, message: str, word: str = "", hint: str = "") -> None:
        """Something accepted that probably does not do what its writer wants."""
        self.add(Diagnostic("warning", place, message, word, hint))

    def notice(self, place: Place, message: str, word: str = "", hint: str = "") -> None:
        """Something worth knowing."""
        self.add(Diagnostic("notice", place, message, word, hint))

    def add(self, report: Diagnostic) -> None:
        self._file_order.setdefault(report.place.file, len(self._file_order))
        self._reports.append(report)

    def drop_consequences(self) -> None:
        """Leave out errors about what is not there, where a line with an error of another kind was to make it
        (consequences). They are told when that is mended, if they still hold."""
        errors = self.errors
        missed = {id(one) for one in errors if absent(one.message, one.word)[1]}
        if not missed or len(missed) == len(errors):
            return
        causes = {
            made_by(self._source_line(one.place), self._header(one.place), one.word)
            for one in errors
            if id(one) not in missed
        }
        self._reports = [
            one
            for one in self._reports
            if id(one) not in missed or not any(follows(one.message, one.word, made) for made in causes)
        ]

    @property
    def errors(self) -> list[Diagnostic]:
        return [report for report in self._reports if report.level == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        return [report for report in self._reports if report.level == "warning"]

    @property
    def notices(self) -> list[Diagnostic]:
        return [report for report in self._reports if report.level == "notice"]

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    def __repr__(self) -> str:
        return f"<Diagnostics [{len(self.errors)} errors, {len(self.warnings)} warnings, {len(self.notices)} notices]>"

    def in_order(self) -> list[Diagnostic]:
        """The reports in the order of the text: files as they were read, then line, then column."""
        order = self._file_order
        return sorted(
            self._reports, key=lambda report: (order[report.place.file], report.place.line, report.place.column)
        )

    def render(self) -> str:
        """All reports, each with its source line, a marker under the word and its hint; "" when there are none."""
        blocks = (block for report in self.in_order() for block in self._block(report))
        text = "\n".join(blocks)
        return text + "\n" if text else ""

    def _block(self, report: Diagnostic) -> Iterator[str]:
        yield report.headline()
        source = self._source_line(report.place)
        if source.strip():
            shown = source.expandtabs(_TAB_STOP)
            yield f"    {_printable(shown)}"
            if report.place.column > 0:
                yield f"    {_marker(source, report.place.column, report.word)}"
        if report.hint:
            yield f"    hint: {report.hint}"

    def _header(self, place: Place) -> str:
        """The line that the section of `place` begins with, "" where there is none."""
        above = self._sources.get(place.file, ())[: max(place.line, 0)]
        return next((line for line in reversed(above) if begins_section(line)), "")

    def _source_line(self, place: Place) -> str:
        lines = self._sources.get(place.file, ())
        if 0 < place.line <= len(lines):
            return lines[place.line - 1]
        return ""


def _marker(source: str, column: int, word: str) -> str:
    """A caret under `column` of `source`, and tildes under the rest of the word if it stands there as it is.

    A word that came out of quotes or a variable does not stand in the text: then the caret alone is honest."""
    start = column - 1
    indent = len(source[:start].expandtabs(_TAB_STOP))
    length = len(word) if word and source.startswith(word, start) else 1
    return " " * indent + "^" + "~" * (length - 1)


def _printable(text: str) -> str:
    """One character a column: what a terminal cannot show, or would obey, becomes a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)
