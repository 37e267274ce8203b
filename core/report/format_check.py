"""The formats, captures and identifiers of a configuration, compiled for nobody: what `maniple check` says of them.

Owns: going through them all. Must not know: how one is compiled.
"""

from __future__ import annotations

import socket

from ..config.diagnostics import Diagnostics
from ..config.model import Configuration, Place, ProxySpec
from ..errors import ConfigError
from ..rules.captures import mistakes
from ..rules.reply_format import error_replies
from ..rules.scope import Site
from ..rules.site import checked_site
from ..rules.unique_ids import header_adder, unique_id_format
from .access_log import KINDS, compile_proxy_format, text_of
from .log_format import Surroundings


def format_errors(configuration: Configuration) -> list[ConfigError]:
    """What is wrong, in the order of the proxies; each with its place."""
    site = checked_site(configuration)
    found: list[ConfigError] = []
    for proxy in configuration.proxies:
        if not proxy.disabled:
            found += _errors_of(proxy, site)
    return found


def _errors_of(proxy: ProxySpec, site: Site) -> list[ConfigError]:
    found = [error for line in proxy.rules for error in mistakes(line)]
    try:
        error_replies(proxy, site)
    except ConfigError as error:
        found.append(error)
    if not proxy.has_frontend:
        return found
    around = Surroundings(hostname=socket.gethostname(), site=site)
    for kind in KINDS:
        if text_of(proxy, kind):
            try:
                compile_proxy_format(proxy, kind, around)
            except ConfigError as error:
                found.append(error)
    for read in (lambda: unique_id_format(proxy, site), lambda: header_adder(proxy)):
        try:
            read()
        except ConfigError as error:
            found.append(error)
    return found


def report_formats(configuration: Configuration, diagnostics: Diagnostics) -> None:
    """Tell what `format_errors` finds; a format of a defaults section once."""
    told = set()
    for error in format_errors(configuration):
        place = Place(error.file, error.line, error.column)
        if (place, error.message) not in told:
            told.add((place, error.message))
            diagnostics.error(place, error.message, error.word, error.hint)
