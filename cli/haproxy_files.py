"""What the flags of `maniple-haproxy` make of configuration files: at the start, and again at each reload.

Owns: which files, HAProxy's words about what is wrong with them, and which flags win over what they say. Must not know:
processes. Invariant: a reload reads with the same flags as the start did, and finds the same errors.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.addresses import Address, resolve_address
from ..core.config.conditions import ConditionFacts
from ..core.config.control import read_master
from ..core.config.environment import Environment
from ..core.config.model import Configuration
from .alerts import Alerts
from .command_line import FlagLine, as_additions
from .haproxy_flags import Arguments

Sources = Sequence[tuple[str, str]]
"""Paths and contents."""


def environment_of(arguments: Arguments, files: Sequence[str]) -> Environment:
    peer = arguments.local_peer or socket.gethostname()
    forced = arguments.local_peer is not None
    return Environment(
        os.environ, files=files, local_peer=peer, local_peer_forced=forced, workers=arguments.master_worker
    )


def read_sources(arguments: Arguments) -> Sources:
    """Raises OSError."""
    paths = configuration_files(arguments.files)
    return [(path, Path(path).read_bytes().decode("utf-8", "surrogateescape")) for path in paths]


def unreadable(error: OSError) -> str:
    return f"config : Cannot open configuration file/directory {error.filename} : {error.strerror}"


def load(arguments: Arguments, sources: Sources, alerts: Alerts) -> tuple[Configuration | None, bool]:
    """The configuration, None after it said what is wrong; and whether there were warnings."""
    from ..core.config import parser
    from ..core.report.examination import examine

    paths = [path for path, _ in sources]
    environment = environment_of(arguments, paths)
    facts = ConditionFacts(environment, diagnostic_mode=arguments.diagnostic)
    unresolved = Unresolved()
    resolve = unresolved.resolve if arguments.ignore_unresolved else resolve_address
    additions = None
    if arguments.maxconn > 0:
        additions = as_additions([FlagLine(f"maxconn {arguments.maxconn}", frozenset(("global",)))])
    configuration, diagnostics = parser.load(
        sources, environment, facts=facts, additions=additions, examine=examine, resolve_name=resolve
    )
    alerts.report(diagnostics.in_order())
    if configuration is None:
        return None, False
    warned = bool(diagnostics.warnings)
    if not _is_master_possible(arguments, alerts):
        return None, warned
    for server in unresolved.names:
        alerts.warning(f"config : could not resolve address '{server}', its servers are disabled.")
        warned = True
    if warned and arguments.zero_warning:
        alerts.alert("config : Some warnings were found and 'zero-warning' is set. Aborting.")
        return None, warned
    return unresolved.disable(configuration), warned


def _is_master_possible(arguments: Arguments, alerts: Alerts) -> bool:
    if arguments.master_socket is None:
        return True
    if not arguments.master_worker:
        alerts.alert("config : a master CLI socket was defined, but master-worker mode (-W) is not enabled.")
        return False
    try:
        read_master(arguments.master_socket)
    except ValueError as error:
        alerts.alert(f"config : -S {arguments.master_socket} : {error}")
        return False
    return True


def read_again(arguments: Arguments, program: str) -> tuple[Configuration | None, str]:
    """For a reload: what is to be served, None where it cannot be; and what there is to say, in HAProxy's form."""
    said = io.StringIO()
    alerts = Alerts(program, stream=said)
    configuration: Configuration | None = None
    try:
        sources = read_sources(arguments)
    except OSError as error:
        alerts.alert(unreadable(error))
    else:
        configuration, _ = load(arguments, sources, alerts)
    if configuration is not None and not has_listener(configuration):
        alerts.alert(no_listener(program))
        configuration = None
    return None if configuration is None else overridden(configuration, arguments), said.getvalue()


def has_listener(configuration: Configuration) -> bool:
    return any(proxy.binds and not proxy.disabled for proxy in configuration.proxies)


def no_listener(program: str) -> str:
    return f"[{program}.main()] No enabled listener found (check for 'bind' directives) ! Exiting."


def overridden(configuration: Configuration, arguments: Arguments) -> Configuration:
    """Flags win over the file. A pid file is written in the background and with -W only, as HAProxy does."""
    spec = configuration.globals
    daemon = (arguments.daemon or spec.daemon) and not (arguments.foreground or arguments.debug)
    pidfile = (arguments.pidfile or spec.pidfile) if daemon or arguments.master_worker else None
    proxies = configuration.proxies
    if arguments.proxy_maxconn > 0:
        # A frontend that says nothing has the whole process's limit.
        proxies = tuple(
            replace(proxy, maxconn=arguments.proxy_maxconn)
            if proxy.has_frontend and proxy.maxconn == spec.maxconn
            else proxy
            for proxy in proxies
        )
    return replace(configuration, globals=replace(spec, daemon=daemon, pidfile=pidfile), proxies=proxies)


def configuration_files(paths: Sequence[str]) -> list[str]:
    """The files themselves, and of folders the *.cfg that are not hidden, in the order of their bytes. OSError."""
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            names = [name for name in os.listdir(path) if name.endswith(".cfg") and not name.startswith(".")]
            # HAProxy shows `dir//1.cfg` for `dir/`, and so do we.
            found = [f"{path}/{name}" for name in sorted(names, key=os.fsencode)]
            files.extend(file for file in found if os.path.isfile(file))
        else:
            os.stat(path)
            files.append(path)
    return files


class Unresolved:
    """What `-dr` does: names of servers that do not resolve are no error; their servers are disabled."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def resolve(self, address: Address) -> Address:
        """As resolve_address; a name that cannot be resolved becomes an address of 0.0.0.0/8, where nothing lives."""
        try:
            return resolve_address(address)
        except ValueError:
            if address.host not in self.names:
                self.names.append(address.host)
            return replace(address, kind="inet", host=f"0.0.0.{self.names.index(address.host) % 255 + 1}", family="")

    def disable(self, configuration: Configuration) -> Configuration:
        if not self.names:
            return configuration
        proxies = tuple(
            replace(
                proxy,
                servers=tuple(
                    replace(server, disabled=server.disabled or server.address.host.startswith("0.0.0."))
                    for server in proxy.servers
                ),
            )
            for proxy in configuration.proxies
        )
        return replace(configuration, proxies=proxies)
