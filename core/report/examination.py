"""What is wrong with rules, formats, captures and identifiers, told together with what reading the files found.

Owns: what is told where the files have errors already. Must not know: how a rule or a format is compiled. It is what
`config/parser.load` takes as `examine`: every way to start (run, check, explain, HAProxy's flags, a reload) tells the
same.
"""

from __future__ import annotations

from ..config.diagnostics import Diagnostics
from ..config.model import Configuration
from ..rules.proxy_rules import report_rules
from .format_check import report_formats


def examine(configuration: Configuration, diagnostics: Diagnostics) -> None:
    """Add what is found to `diagnostics`. Behind errors of the files it is errors only, and none at places that have
    one already."""
    broken = bool(diagnostics.errors)
    found = Diagnostics() if broken else diagnostics
    report_rules(configuration, found)
    report_formats(configuration, found)
    if broken:
        places = {report.place for report in diagnostics.errors}
        for report in found.errors:
            if report.place not in places:
                diagnostics.add(report)
