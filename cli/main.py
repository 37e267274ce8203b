"""`maniple`: the command line and its commands.

Owns: which commands there are and the file of each. Must not know: what they do. A command's module is imported only
when it is the one that was asked for: the start of `maniple run` counts, and the bench draws in much.
"""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module

import typer
import typer.core

from .. import __version__

COMMANDS = {
    "run": ("run", "run_command"),
    "check": ("check", "check_command"),
    "status": ("ctl", "status_command"),
    "reload": ("ctl", "reload_command"),
    "scale": ("ctl", "scale_command"),
    "stop": ("ctl", "stop_command"),
    "upgrade": ("ctl", "upgrade_command"),
    "ctl": ("ctl", "ctl_command"),
    "explain": ("explain", "explain_command"),
    "topology": ("topology", "topology_command"),
    "demo": ("demo", "demo_command"),
    "bench": ("bench", "bench_command"),
}
"""Name -> (module of this package, function)."""


def application(only: str | None = None) -> typer.Typer:
    """The whole command line, or the part of it that `only` needs."""
    # Where rich is installed, typer escapes brackets for it also in help that rich does not show: "\[default: ...".
    typer.core.HAS_RICH = False
    app = typer.Typer(
        name="maniple",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", help="Show the version and end.", callback=show_version),
    ) -> None:
        """maniple: a load balancer for HTTP and TCP that speaks HAProxy's configuration language.

        HAProxy's own command line (-f -c -D -W ...) is `maniple-haproxy`.
        """

    for name, (module, function) in COMMANDS.items():
        if only is None or name == only:
            app.command(name)(getattr(import_module(f".{module}", __package__), function))
    return app


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"maniple {__version__}")
        raise typer.Exit


def main() -> None:
    """The console script."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        application(first if first in COMMANDS else None)()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # Whoever read our output is gone. Python would complain once more when it flushes at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
