"""Identifiers of exchanges: `unique-id-format` and `unique-id-header` (manual 4.2).

Owns: reading these lines, and the function that adds the header. Must not know: when an identifier is made: that is
whenever somebody asks first (format_source.unique_id), at the latest the header.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config.model import ProxySpec, RuleSpec
from ..errors import ConfigError
from ..http.edit import edit_request
from ..http.fields import TOKENS
from .catalogue import Stage
from .format_source import unique_id
from .scope import Site
from .text_format import TextFormat, read_text_format


def _line(spec: ProxySpec, kind: str) -> RuleSpec | None:
    """The last line of that kind; one of the section's own comes after those of its defaults."""
    found = None
    for line in spec.rules if spec.has_frontend else ():
        if line.kind == kind:
            found = line
    return found


def unique_id_format(spec: ProxySpec, site: Site) -> TextFormat | None:
    """The function that makes a frontend's identifiers, None without one. Raises ConfigError, with its place."""
    line = _line(spec, "unique-id-format")
    if line is None:
        return None
    word = line.words[0]
    try:
        return read_text_format(word.text, site, Stage.FRONT_REQUEST, word.column, merge=True)
    except ConfigError as error:
        error.file, error.line = line.place.file, line.place.line
        raise


def header_adder(spec: ProxySpec) -> Callable[[Any], None] | None:
    """The function that adds the header for the server, None without one. Raises ConfigError for a name that is
    none."""
    line = _line(spec, "unique-id-header")
    if line is None or _line(spec, "unique-id-format") is None:
        return None
    word = line.words[0]
    name = word.text.lower().encode("utf-8", "surrogateescape")
    if not name or name.translate(TOKENS) != name:
        place = line.place
        raise ConfigError(
            f"'{word.text}' is no name of a header",
            file=place.file,
            line=place.line,
            column=word.column,
            word=word.text,
            hint="such as `unique-id-header X-Request-ID`",
        )

    def add(x: Any) -> None:
        value = unique_id(x)
        head: Any = x.head
        if not value or head is None:
            return
        head = x.head = edit_request(head)
        head.block.add(name, value)

    return add
