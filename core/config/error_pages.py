"""Pages that stand for built-in replies: sections `http-errors NAME`, `errorfiles`, and which line of a proxy counts
(manual 4.2: errorfile, errorfiles, errorloc, http-error; 12.4).

Owns: the section, and the one table that all these lines of a proxy write to. Must not know: the words of `http-error`,
which `rules` compiles, nor when an error happens.

Facts (measured: HAProxy 3.0): the last line for a status counts, whichever keyword it has and whether it is the proxy's
own or its defaults'; `errorfiles NAME` stands for lines of all pages of the section, or of the named ones, of which one
that the section does not have is a warning and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from .diagnostics import Diagnostics
from .drafts import ErrorLine, ProxyDraft, Reading
from .keywords import ANY, PROXY_KEYWORDS, Table
from .model import ErrorFileSpec, ErrorPagesSpec, Place
from .names import TWICE
from .proxies import error_status, read_page
from .statement import Statement
from .suggest import section

SECTION = "http-errors"


@dataclass(slots=True)
class ErrorPagesDraft:
    """A section so far."""

    reading: Reading
    name: str
    place: Place
    kind: str = SECTION
    written: dict[str, Place] = field(default_factory=dict)
    pages: dict[int, ErrorFileSpec] = field(default_factory=dict)

    def scratch(self) -> Self:
        """A draft that a line is read into only to find its errors."""
        return replace(self, written={}, pages={})


KEYWORDS: Table[ErrorPagesDraft] = Table("error pages")


@KEYWORDS.keyword(
    "errorfile",
    frozenset({SECTION}),
    "<status> <file>",
    "File with the whole reply for a status.",
    reader="relay",
    arity=(2, 2),
)
def _errorfile(statement: Statement, draft: ErrorPagesDraft) -> None:
    status, page = read_page(statement, draft.reading)
    draft.pages[status] = page


@PROXY_KEYWORDS.keyword(
    "errorfiles",
    ANY,
    "<section> [<status>...]",
    "The pages of a section `http-errors`, all or some.",
    reader="relay",
    arity=(1, -1),
)
def _errorfiles(statement: Statement, draft: ProxyDraft) -> None:
    statuses = tuple([error_status(statement, word) for word in statement.arguments[1:]])
    place = statement.place_of(statement.arguments[0])
    draft.error_lines.append(ErrorLine(place, statuses, section=statement.text(0)))


def error_pages(drafts: Iterable[ErrorPagesDraft], diagnostics: Diagnostics) -> dict[str, ErrorPagesSpec]:
    """The sections by name; two of one name are an error."""
    found: dict[str, ErrorPagesSpec] = {}
    for draft in drafts:
        other = found.get(draft.name)
        if other is None:
            found[draft.name] = ErrorPagesSpec(draft.place, draft.name, draft.pages)
            continue
        message = f"http-errors '{draft.name}' is there already, in line {other.place.line}"
        diagnostics.error(draft.place, message, draft.name, TWICE)
    return found


def settle_errors(draft: ProxyDraft, sections: Mapping[str, ErrorPagesSpec], diagnostics: Diagnostics) -> None:
    """Go through the lines in their order: what is in `spec.error_files`, and which `http-error` lines stay rules."""
    table: dict[int, ErrorFileSpec | Place] = {}
    lines = []
    for line in draft.error_lines:
        if line.page is not None:
            table[line.statuses[0]] = line.page
        elif not line.section:
            lines.append(line.place)
            table[line.statuses[0]] = line.place
        else:
            found = sections.get(line.section)
            if found is None:
                message = f"{draft.label}: there is no section http-errors '{line.section}'"
                diagnostics.error(line.place, message, line.section, section(SECTION, line.section, sections))
                continue
            for status in line.statuses or found.pages:
                if status in found.pages:
                    table[status] = found.pages[status]
                elif draft.kind != "defaults":
                    message = f"{draft.label}: http-errors '{line.section}' has no page for {status}"
                    diagnostics.warning(line.place, message, line.section)
    gone = {place for place in lines if place not in table.values()}
    draft.set("error_files", {status: page for status, page in table.items() if isinstance(page, ErrorFileSpec)})
    draft.rules = [rule for rule in draft.rules if rule.kind != "http-error" or rule.place not in gone]
