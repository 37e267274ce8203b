"""`maniple-haproxy`: what init scripts, containers and test tools that start `haproxy` start instead.

Owns: the order in which HAProxy acts on its flags, its exit codes and its answers to -c and -v. Must not know: how
flags are written (haproxy_flags.py), how a configuration is read or served. Invariants: without -D the process that was
started is the one that lives and answers signals; -c opens no socket. Manual: management, chapters 3 and 4; the answers
were taken from HAProxy 2.6 and 3.0, and the tests ask those again.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.addresses import Address, resolve_address
from ..core.config.conditions import ConditionError, ConditionFacts, evaluate_text
from ..core.config.environment import Environment
from ..core.config.model import Configuration
from . import haproxy_dumps as dumps
from .alerts import Alerts
from .command_line import FlagLine, as_additions
from .haproxy_flags import Arguments, FlagError, MissingArgument, UsageError, parse, usage
from .version import build_text, version_text


def main() -> None:
    """The console script."""
    try:
        code = run(sys.argv[1:], sys.argv[0])
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT  # before anything was served: the supervisor has its own handlers
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output is gone. Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(code)


def run(words: Sequence[str], program: str) -> int:
    """Does what HAProxy does with these arguments, and returns its exit code."""
    try:
        arguments = parse(words)
    except MissingArgument:
        Alerts(program).alert("failed to copy argv.")
        return 1
    except FlagError as error:
        Alerts(program).alert(str(error))
        return 1
    except UsageError as error:
        if str(error):
            Alerts(program).alert(str(error))
        return _show_usage(program)
    if arguments.show_version:
        sys.stdout.write(version_text() + (build_text() if arguments.show_build else ""))
        return 0
    if arguments.memory_help:
        sys.stdout.write(dumps.memory_text())
        return 0
    alerts = Alerts(program, arguments.quiet and not arguments.verbose)
    if arguments.directory is not None:
        try:
            os.chdir(arguments.directory)
        except OSError as error:
            alerts.alert(f"Could not change to directory {arguments.directory} : {error.strerror}")
            return 1
    if arguments.condition is not None:
        return _evaluate(arguments, alerts)
    return _with_files(arguments, program, alerts)


def _show_usage(program: str) -> int:
    sys.stdout.write(version_text())
    sys.stdout.flush()
    sys.stderr.write(usage(os.path.basename(program)))
    return 1


def _evaluate(arguments: Arguments, alerts: Alerts) -> int:
    environment = _environment(arguments, [])
    try:
        return 0 if evaluate_text(arguments.condition or "", environment, ConditionFacts(environment)) else 1
    except ConditionError as error:
        alerts.alert(f"config : Failed to evaluate condition: {error.message}")
        return 2


def _environment(arguments: Arguments, files: Sequence[str]) -> Environment:
    peer = arguments.local_peer or socket.gethostname()
    return Environment(os.environ, files=files, local_peer=peer, workers=arguments.master_worker)


def _with_files(arguments: Arguments, program: str, alerts: Alerts) -> int:
    """Everything that needs a configuration."""
    from ..core.config.parser import load

    try:
        paths = configuration_files(arguments.files)
        sources = [(path, Path(path).read_bytes().decode("utf-8", "surrogateescape")) for path in paths]
    except OSError as error:
        alerts.alert(f"config : Cannot open configuration file/directory {error.filename} : {error.strerror}")
        return 1
    if not sources:
        return _show_usage(program)
    environment = _environment(arguments, paths)
    facts = ConditionFacts(environment, diagnostic_mode=arguments.diagnostic)
    unresolved = Unresolved()
    resolve = unresolved.resolve if arguments.ignore_unresolved else resolve_address
    if arguments.dump_key:
        # Who gives a key wants names to be hidden: showing them would be the worst answer.
        alerts.alert("-dC: anonymising is not available yet.")
        return 1
    if arguments.dump_lines:
        sys.stdout.write(dumps.lines_text(sources, _environment(arguments, paths)))
    additions = None
    if arguments.maxconn > 0:
        additions = as_additions([FlagLine(f"maxconn {arguments.maxconn}", frozenset(("global",)))])
    configuration, diagnostics = load(sources, environment, facts=facts, additions=additions, resolve_name=resolve)
    alerts.report(diagnostics.in_order())
    if configuration is None:
        return 1
    warned = bool(diagnostics.warnings)
    if arguments.master_socket is not None and not arguments.master_worker:
        alerts.alert("config : a master CLI socket was defined, but master-worker mode (-W) is not enabled.")
        return 1
    for server in unresolved.names:
        alerts.warning(f"config : could not resolve address '{server}', its servers are disabled.")
        warned = True
    if warned and arguments.zero_warning:
        alerts.alert("config : Some warnings were found and 'zero-warning' is set. Aborting.")
        return 1
    if arguments.dump_keywords:
        sys.stdout.write(dumps.keywords_text(arguments.dump_keywords))
    if arguments.dump_libraries:
        sys.stdout.write(dumps.libraries_text(heading=not alerts.quiet))
    if arguments.check:
        return _answer_check(configuration, arguments, warned)
    return _serve(unresolved.disable(configuration), arguments, program, alerts)


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


def _answer_check(configuration: Configuration, arguments: Arguments, warned: bool) -> int:
    silent = arguments.quiet and not arguments.verbose
    answer = "Warnings were found.\n" if warned else ""
    code = 0
    if not any(proxy.binds for proxy in configuration.proxies):
        answer += "Configuration file has no error but will not start (no listener) => exit(2).\n"
        code = 2
    elif arguments.verbose:
        answer += "Configuration file is valid\n"
    if not silent:
        sys.stdout.write(answer)
    return code


def _serve(configuration: Configuration, arguments: Arguments, program: str, alerts: Alerts) -> int:
    from ..groups.supervisor import Supervisor, SupervisorOptions

    if arguments.old_socket not in (None, "/dev/null") and not _answers(arguments.old_socket or ""):
        alerts.warning(f"Failed to connect to the old process socket '{arguments.old_socket}'")
        alerts.alert("Failed to get the sockets from the old process!")
        return 1
    if not any(proxy.binds and not proxy.disabled for proxy in configuration.proxies):
        alerts.alert(f"[{program}.main()] No enabled listener found (check for 'bind' directives) ! Exiting.")
        return 1
    if arguments.master_socket is not None:
        alerts.warning("the master CLI (-S) is not available yet.")
    if arguments.memory > 0:
        limit = arguments.memory * 1024 * 1024
        try:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        except (ValueError, OSError, OverflowError):
            alerts.warning(f"[{program}.main()] Cannot fix MEM limit to {arguments.memory} megs.")
    daemon = (arguments.daemon or configuration.globals.daemon) and not (arguments.foreground or arguments.debug)
    quiet = arguments.quiet and not arguments.verbose
    if quiet:
        # HAProxy's -q lets go of the terminal: whoever reads our output sees its end.
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        os.close(null)
    options = SupervisorOptions(quiet=quiet, master_worker=arguments.master_worker, daemon=daemon)

    def ready(_listeners: object) -> None:
        for pids, number in ((arguments.finish, signal.SIGUSR1), (arguments.terminate, signal.SIGTERM)):
            for pid in pids:
                _signal(pid, number)
        if arguments.systemd:
            notify_systemd("READY=1")

    return Supervisor(overridden(configuration, arguments, daemon), options, on_ready=ready).run()


def overridden(configuration: Configuration, arguments: Arguments, daemon: bool) -> Configuration:
    """Flags win over the file. A pid file is written in the background and with -W only, as HAProxy does."""
    spec = configuration.globals
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


def _answers(path: str) -> bool:
    """Whether something accepts on the unix socket of an older process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _signal(pid: int, number: int) -> None:
    # Gone already, or never there: a list of process ids is allowed to be out of date.
    with contextlib.suppress(OSError, OverflowError):
        os.kill(pid, number)


def notify_systemd(message: str) -> None:
    """sd_notify(3): one datagram to the socket that systemd names; nothing where it names none."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect("\0" + path[1:] if path[0] == "@" else path)
            sock.send(message.encode())
        except OSError:
            # systemd will notice by itself; a start must not fail for it.
            pass
