"""An explanation for people: at most 100 columns, each rule with its place, its verdict and its reasons.

Owns: this layout. Must not know: how an explanation is found. Invariant: colours only mark what the text says anyway.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from os.path import basename

from ..core.rules.explanation import (
    ActionTrace,
    Answer,
    Change,
    Choice,
    Ending,
    Explanation,
    PassTrace,
    RuleTrace,
    Term,
)

WIDTH = 100
_BOLD, _GREEN, _RED, _DIM = "1", "32", "31", "2"
_LONGEST_PLACE = 24
_LONGEST_ACL = 60
_SILENT = ("http-request ", "http-response ", "http-after-response ", "tcp-request ", "tcp-response ")
"""Beginnings of lines that the title says already."""


def render(told: Explanation, *, colours: bool = False) -> str:
    """The whole explanation."""
    return _Layout(told, colours).text()


class _Layout:
    def __init__(self, told: Explanation, colours: bool) -> None:
        self.told = told
        self.colours = colours
        files = {place[0] for place in _places([*told.passes, *told.response_passes])}
        short = {basename(file) for file in files}
        self.whole_paths = len(short) < len(files)
        self.column = max(
            (len(self.place(*place)) for place in _places([*told.passes, *told.response_passes])), default=0
        )
        self.column = min(self.column, _LONGEST_PLACE)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines()) + "\n"

    # Pieces.

    def place(self, file: str, line: int) -> str:
        return f"{file if self.whole_paths else basename(file)}:{line}"

    def mark(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colours and text else text

    def wrap(self, text: str, indent: int, further: int = 2) -> Iterator[str]:
        """The text in lines; those after the first stand `further` to the right."""
        yield from textwrap.wrap(
            text,
            WIDTH,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + further),
            break_on_hyphens=False,
            replace_whitespace=False,
        ) or [""]

    def title(self, text: str) -> Iterator[str]:
        yield ""
        for line in self.wrap(text, 0):
            yield self.mark(line, _BOLD)

    # The document.

    def lines(self) -> Iterator[str]:
        told = self.told
        first = told.request[0] if told.request and told.request[0] else f"{told.body} bytes"
        for line in self.wrap(first, 0):
            yield self.mark(line, _BOLD)
        body = f", with a body of {_bytes(told.body)}" if told.body and told.request else ""
        yield from self.wrap(f"from {told.source} to frontend {told.frontend}, bind {told.bind}{body}", 2)
        for one in told.passes:
            yield from self.one_pass(one)
        if told.ending is not None:
            yield from self.ending(told.ending, "request")
        if told.sent:
            yield from self.title("The request as it leaves")
            yield from self.message(told.sent)
        if told.response:
            yield from self.title(f"The response: {told.response[0]}")
            for one in told.response_passes:
                yield from self.one_pass(one)
            if told.response_ending is not None:
                yield from self.ending(told.response_ending, "response")
            if told.returned:
                yield from self.title("The response as the client gets it")
                yield from self.message(told.returned)
        elif told.response_passes:
            for one in told.response_passes:
                yield from self.one_pass(one)
        if told.notes:
            yield from self.title("To be borne in mind")
            for note in told.notes:
                yield from self.wrap(f"- {note}", 2)

    def message(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            yield from self.wrap(line, 2, 4)

    def one_pass(self, one: PassTrace) -> Iterator[str]:
        yield from self.title(f"{one.proxy}: {one.kind}")
        for rule in one.rules:
            yield from self.rule(rule, 2)
        for change in one.changes:
            yield from self.wrap(_words(change), 2)
        if one.left:
            rules = "1 further rule is" if one.left == 1 else f"{one.left} further rules are"
            yield self.mark(f"  ({rules} not looked at)", _DIM)

    def rule(self, rule: RuleTrace, indent: int) -> Iterator[str]:
        place = self.place(rule.file, rule.line).ljust(self.column)
        verdict = "yes" if rule.applies else "no "
        inner = indent + self.column + 7
        lines = list(self.wrap(_without_title(rule.text), inner, 4))
        start = f"{' ' * indent}{place}  {self.mark(verdict, _GREEN if rule.applies else _RED)}  "
        yield start + lines[0].lstrip()
        yield from lines[1:]
        if rule.condition is not None:
            for term in rule.condition.terms:
                yield from self.term(term, inner)
        for note in rule.notes:
            yield from self.note(note, inner)
        several = len(rule.actions) > 1
        for action in rule.actions:
            yield from self.action(action, inner, several)

    def term(self, term: Term, indent: int) -> Iterator[str]:
        said = "true " if term.holds else "false"
        name = "" if term.text.lstrip("!").startswith("{") and not term.text.startswith("!") else f"{term.text}: "
        where = f"  [{self.place(term.file, term.line)}{self.acl_of(term)}]" if term.file else ""
        lines = list(self.wrap(f"{said} {name}{term.why}{where}", indent, 6))
        yield lines[0].replace(said, self.mark(said, _GREEN if term.holds else _RED), 1)
        yield from lines[1:]
        for note in term.notes:
            yield from self.note(note, indent + 6)

    def acl_of(self, term: Term) -> str:
        """What would have had to be met."""
        if term.holds is not term.text.startswith("!"):
            return ""
        criterion, _, patterns = term.acl.partition(" ")
        text = patterns if term.why.startswith(criterion) else term.acl
        return f": {textwrap.shorten(text, _LONGEST_ACL)}" if text else ""

    def note(self, note: str, indent: int) -> Iterator[str]:
        for line in self.wrap(f"({note})", indent, 1):
            yield self.mark(line, _DIM)

    def action(self, action: ActionTrace, indent: int, several: bool) -> Iterator[str]:
        if several:
            yield from self.wrap(f"{action.text}:", indent, 4)
            indent += 2
        for change in action.changes:
            yield from self.wrap(_words(change), indent, 4)
        for note in action.notes:
            yield from self.note(note, indent)
        if action.entered is not None:
            for rule in action.entered:
                yield from self.rule(rule, indent - self.column - 3)
            if not action.entered or not action.entered[-1].actions or not _ends(action.entered[-1]):
                yield self.mark(f"{' ' * indent}(back from `{action.text}`)", _DIM)
        elif action.verdict:
            for line in self.wrap(f"=> {action.verdict}", indent, 3):
                yield self.mark(line, _BOLD)
        elif not action.changes:
            yield self.mark(f"{' ' * indent}(nothing changes)", _DIM)

    # The end.

    def ending(self, ending: Ending, what: str) -> Iterator[str]:
        by = self._shortened(ending.by)
        if ending.kind == "forwarded":
            assert ending.choice is not None
            choice = ending.choice
            yield from self.title(f"Forwarded to backend {choice.backend} ({by}), balance {choice.algorithm}")
            yield from self.servers(choice)
            return
        if ending.kind == "answered":
            assert ending.answer is not None
            who = (
                "Answered by maniple" if what == "request" else "Answered by maniple, in place of the server's response"
            )
            yield from self.title(f"{who}: {ending.status} ({by})")
            yield from self.answer(ending.answer)
        elif ending.kind == "dropped":
            yield from self.title(f"The connection vanishes, and the client is not told ({by})")
        else:
            yield from self.title(f"The connection is closed without a word ({by})")
        if ending.choice is not None:
            yield from self.title(f"Backend {ending.choice.backend} ({self._shortened(ending.choice.reason)})")
            yield from self.servers(ending.choice)

    def _shortened(self, by: str) -> str:
        """Places in words, as they are shown elsewhere."""
        return " ".join(
            self.place(*parts) if (parts := _place_in(word)) is not None else word for word in by.split(" ")
        )

    def answer(self, answer: Answer) -> Iterator[str]:
        yield from self.message(answer.head)
        if answer.size:
            yield ""
            more = f" ... ({_bytes(answer.size)})" if answer.size > len(answer.body.encode()) else ""
            for line in (answer.body.rstrip("\n") + more).split("\n"):
                yield from self.wrap(line, 2, 4)

    def servers(self, choice: Choice) -> Iterator[str]:
        rows = [("server", "address", "weight", "share", "state")]
        for server in choice.servers:
            state = server.state
            if server.backup:
                state += ", backup" + ("" if server.balanced else " not in use")
            if server.name == choice.server:
                state += "  <- first choice"
            share = "" if server.share is None else f"{server.share:g} %"
            rows.append((server.name, server.address, str(server.weight), share, state))
        if len(rows) > 1:
            widths = [max(len(row[number]) for row in rows) for number in range(4)]
            for row in rows:
                cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
                yield f"  {'  '.join([*cells, row[4]])}"
        if choice.why:
            start = f"first choice {choice.server}: " if choice.server else "first choice: "
            yield from self.wrap(f"{start}{choice.why}", 2)


def _places(passes: Iterable[PassTrace]) -> Iterator[tuple[str, int]]:
    def of_rules(rules: Iterable[RuleTrace]) -> Iterator[tuple[str, int]]:
        for rule in rules:
            yield rule.file, rule.line
            for action in rule.actions:
                yield from of_rules(action.entered or ())

    for one in passes:
        yield from of_rules(one.rules)


def _place_in(word: str) -> tuple[str, int] | None:
    file, _, line = word.rpartition(":")
    return (file, int(line)) if "/" in file and line.isdigit() else None


def _ends(rule: RuleTrace) -> bool:
    """Has it ended the pass?"""
    last = rule.actions[-1]
    if last.entered is not None:
        return bool(last.entered) and bool(last.entered[-1].actions) and _ends(last.entered[-1])
    return bool(last.verdict)


def _without_title(text: str) -> str:
    """A rule's line without the words of its kind."""
    for start in _SILENT:
        if text.startswith(start):
            rest = text.removeprefix(start)
            return rest.partition(" ")[2] if start.startswith("tcp-") else rest
    return text


def _words(change: Change) -> str:
    """A change in one line."""
    before, after = ", ".join(change.before), ", ".join(change.after)
    if change.subject.endswith(" header"):
        if not change.before:
            return f"+ {change.name}: {after}"
        if not change.after:
            return f"- {change.name}: {before}"
        return f"~ {change.name}: {before} -> {after}"
    if change.subject == "variable":
        if not change.before:
            return f"{change.name} = {after}"
        return f"{change.name}: {before} -> {after}" if change.after else f"{change.name} is forgotten, was {before}"
    if not change.before:
        return f"{change.name}: {after}"
    return f"{change.name}: {before} -> {after}" if change.after else f"{change.name}: no longer {before}"


def _bytes(number: int) -> str:
    return "1 byte" if number == 1 else f"{number} bytes"
