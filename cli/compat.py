"""`maniple-haproxy`: what init scripts, containers and test tools that start `haproxy` start instead.

Owns: the order in which HAProxy acts on its flags, its exit codes and its answers to -c and -v. Must not know: how
flags are written (haproxy_flags.py), how a configuration is read (haproxy_files.py) or served. Invariants: without -D
the process that was started is the one that lives and answers signals; -c opens no socket. Manual: management, chapters
3 and 4; the answers were taken from HAProxy 2.6 and 3.0, and the tests ask those again.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence

from ..core.config.conditions import ConditionError, ConditionFacts, evaluate_text
from ..core.config.model import Configuration
from . import haproxy_dumps as dumps
from .alerts import Alerts
from .haproxy_files import (
    environment_of,
    has_listener,
    load,
    no_listener,
    overridden,
    read_again,
    read_sources,
    unreadable,
)
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
    if arguments.directory is not None and not is_continued():
        # (One that goes on in another's place is there already, and a relative name would lead it further.)
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
    environment = environment_of(arguments, [])
    try:
        return 0 if evaluate_text(arguments.condition or "", environment, ConditionFacts(environment)) else 1
    except ConditionError as error:
        alerts.alert(f"config : Failed to evaluate condition: {error.message}")
        return 2


def _with_files(arguments: Arguments, program: str, alerts: Alerts) -> int:
    """Everything that needs a configuration."""
    try:
        sources = read_sources(arguments)
    except OSError as error:
        alerts.alert(unreadable(error))
        return 1
    if not sources:
        return _show_usage(program)
    if arguments.dump_key:
        # Who gives a key wants names to be hidden: showing them would be the worst answer.
        alerts.alert("-dC: anonymising is not available yet.")
        return 1
    if arguments.dump_lines:
        sys.stdout.write(dumps.lines_text(sources, environment_of(arguments, [path for path, _ in sources])))
    configuration, warned = load(arguments, sources, alerts)
    if configuration is None and not arguments.check and is_continued():
        from ..groups.handover import stand_in

        configuration = stand_in()
    if configuration is None:
        return 1
    if arguments.dump_keywords:
        sys.stdout.write(dumps.keywords_text(arguments.dump_keywords))
    if arguments.dump_libraries:
        sys.stdout.write(dumps.libraries_text(heading=not alerts.quiet))
    if arguments.check:
        return _answer_check(configuration, arguments, warned)
    return _serve(configuration, arguments, program, alerts)


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
    from ..groups.activation import activated_sockets
    from ..groups.supervisor import Supervisor
    from ..groups.supervisor_options import SupervisorOptions

    activated = _old_sockets(arguments, alerts)
    if activated is None:
        return 1
    if not has_listener(configuration) and not (is_continued() and not configuration.proxies):
        alerts.alert(no_listener(program))
        return 1
    if arguments.memory > 0:
        limit = arguments.memory * 1024 * 1024
        try:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        except (ValueError, OSError, OverflowError):
            alerts.warning(f"[{program}.main()] Cannot fix MEM limit to {arguments.memory} megs.")
    quiet = arguments.quiet and not arguments.verbose
    if quiet:
        # HAProxy's -q lets go of the terminal: whoever reads our output sees its end.
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        os.close(null)
    configuration = overridden(configuration, arguments)
    options = SupervisorOptions(
        quiet=quiet,
        master_worker=arguments.master_worker,
        daemon=configuration.globals.daemon,
        control=(arguments.master_socket,) if arguments.master_socket is not None else (),
        own_control=True,
        activated=(*activated, *activated_sockets(os.environ)),
        reload=lambda: read_again(arguments, program),
        systemd=arguments.systemd,
        titles=True,
        files=tuple(arguments.files),
    )

    def ready(_listeners: object) -> None:
        for pids, number in ((arguments.finish, signal.SIGUSR1), (arguments.terminate, signal.SIGTERM)):
            for pid in pids:
                _signal(pid, number)

    return Supervisor(configuration, options, on_ready=ready).run()


def _old_sockets(arguments: Arguments, alerts: Alerts) -> Sequence[socket.socket] | None:
    """The listening sockets of the process before us (-x); None after it said what is wrong. A program that is executed
    in the place of a running one (`maniple upgrade`, the same command line) has them already."""
    path = arguments.old_socket
    if path == "/dev/null" or is_continued():
        return ()
    from ..groups.inheritance import InheritanceError, ask_for_sockets

    if path is None:
        return _sockets_of((*arguments.finish, *arguments.terminate))
    try:
        return ask_for_sockets(path)
    except InheritanceError as error:
        alerts.warning(str(error))
        alerts.alert("Failed to get the sockets from the old process!")
        return None


def _sockets_of(pids: Sequence[int]) -> Sequence[socket.socket]:
    """Those of the maniples among the processes that shall end when we are ready, so that clients in their queues are
    served without -x too. Beside what does not answer we bind sockets of our own, as HAProxy does."""
    from ..groups.inheritance import InheritanceError, ask_for_sockets
    from ..groups.runtime_directory import supervisors

    found: list[socket.socket] = []
    paths = supervisors() if pids else {}
    for pid in pids:
        if pid in paths:
            with contextlib.suppress(InheritanceError):
                found.extend(ask_for_sockets(paths[pid]))
    return found


def _signal(pid: int, number: int) -> None:
    # Gone already, or never there: a list of process ids is allowed to be out of date.
    with contextlib.suppress(OSError, OverflowError):
        os.kill(pid, number)


def is_continued() -> bool:
    """We are executed in the place of a running supervisor, or tried before that is done."""
    from ..groups.handover import PREFLIGHT, VARIABLE

    return PREFLIGHT in os.environ or VARIABLE in os.environ
