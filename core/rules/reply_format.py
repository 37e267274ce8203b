"""`http-error`: answers that stand for the built-in ones (manual 4.2).

Owns: which line of a proxy counts for a status, and where the words of an answer are compiled for it (answers reads
them, as those of `http-request return`). Must not know: when an error happens.

Facts: the last line for a status counts (config.error_pages leaves out those behind which another keyword says more);
`default-errorfiles` takes back what was said before, also by `errorfile`
lines; what depends on the exchange is made when the error happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..config.model import ProxySpec, RuleSpec, RuleWord
from ..errors import ConfigError
from .actions import Ground, Use
from .answers import PAGES, read_answer
from .catalogue import Needs, Stage
from .scope import Site


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """What stands for a built-in answer. `render(scope)`: a whole response without `connection`; None: the built-in
    one again. `constant`: the same for all, also where there is no request (an `errorfile`)."""

    status: int
    render: Callable[[Any], bytes] | None
    constant: bool
    file: bool
    """A whole response out of a file: the only kind that may answer what is no request."""
    needs: Needs


def error_replies(spec: ProxySpec, site: Site) -> dict[int, ErrorReply]:
    """By status, what the proxy's lines say. Raises ConfigError, with its place."""
    found: dict[int, ErrorReply] = {}
    for line in spec.rules:
        if line.kind == "http-error":
            reply = _compile(line, spec, site)
            if reply is not None:
                found[reply.status] = reply
    return found


def _compile(line: RuleSpec, spec: ProxySpec, site: Site) -> ErrorReply | None:
    """None: a section of pages is named that has none of this status."""
    words = (RuleWord("http-error", line.place.column), *line.words)
    stage = Stage.BACK_REQUEST if spec.has_backend else Stage.FRONT_REQUEST
    use = Use(Ground("http-error", site, stage, spec), words, line.place, dict(line.files))
    try:
        first = line.words[0]
        if first.text != "status":
            raise use.error("`http-error` expects status <code>", first)
        code = line.words[1]
        if not code.text.isdigit() or int(code.text) not in PAGES:
            raise use.error(f"no built-in answer has status {code.text}", code)
        answer = read_answer(use, int(code.text), pages=True)
        if use.rest:
            raise use.error(f"`http-error` cannot take the extra argument '{use.rest[0].text}'", use.rest[0])
    except ConfigError as error:
        place = line.place
        error.file, error.line = error.file or place.file, error.line or place.line
        raise
    names = [word.text for word in line.words[2:]]
    if "errorfiles" in names:
        section = site.error_pages[names[names.index("errorfiles") + 1]]
        if answer.status not in section.pages:
            return None
    whole = "errorfile" in names or "errorfiles" in names
    return ErrorReply(answer.status, None if answer.page else answer.render, answer.constant, whole, use.needs)
