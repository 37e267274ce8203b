"""The supervisor's children as its loop sees them: they are forked, spoken to, heard, asked, and missed when they end.

Owns: who lives, the channels in the selector, who has yet to answer. Must not know: generations, what messages mean.

Invariants: nothing here blocks; a child's last words are heard before its death is told.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .acknowledgements import PATIENCE, Acknowledgements, Outcome
from .child import Child
from .lifecycle import GroupState
from .messages import Channel, Kind, Message


class Processes:
    """`heard(child, message)`, `died(child, pid, code)` and `stacks(child, text)` are called for what happens."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        *,
        heard: Callable[[Child, Message], None],
        died: Callable[[Child, int, int], None],
        stacks: Callable[[Child, str], None],
    ) -> None:
        self.living: list[Child] = []
        self.acknowledgements = Acknowledgements()
        self._selector = selector
        self._heard = heard
        self._died = died
        self._stacks = stacks

    def start(self, child: Child, run: Callable[[Channel, int], int]) -> None:
        """Forks. Raises OSError."""
        child.start(time.monotonic(), run)
        self.adopt(child)

    def adopt(self, child: Child) -> None:
        """A child that runs already."""
        assert child.channel is not None
        self.living.append(child)
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._hear(child))
        if child.stacks >= 0:
            self._selector.register(child.stacks, selectors.EVENT_READ, lambda: self._read_stacks(child))

    def leave(self) -> None:
        """In a new child: closes what is the supervisor's alone. Above all the other groups' channels, or those groups
        would not see the end of file when the supervisor dies."""
        for child in self.living:
            child.close()

    # To the children.

    def say(self, child: Child, message: Message, descriptors: Sequence[int] = ()) -> None:
        """To the group, if there is one. A group that cannot be told things is ended: it must not go on half
        informed."""
        channel = child.channel
        if channel is not None:
            if not channel.send(message, descriptors):
                child.kill()
            if channel.pending:
                self._watch(child, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def dismiss(self, child: Child) -> None:
        """It shall end. One that still builds, which may take for ever, gets a signal as well; the message is for one
        that has just built: a signal just before the first turn of its loop is seen at the next signal only."""
        self.say(child, Message(Kind.STOP))
        if child.state == GroupState.STARTING and not child.accepts:
            child.kill(signal.SIGTERM)

    def ask(
        self,
        children: Iterable[Child],
        message: Message | Callable[[Child], Message],
        then: Callable[[Outcome], None],
        patience: float = PATIENCE,
    ) -> None:
        """Says it to all, and calls `then` when all have carried it out or `patience` has passed (acknowledgements)."""
        asked = list(children)
        ticket = self.acknowledgements.ask(asked, time.monotonic(), then, patience)
        for child in asked:
            said = message if isinstance(message, Message) else message(child)
            self.say(child, replace(said, ticket=ticket))

    def _watch(self, child: Child, events: int) -> None:
        assert child.channel is not None
        key = self._selector.get_key(child.channel)
        if key.events != events:
            self._selector.modify(child.channel, events, key.data)

    # From the children.

    def _hear(self, child: Child) -> None:
        """Reads what a group says, up to the end of file that its death is."""
        channel = child.channel
        if channel is not None and channel.pending:
            channel.flush()
            if not channel.pending:
                self._watch(child, selectors.EVENT_READ)
        while channel is not None and channel is child.channel:
            try:
                message = channel.receive()
            except BlockingIOError:
                return
            if message is None:
                # What is left is its exit code, which SIGCHLD brings.
                self._forget(child)
                return
            if message.kind == Kind.DONE:
                self.acknowledgements.answered(message.ticket, child, message.text)
            else:
                self._heard(child, message)

    def _read_stacks(self, child: Child) -> None:
        try:
            text = os.read(child.stacks, 65536)
        except OSError:
            return
        if text:
            self._stacks(child, text.decode("utf-8", "replace"))
        else:
            self._selector.unregister(child.stacks)
            os.close(child.stacks)
            child.stacks = -1

    def reap(self) -> None:
        """Some child may be dead: finds out which, and tells."""
        for child in list(self.living):
            pid = child.pid
            code = child.reap()
            if code is not None:
                self._hear(child)
                self._forget(child)
                self.living.remove(child)
                self.acknowledgements.gone(child)
                self._died(child, pid, code)

    def _forget(self, child: Child) -> None:
        if child.stacks >= 0:
            self._read_stacks(child)
        for what in (child.channel, child.stacks):
            if what is not None and what != -1:
                self._selector.unregister(what)
        child.close()

    def end(self) -> None:
        """Kills whoever lives, and waits for them."""
        for child in self.living:
            child.kill()
        for child in self.living:
            while child.pid and child.reap() is None:
                time.sleep(0.001)  # SIGKILL was sent: it is a matter of the scheduler
            child.close()
        self.living.clear()
