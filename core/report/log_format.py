"""Formats of log lines: a text becomes one function from an exchange to the bytes of its line.

Owns: what log lines differ in from other formats: a dash for what is missing, delimiters, `+` with option logasap.
Must not know: how functions are made (rules.format_source), senders, the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ..rules import keywords
from ..rules.catalogue import Needs, Stage
from ..rules.format_pieces import Style
from ..rules.format_source import Writer
from ..rules.format_syntax import Sample, Variable, parse_format
from ..session import Exchange

Line = Callable[[Exchange], bytes]
assert keywords.MODULES

TCPLOG = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
HTTPLOG = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
HTTPLOG_CLF = (
    '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq'
    " %CC %CS %hrl %hsl"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a format may show besides the exchange. `early`: option logasap, which marks what may still grow with `+`.
    `site`: what sample expressions are compiled for; None where there are none."""

    early: bool = False
    hostname: str = ""
    pid: int = 0
    site: Any = None
    cookies: bool = True
    """A cookie is captured."""
    origin: str = ""
    """What makes the line (`%OG`); "": the end of the exchange, or what `early` says."""


def compile_format(text: str, mode: str, surroundings: Surroundings | None = None, column: int = 1) -> Line:
    """The function for a format in a proxy of that mode (http or tcp); `column`: where it starts in its line. Raises
    ConfigError (column and word)."""
    writer, source = _written(text, mode, surroundings or Surroundings(), column)
    exec(source, writer.scope)
    return cast(Line, writer.scope["line"])


def used_variables(text: str, column: int = 1) -> frozenset[str]:
    """Names of the variables in a format. Raises ConfigError as compile_format does."""
    return frozenset(part.name for part in parse_format(text, column) if isinstance(part, Variable))


def needs_of(text: str, mode: str, surroundings: Surroundings) -> Needs:
    """What the expressions in a format need."""
    if not any(isinstance(part, Sample) for part in parse_format(text)):
        return Needs.NOTHING
    return _written(text, mode, surroundings, 1)[0].needs


def generated_source(text: str, mode: str, around: Surroundings) -> str:
    """The source of the function `line`; for tests and the curious."""
    return _written(text, mode, around, 1)[1]


def _written(text: str, mode: str, around: Surroundings, column: int) -> tuple[Writer, str]:
    origin = around.origin or ("txn_close" if not around.early else "txn_connect" if mode == "tcp" else "txn_response")
    style = Style(
        mode=mode, early=around.early, hostname=around.hostname, pid=around.pid, cookies=around.cookies, origin=origin
    )
    writer = Writer(style, around.site, Stage.LOG)
    for part in parse_format(text, column):
        writer.add(part)
    return writer, writer.finish()
