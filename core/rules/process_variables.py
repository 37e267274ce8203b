"""The variables of the process that the global section sets (`set-var`, `set-var-fmt`; manual 3.1).

Owns: their values, which are made once, when the configuration is examined, so that all threads of all groups begin
with the same, be they a date or a random number. Must not know: who reads them. Invariants: lines are run in their
order, and may read what those above set; a line that gives no value sets nothing. From then on each thread has its own
(variables).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..config.model import RuleSpec
from ..errors import ConfigError, what_and_how
from . import variables
from .arguments import HOW_WRITTEN
from .catalogue import Stage
from .expression import AT_START, compile_expression, parse_words
from .formats import compile_format
from .samples import Type
from .variables import Pair

if TYPE_CHECKING:
    from .scope import Site


class _Start:
    """What stands for an exchange: there is none yet, but there is a date."""

    __slots__ = ("accept_date",)

    request_number = 0
    accept_at = idle_since = 0.0
    variables = request_variables = response_variables = None

    def __init__(self) -> None:
        self.accept_date = time.time()

    @property
    def session(self) -> _Start:
        return self

    def snapshot(self) -> None:
        """Nothing has to be kept."""


def evaluate(lines: Sequence[RuleSpec], site: Site, errors: list[ConfigError]) -> Mapping[str, Pair]:
    """The variables of a site behind these lines; what is wrong with them is added to `errors`."""
    start = _Start()
    for line in lines:
        try:
            _run(line, site, start)
        except ConfigError as error:
            error.file, error.line = line.place.file, line.place.line
            errors.append(error)
    return site.variables


def _run(line: RuleSpec, site: Site, start: _Start) -> None:
    target, *rest = line.words
    try:
        name = variables.parse_name(target.text)
    except ValueError as error:
        what, how = what_and_how(error)
        hint = how or "such as `proc.stage`"
        raise ConfigError(f"`{line.kind}`: {what}", column=target.column, word=target.text, hint=hint) from None
    if name.scope != "proc":
        raise ConfigError(
            f"`{line.kind}`: here are variables of the process only",
            column=target.column,
            word=target.text,
            hint=f"write `proc.{name.name}`",
        )
    if line.kind == "set-var-fmt":
        text, _ = compile_format(rest[0].text, site, Stage.PARSER, rest[0].column, encoded=False)
        end = 1
    else:
        expression, end = parse_words(rest)
        compiled = compile_expression(expression, site, Stage.PARSER)
    if end < len(rest):
        raise ConfigError(
            f"`{line.kind}`: '{rest[end].text}' is one word too many",
            column=rest[end].column,
            word=rest[end].text,
            hint=HOW_WRITTEN,
        )
    try:
        if line.kind == "set-var-fmt":
            pair: Pair | None = (Type.STR, text(start))
        else:
            value = compiled.run(start)
            pair = value if compiled.type is Type.ANY or value is None else (compiled.type, value)
    except AttributeError:
        # A variable of log formats, or of an exchange: nothing else gets that far.
        raise ConfigError(
            f"`{line.kind}`: it asks for what there is in a connection only",
            column=rest[0].column,
            word=rest[0].text,
            hint=AT_START,
        ) from None
    if pair is not None and not variables.writer(name, site)(start, pair):
        raise ConfigError(f"`{line.kind}`: no room for '{name}'", column=target.column, hint="see `tune.vars`")
