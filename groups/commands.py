"""The runtime commands: their table, what each needs in words and in level, and what it asks of the supervisor.

Owns: the syntax and the texts of complaints, which are HAProxy's where the command is (management 9.3, 9.4). Must not
know: sockets and clients. Invariant: every command ends its answer, at once or through the supervisor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .command import LEVELS as LEVELS
from .command import Command, Payload
from .command import refuse as _refuse
from .command_texts import information_text, processes_text
from .pattern_commands import PATTERN_COMMANDS
from .status import Status, weighed
from .status_text import status_text
from .steering import Answer, Steering
from .table_commands import TABLE_COMMANDS


def find(words: Sequence[str]) -> Command | None:
    """The command that the line begins with; of two the longer one."""
    found: Command | None = None
    for command in COMMANDS:
        if tuple(words[: len(command.words)]) == command.words and (
            found is None or len(command.words) > len(found.words)
        ):
            found = command
    return found


def execute(steering: Steering, words: Sequence[str], level: str, answer: Answer) -> None:
    """Carries out one line that is no word of the conversation itself."""
    command = find(words)
    if command is None:
        answer.line(unknown_text(words, level))
        answer.end(False)
    elif LEVELS[command.level] > LEVELS[level]:
        answer.line("Permission denied")
        answer.end(False)
    else:
        if not command.payload and isinstance(words[-1], Payload):
            words = words[:-1]
        command.run(steering, words[len(command.words) :], answer)


def help_text(level: str, first: Sequence[str] = ()) -> str:
    """All commands of the level, or those that begin with `first`."""
    head = "The following commands are valid at this level:"
    return "\n".join((head, *_rows(_allowed(level, first)), *CONVERSATION))


def unknown_text(words: Sequence[str], level: str) -> str:
    """What HAProxy says to a line that it does not know, with the commands that are near."""
    import difflib  # 7 ms, for a mistake

    names = {command.words[0] for command in COMMANDS}
    near = difflib.get_close_matches(words[0], names, cutoff=0.5)
    rows = [row for name in near for row in _rows(_allowed(level, (name,)))]
    if rows:
        head = f"Unknown command: '{words[0]}', but maybe one of the following ones is a better match:"
    else:
        head = f"Unknown command: '{words[0]}', please enter one of the following commands only:"
        rows = _rows(_allowed(level, ()))
    return "\n".join((head, *rows, *CONVERSATION))


def _allowed(level: str, first: Sequence[str]) -> list[Command]:
    return [
        command
        for command in COMMANDS
        if LEVELS[command.level] <= LEVELS[level] and command.words[: len(first)] == tuple(first) and command.usage
    ]


def _rows(commands: Sequence[Command]) -> list[str]:
    return [f"  {command.usage:<40}: {command.summary}" for command in commands]


# What they do.


def _reload(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    steering.reload(answer)


def _upgrade(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    steering.upgrade(answer)


def _scale(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if len(words) != 1 or not words[0].isascii() or not words[0].isdigit() or not 1 <= int(words[0]) <= MAX_GROUPS:
        _refuse(answer, f"A number of groups from 1 to {MAX_GROUPS} is expected.")
    else:
        steering.scale(int(words[0]), answer)


def _set_server(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    target = _target(words, answer)
    if target is None:
        return
    what = words[1] if len(words) > 1 else ""
    if what == "state":
        if len(words) != 3 or words[2] not in ("ready", "drain", "maint"):
            _refuse(answer, "'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
        else:
            steering.set_server(*target, words[2], None, answer)
    elif what == "weight":
        _weight(steering, target, words[2:], answer)
    else:
        _refuse(answer, "usage: set server <backend>/<server> state | weight")


def _set_weight(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    target = _target(words, answer)
    if target is not None:
        _weight(steering, target, words[1:], answer)


def _enable_server(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    target = _target(words, answer)
    if target is not None:
        steering.set_server(*target, "ready", None, answer)


def _disable_server(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    target = _target(words, answer)
    if target is not None:
        steering.set_server(*target, "maint", None, answer)


def _target(words: Sequence[str], answer: Answer) -> tuple[str, str] | None:
    backend, slash, server = (words[0] if words else "").partition("/")
    if not slash or not backend or not server:
        _refuse(answer, "Require 'backend/server'.")
        return None
    return backend, server


def _weight(steering: Steering, target: tuple[str, str], words: Sequence[str], answer: Answer) -> None:
    if not words:
        _refuse(answer, "Require <weight> or <weight%>.")
        return
    text = words[0]
    number = text.removesuffix("%")
    digits = len(number) - len(number.lstrip("0123456789"))
    if not digits:
        _refuse(answer, "Empty weight string empty or preceded by garbage")
    elif digits < len(number):
        _refuse(answer, "Trailing garbage in weight string")
    elif text == number and int(number) > MAX_WEIGHT:
        _refuse(answer, f"Absolute weight can only be between 0 and {MAX_WEIGHT} inclusive.")
    else:
        steering.set_server(*target, None, text, answer)


def _show_status(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    if words not in ((), [], ["json"], ("json",)):
        _refuse(answer, "'show status' expects nothing or 'json'.")
        return
    status = weighed(steering.status())
    answer.line(status.to_json().decode() if words else status_text(status))
    answer.end()


def _shown(text: Callable[[Status], str]) -> Callable[[Steering, Sequence[str], Answer], None]:
    def show(steering: Steering, words: Sequence[str], answer: Answer) -> None:
        answer.line(text(steering.status()))
        answer.end()

    return show


def _show_peers(steering: Steering, words: Sequence[str], answer: Answer) -> None:
    steering.show_peers(words, answer)


def _stop(hard: bool) -> Callable[[Steering, Sequence[str], Answer], None]:
    def stop(steering: Steering, words: Sequence[str], answer: Answer) -> None:
        # The answer first: a hard stop may close the control socket.
        answer.end()
        steering.stop(hard=hard)

    return stop


MAX_GROUPS = 256
MAX_WEIGHT = 256
_ROWS = (
    Command(
        ("disable", "server"), "disable server <bk>/<srv>", "put a server into maintenance", "admin", _disable_server
    ),
    Command(("enable", "server"), "enable server <bk>/<srv>", "make a server ready again", "admin", _enable_server),
    Command(("hard-stop",), "hard-stop", "end at once", "admin", _stop(True)),
    Command(("reload",), "reload", "put the configuration files in service as they are now", "operator", _reload),
    Command(("scale",), "scale <number>", "as many groups as that", "admin", _scale),
    Command(("set", "nbgroup"), "set nbgroup <number>", "as many groups as that", "admin", _scale),
    Command(
        ("set", "server"),
        "set server <bk>/<srv> [opts]",
        "state {ready|drain|maint}, weight <n>[%]",
        "admin",
        _set_server,
    ),
    Command(
        ("set", "weight"), "set weight <bk>/<srv>  (DEPRECATED)", "a server's weight, <n>[%]", "admin", _set_weight
    ),
    Command(("show", "info"), "show info", "figures of the whole process", "user", _shown(information_text)),
    Command(
        ("show", "peers"),
        "show peers [dict|-] [section]",
        "peers sections, who is connected, how far each is",
        "user",
        _show_peers,
    ),
    Command(("show", "proc"), "show proc", "the supervisor and its groups", "user", _shown(processes_text)),
    Command(("show", "status"), "show status [json]", "everything, as `maniple status`", "user", _show_status),
    Command(
        ("show", "version"),
        "show version",
        "version of the running program",
        "user",
        _shown(lambda status: status.version),
    ),
    Command(("soft-stop",), "soft-stop", "end when the present connections have ended", "admin", _stop(False)),
    Command(("upgrade",), "upgrade", "execute the program's present files, sockets kept", "admin", _upgrade),
)
COMMANDS = tuple(sorted((*_ROWS, *PATTERN_COMMANDS, *TABLE_COMMANDS), key=lambda command: command.words))
"""In the order of the alphabet, as help shows them."""

CONVERSATION = (
    "  operator                                : lower the level of this connection to operator",
    "  user                                    : lower the level of this connection to user",
    "  show cli level                          : the level of this connection",
    "  result <command>                        : the answer begins with Success=0 or Success=1, and a line of --",
    "  help [<command>]                        : list matching or all commands",
    "  prompt                                  : toggle interactive mode with prompt",
    "  quit                                    : disconnect",
)
"""Words that the conversation itself knows."""
