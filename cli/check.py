"""`maniple check`: everything that is wrong with a configuration, and what its keywords mean here.

Owns: the flags, and the two forms of the answer. Must not know: how a configuration is read, what a keyword means.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import Enum, StrEnum
from typing import Annotated

import typer

from ..core.config import parser
from ..core.config.diagnostics import Diagnostics
from ..core.config.environment import Environment
from ..core.config.model import Configuration
from .memory import memory_rows, memory_text


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


def check_command(
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="Configuration file, or a folder of *.cfg; may be repeated."),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="For people or for programs.")] = Form.TEXT,
    dump: Annotated[
        bool, typer.Option("--dump", help="Also show the configuration as it was understood, defaults spelt out.")
    ] = False,
    keywords: Annotated[
        bool,
        typer.Option("--keywords", help="Show every keyword: where it may stand, and whether maniple has it yet."),
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Also show what stick tables will take on this machine.")
    ] = False,
) -> None:
    """Check configuration files without starting anything.

    All errors are shown, not the first, as file:line:column: error: ... with the word and a hint. A keyword that
    HAProxy has and maniple does not have yet is told apart from one that nobody has. Exit status: 0 valid, 1 not valid,
    2 wrong usage.
    """
    if keywords:
        from ..core.config import matrix
        from ..core.rules import action_vocabulary, vocabulary
        from ..core.rules import keywords as expressions

        assert expressions.MODULES
        if form is Form.JSON:
            terms = [asdict(term) for term in vocabulary.terms()] + [
                asdict(one) for one in action_vocabulary.action_terms()
            ]
            text = _as_json([*map(asdict, matrix.rows()), *terms])
        else:
            text = matrix.render() + vocabulary.render() + action_vocabulary.render_actions()
        sys.stdout.write(text)
        return
    if not files:
        typer.echo("maniple check: which file? Give -f FILE", err=True)
        raise typer.Exit(2)
    from ..core.report.examination import examine

    configuration, diagnostics = parser.load_files(files, Environment(os.environ, files=files), examine=examine)
    threads = _threads(configuration) if memory and configuration is not None else 0
    if form is Form.JSON:
        sys.stdout.write(json_text(configuration, diagnostics, dump, threads))
    else:
        # With --dump the standard output is a configuration that can be used.
        out = sys.stderr if dump else sys.stdout
        out.write(diagnostics.render())
        if configuration is None:
            out.write(f"{_count(len(diagnostics.errors), 'error')}: not valid\n")
        else:
            if dump:
                sys.stdout.write(dump_text(configuration))
            if threads:
                out.write(memory_text(configuration, threads))
            out.write(f"{summary(configuration)}: valid\n")
    raise typer.Exit(1 if configuration is None else 0)


def dump_text(configuration: Configuration) -> str:
    from ..core.config import dump

    return dump.dump(configuration)


def _threads(configuration: Configuration) -> int:
    """How many there will be on this machine; 1 where the words about them contradict each other, which is an error at
    the start."""
    from ..groups.foundation import plan

    try:
        return plan(configuration).threads
    except ValueError:
        return 1


def json_text(configuration: Configuration | None, diagnostics: Diagnostics, dump: bool, threads: int = 0) -> str:
    """The whole answer for programs; the configuration is null where it has errors or was not asked for. `threads`:
    for how many the memory of stick tables is told, 0: it is not."""
    found: dict[str, object] = {
        "valid": configuration is not None,
        "reports": [asdict(report) for report in diagnostics.in_order()],
        "configuration": asdict(configuration) if configuration is not None and dump else None,
    }
    if configuration is not None and threads:
        found["memory"] = memory_rows(configuration, threads)
    return _as_json(found)


def summary(configuration: Configuration) -> str:
    """What there is, in numbers."""
    proxies = configuration.proxies
    kinds = [(kind, sum(proxy.kind == kind for proxy in proxies)) for kind in ("frontend", "backend", "listen")]
    parts = [_count(number, kind) for kind, number in kinds if number]
    parts.append(_count(sum(len(proxy.binds) for proxy in proxies), "bind line"))
    parts.append(_count(sum(len(proxy.servers) for proxy in proxies), "server"))
    return ", ".join(parts)


def _as_json(value: object) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=_plain).decode() + "\n"


def _plain(value: object) -> object:
    """What JSON has no word for: sets, bytes, enumerations."""
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(type(value).__name__)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
