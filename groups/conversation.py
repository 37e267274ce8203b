"""One client of the control socket: its commands, its answers, its buffers and its deadline.

Owns: the conversation as HAProxy has it (management 9.3): commands separated by `;`, an empty line after each answer,
the end of the connection after the first line unless `prompt` was said, `@` prefixes of the master (9.4). Must not
know: how bytes become commands (command_lines), what commands do, listening sockets.

Invariants: nothing here blocks. One command at a time: the next begins when the answer before has ended and what was
said has mostly been read. What a client may keep in our memory is bounded, and so is the time that it may keep us
waiting, for a line or for room to write.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from . import commands
from .command import LEVELS
from .command_lines import MAX_INPUT, CommandLines, TooLong
from .steering import Answer, Steering

ENOUGH = 65536
"""Bytes not read by the client that keep its next command waiting."""


class Conversation:
    """Registers its socket with the selector, whose key.data is called without arguments. `gone` is called once, when
    the connection is closed or is somebody else's."""

    def __init__(
        self,
        connection: socket.socket,
        steering: Steering,
        selector: selectors.BaseSelector,
        *,
        level: str,
        expose: bool,
        prompt: str,
        patience: float,
        clock: Callable[[], float],
        gone: Callable[[Conversation], None],
    ) -> None:
        """`expose`: listening sockets may be asked for; `prompt`: name before the `>`; `patience`: seconds of
        inactivity, and of a client that does not read."""
        connection.setblocking(False)
        self.due: float | None = None
        """When `expire` is to be called; None: we are the one who is waited for."""
        self._socket = connection
        self._steering = steering
        self._selector = selector
        self._level = level
        self._expose = expose
        self._name = prompt
        self._scope = prompt
        self._patience = patience
        self._clock = clock
        self._gone = gone
        self._lines = CommandLines(self._want_more)
        self._outgoing = bytearray()
        self._commands: deque[list[str]] = deque()
        self._answer: Answer | None = None
        self._portions: Iterator[Sequence[str]] | None = None
        """Of an answer that is made as the client reads it."""
        self._interactive = False
        self._ended = False
        """The client says no more; it may still read."""
        self._finishing = False
        """What is written is the last; then the connection is closed."""
        self._open = True
        self._events = 0
        self._watch()

    # What the selector calls.

    def _ready(self) -> None:
        if self._outgoing:
            self._flush()
        if self._open and not self._finishing:
            self._receive()
        self._go_on()

    def _receive(self) -> None:
        try:
            received = self._socket.recv(MAX_INPUT)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        self._ended = not received
        try:
            self._lines.feed(received)
        except TooLong as error:
            self._refuse(error)

    def _take_line(self) -> bool:
        """Without `prompt` the first line is all there is, with its payload."""
        if self._lines.begun and not self._interactive and not self._lines.in_payload:
            return False
        try:
            found = self._lines.take()
        except TooLong as error:
            self._refuse(error)
            return False
        self._commands.extend(found or ())
        return found is not None

    def _refuse(self, error: TooLong) -> None:
        self._say(f"{error}\n")
        self._finishing = True

    def _want_more(self) -> None:
        """A line of a payload."""
        if self._interactive:
            self._say("+ ")

    def _go_on(self) -> None:
        """Runs what waits, as far as the client reads what it is told."""
        while self._open and not self._finishing and self._answer is None:
            if len(self._outgoing) >= ENOUGH:
                self._flush()
                if len(self._outgoing) >= ENOUGH:
                    break
            elif self._portions is not None:
                if not self._take_portion(self._portions):
                    # The others' turn; the next portion when there is room for it.
                    break
            elif self._commands:
                self._run(self._commands.popleft())
            elif not self._take_line():
                waits = self._interactive or self._lines.in_payload
                self._finishing = self._finishing or self._ended or (self._lines.begun and not waits)
                break
        if self._open:
            self._flush()
        if self._open:
            self._watch()

    # Commands.

    def _run(self, words: list[str]) -> None:
        if words and words[0].startswith("@") and not self._prefix(words):
            return
        verdict = bool(words) and words[0] == "result"
        if verdict:
            words = words[1:]
        if not words:
            self._say("\n")
            self._prompt()
        elif words[0] in _OWN:
            _OWN[words[0]](self, words)
        elif words == ["show", "cli", "level"]:
            self._reply([self._level])
        elif words == ["_getsocks"]:
            self._hand_sockets()
        else:
            # A reload answers so since HAProxy 2.7.
            self._execute(words, verdict or words[0] in ("reload", "upgrade"))

    def _execute(self, words: Sequence[str], verdict: bool) -> None:
        answer: Answer | None = None

        def ended(lines: list[str], ok: bool) -> None:
            if verdict:
                lines = [f"Success={int(ok)}", "--", *lines]
            self._reply(lines)
            if self._answer is answer:
                self._answer = None
                self._go_on()

        def poured(portions: Iterator[Sequence[str]]) -> None:
            if verdict:
                self._say("Success=1\n--\n")
            self._portions = portions

        answer = Answer(ended, self._release, poured)
        try:
            commands.execute(self._steering, words, self._level, answer)
        except Exception as error:
            # One command must not end the process that holds everything together.
            answer.line(f"Internal error: {type(error).__name__}: {error}")
            answer.end(False)
        if not answer.ended:
            self._answer = answer

    def _take_portion(self, portions: Iterator[Sequence[str]]) -> bool:
        """Says the next one. True: there was none any more."""
        try:
            lines = next(portions, None)
        except Exception as error:
            self._say(f"Internal error: {type(error).__name__}: {error}\n")
            lines = None
        if lines is None:
            self._portions = None
            self._reply([])
            return True
        self._say("".join(f"{line}\n" for line in lines))
        return False

    def _prefix(self, words: list[str]) -> bool:
        """`@1 …`, `@!<pid> …`, `@master …`: there is one process to talk to, so a prefix is only checked, and taken
        off. Alone it changes the prompt. False: nothing is left to run."""
        target = words.pop(0)[1:]
        name = self._target(target)
        if name is None:
            self._say(f"Can't find the target PID matching the prefix '@{target}'\n")
            self._finishing = True
            return False
        if not words:
            self._scope = name
            self._prompt()
            return False
        return True

    def _target(self, target: str) -> str | None:
        if target in ("", "master", "0"):
            return self._name
        if not re.fullmatch(r"!?[0-9]{1,10}", target):
            return None
        status = self._steering.status()
        number = int(target.lstrip("!"))
        if not target.startswith("!"):
            return next((str(group.pid) for group in status.groups if group.number == number), None)
        if number == status.pid:
            return self._name
        return str(number) if any(group.pid == number for group in status.all_groups) else None

    def _hand_sockets(self) -> None:
        if self._expose:
            connection = self._release()
            if connection is not None:
                self._steering.hand_sockets(connection)
        else:
            self._finishing = True

    def _toggle_prompt(self, words: Sequence[str]) -> None:
        self._interactive = not self._interactive
        if not self._interactive or self._name != MASTER:
            self._say("\n")
        self._prompt()

    def _lower(self, words: Sequence[str]) -> None:
        if LEVELS[words[0]] > LEVELS[self._level]:
            self._reply(["Permission denied"])
        else:
            self._level = words[0]
            self._reply([])

    def _help(self, words: Sequence[str]) -> None:
        self._reply(commands.help_text(self._level, words[1:]).split("\n"))

    def _quit(self, words: Sequence[str]) -> None:
        self._commands.clear()
        self._finishing = True

    # Output.

    def _reply(self, lines: Sequence[str]) -> None:
        self._say("".join(f"{line}\n" for line in lines) + "\n")
        self._prompt()

    def _prompt(self) -> None:
        if self._interactive:
            self._say(f"{self._scope}> ")

    def _say(self, text: str) -> None:
        if self._open:
            try:
                self._outgoing += text.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError:
                self._outgoing += text.encode("utf-8", "replace")

    def _flush(self) -> None:
        while self._outgoing:
            try:
                sent = self._socket.send(self._outgoing[:ENOUGH], socket.MSG_NOSIGNAL)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.close()
                return
            del self._outgoing[:sent]
            self.due = self._clock() + self._patience
        if self._finishing:
            self.close()

    # Life.

    def _watch(self) -> None:
        """Tells the selector what we wait for."""
        events = 0
        if not self._finishing and not self._ended and not self._lines.full:
            events |= selectors.EVENT_READ
        if self._outgoing or self._portions is not None:
            events |= selectors.EVENT_WRITE
        if events != self._events:
            if not self._events:
                self._selector.register(self._socket, events, self._ready)
            elif events:
                self._selector.modify(self._socket, events, self._ready)
            else:
                self._selector.unregister(self._socket)
            self._events = events
        if self._answer is not None and not self._outgoing:
            self.due = None
        else:
            self.due = self._clock() + self._patience

    def expire(self, now: float) -> None:
        """Closes the connection if its time is over."""
        if self.due is not None and self.due <= now:
            self.close()

    def _release(self) -> socket.socket | None:
        """The connection is somebody else's from now on. What is not read yet goes with it unsaid."""
        if not self._open:
            return None
        self._leave()
        return self._socket

    def close(self) -> None:
        if self._open:
            self._leave()
            self._socket.close()

    def forget(self) -> None:
        """In a forked group: nothing but the descriptor is closed."""
        self._open = False
        self._socket.close()

    def _leave(self) -> None:
        self._open = False
        self._portions = None
        if self._events:
            self._selector.unregister(self._socket)
            self._events = 0
        self._gone(self)


MASTER = "master"
"""The name before the prompt of -S."""
_OWN: dict[str, Callable[[Conversation, Sequence[str]], None]] = {
    "prompt": Conversation._toggle_prompt,
    "quit": Conversation._quit,
    "help": Conversation._help,
    "operator": Conversation._lower,
    "user": Conversation._lower,
}
