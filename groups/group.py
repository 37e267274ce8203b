"""A group: the child process after the fork, until its end.

Owns: what the child undoes of its parent (signals, descriptors), its threads, and its conversation with the supervisor.
Must not know: other groups, other generations; which sockets it accepts on is told to it.

Life: say BORN, build the runtimes of all threads, become the configured user, say BUILT; get sockets and what else the
supervisor has to say; on GO say READY; do as told; end. The first build of all groups is the trial of a configuration:
nobody accepts before everybody has built. The group ends on STOP, after DRAIN when no connection is left, on SIGTERM,
and when the channel ends because the supervisor is gone. SIGINT is the supervisor's business: a terminal sends it to
both.

Invariants: `run_group` never returns into the parent's code (its caller calls os._exit). A message with a ticket is
answered once all threads have carried it out.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import socket
import traceback
from collections.abc import Callable
from functools import partial

from ..core.rules.pattern_changes import Change, read_changes, write_changes
from .affinity import pin
from .daemon import leave_streams
from .dealing import read_deal
from .messages import Channel, Kind, Message
from .seat import Seat
from .thread import Thread

STACKS = signal.SIGUSR2
"""A group that gets it writes the Python stacks of its threads, even where they do not turn any more."""
FAULT = 70
"""Exit code of a group that could not begin to serve."""
_PR_SET_PDEATHSIG = 1
_IGNORED = (
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTTOU,
    signal.SIGTTIN,
    signal.SIGPIPE,
)
# Loaded before any fork: a respawned group must not need the file system for it.
_libc = ctypes.CDLL(None, use_errno=True)


def run_group(seat: Seat) -> int:
    """The child's whole life. Returns its exit code: 0 when it was told to end, 1 when it could not start."""
    leave_parent(seat.supervisor)
    pin(seat.place.cpus)
    if seat.stacks >= 0:
        faulthandler.register(STACKS, seat.stacks, all_threads=True)
    return Group(seat).run()


def leave_parent(supervisor: int) -> None:
    """The parent's signals become ours, and we shall not outlive it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    die_with_parent(supervisor)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def die_with_parent(parent: int) -> None:
    """The kernel kills us when it dies (the channel's end of file says the same where there is no prctl). It may have
    died between the fork and the call. A change of user undoes this: to be called again after it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Group:
    """The group's threads and its end of the channel. Everything here runs in the main OS thread."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._channel: Channel = seat.channel
        self._threads = [Thread(seat, number) for number in range(1, seat.place.threads + 1)]
        self._first = self._threads[0]
        self._left_to_drain = 0
        self._ending = False
        self._admitted = False
        self._null = -1
        """What our streams will be, opened before a chroot."""
        self._tasks: dict[Kind, Callable[[Message, list[int]], None]] = {
            Kind.GO: self._go,
            Kind.DRAIN: self._drain,
            Kind.STOP: self._stop,
            Kind.LISTEN: self._listen,
            Kind.LEAVE: self._leave,
            Kind.PAUSE: lambda message, _: self._all(message, lambda thread: thread.runtime.pause()),
            Kind.RESUME: lambda message, _: self._all(message, lambda thread: thread.runtime.resume()),
            Kind.REPORT: lambda message, _: self._first.runtime.report(message.number, message.text),
            Kind.SERVER: self._set_server,
            Kind.DEAL: self._deal,
            Kind.PEERS: self._set_peers,
            Kind.INBOX: self._set_inbox,
            Kind.PIN: self._pin,
            Kind.PATTERNS: self._change_patterns,
            Kind.ASK: self._answer,
        }

    def run(self) -> int:
        self._show("starting")
        self._channel.send(Message(Kind.BORN))
        for thread in self._threads[1:]:
            thread.start()
        self._first.build()
        for thread in self._threads:
            thread.built.wait()
        failure = next((thread.failure for thread in self._threads if thread.failure), "") or self._enter()
        if failure:
            self._channel.send(Message(Kind.FAILED, text=failure))
            return 1
        for thread in self._threads:
            tell = partial(self._first.call, self._tell_changed, thread.number)
            thread.runtime.watch_patterns(tell)
        loop = self._first.loop
        loop.add_reader(self._channel.fileno(), self._readable)
        loop.add_signal_handler(signal.SIGTERM, self._stop, None, [])
        self._channel.send(Message(Kind.BUILT))
        self._first.run()
        return 0

    def _enter(self) -> str:
        if self._seat.leave_streams:
            self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        if self._seat.enter is None:
            return ""
        try:
            self._seat.enter()
        except Exception as error:
            return str(error)
        die_with_parent(self._seat.supervisor)
        return ""

    def _readable(self) -> None:
        while True:
            try:
                message = self._channel.receive()
            except BlockingIOError:
                return
            if message is None:
                self._first.loop.remove_reader(self._channel.fileno())
                self._stop(None, [])
                return
            descriptors, self._channel.received = self._channel.received, []
            try:
                self._tasks[message.kind](message, descriptors)
            except Exception:
                # A fault of ours. Who asked misses the answer, and names us; but for READY the supervisor would wait
                # for ever.
                traceback.print_exc()
                if not self._admitted:
                    os._exit(FAULT)

    def _all(
        self, message: Message | None, what: Callable[[Thread], object], then: Callable[[], None] | None = None
    ) -> None:
        """Each thread does it in its own OS thread. When all have, `then` is called in the main one, and the message
        answered; a ValueError's text goes with the answer."""
        waiting = [len(self._threads)]
        complaints: list[str] = []

        def did(complaint: str) -> None:
            if complaint:
                complaints.append(complaint)
            waiting[0] -= 1
            if not waiting[0]:
                if then is not None:
                    then()
                if message is not None and message.ticket:
                    text = complaints[0] if complaints else ""
                    self._say(Message(Kind.DONE, text=text, ticket=message.ticket))

        def do(thread: Thread) -> None:
            complaint = ""
            try:
                what(thread)
            except ValueError as error:
                complaint = str(error) or "refused"
            except Exception as error:
                # A fault of ours: it is told here and to whoever asked, and what runs goes on.
                traceback.print_exc()
                complaint = repr(error)
            self._first.call(did, complaint)

        for thread in self._threads:
            if thread is self._first:
                do(thread)
            else:
                thread.call(do, thread)

    def _go(self, message: Message, _: list[int]) -> None:
        if self._seat.leave_streams:
            leave_streams(self._null)
        self._show("")
        self._all(message, Thread.open_inbox, lambda: self._say(Message(Kind.READY)))
        self._admitted = True

    def _listen(self, message: Message, descriptors: list[int]) -> None:
        # Each thread closes what it accepts on itself: no two share a socket object.
        given: dict[int, list[tuple[int, str, int, socket.socket]]] = {}
        left: dict[int, list[int]] = {}
        for (listener, threads, bind_index, frontend), descriptor in zip(message.content, descriptors, strict=True):
            with socket.socket(fileno=descriptor) as sock:
                for thread in self._threads:
                    if thread.number in threads:
                        given.setdefault(thread.number, []).append((listener, frontend, bind_index, sock.dup()))
                    else:
                        left.setdefault(thread.number, []).append(listener)

        def listen(thread: Thread) -> None:
            for listener in left.get(thread.number, ()):
                thread.leave(listener)
            for listener, frontend, bind_index, sock in given.get(thread.number, ()):
                thread.listen(listener, frontend, bind_index, sock)

        self._all(message, listen)

    def _leave(self, message: Message, _: list[int]) -> None:
        listeners = message.content

        def leave(thread: Thread) -> None:
            for listener in listeners:
                thread.leave(listener)

        self._all(message, leave)

    def _set_server(self, message: Message, _: list[int]) -> None:
        changes = message.content
        loud = self._first if self._seat.place.number == 1 else None

        def change(thread: Thread) -> None:
            for backend, server, state, weight in changes:
                thread.runtime.set_server(backend, server, state, weight, quiet=thread is not loud)

        self._all(message, change)

    def _change_patterns(self, message: Message, _: list[int]) -> None:
        ours = os.getpid()
        batches = [(pid, number, read_changes(changes)) for pid, number, changes in message.content]

        def change(thread: Thread) -> None:
            for pid, number, changes in batches:
                own = pid == ours and number == thread.number if pid else None
                thread.runtime.change_patterns(changes, own=own)

        self._all(message, change)

    def _tell_changed(self, thread: int, changes: list[Change]) -> None:
        self._say(Message.of(Kind.CHANGED, write_changes(changes), number=thread))

    def _answer(self, message: Message, _: list[int]) -> None:
        """All threads know the same: the first one is asked."""
        try:
            text = self._first.runtime.ask(message.content)
        except Exception as error:
            traceback.print_exc()
            text = repr(error)
        self._say(Message(Kind.DONE, text=text, ticket=message.ticket))

    def _deal(self, message: Message, _: list[int]) -> None:
        shares = read_deal(message.content)

        def deal(thread: Thread) -> None:
            share = shares[thread.number]
            thread.runtime.deal(share.part, share.parts, share)

        self._all(message, deal)

    def _set_peers(self, message: Message, _: list[int]) -> None:
        peers = message.content

        def set_peers(thread: Thread) -> None:
            for frontend, bind_index, numbers in peers:
                thread.runtime.set_peers(frontend, bind_index, numbers)

        self._all(message, set_peers)

    def _set_inbox(self, message: Message, descriptors: list[int]) -> None:
        self._seat.senders.remove(message.number)
        for descriptor in descriptors:
            self._seat.senders.add(message.number, socket.socket(fileno=descriptor))

    def _pin(self, message: Message, _: list[int]) -> None:
        cpus = message.content
        self._all(message, lambda thread: pin(tuple(cpus[thread.number - 1])))

    def _drain(self, message: Message, _: list[int]) -> None:
        """Runtimes stop accepting, and every socket is closed here: the kernel would go on queueing connections that
        nobody accepts for as long as we live."""
        deadline = None if message.number < 0 else message.number
        lingering = frozenset(message.content if message.text else ())
        self._left_to_drain = len(self._threads)
        self._show("draining")

        def drained() -> None:
            self._left_to_drain -= 1
            if not self._left_to_drain:
                self._say(Message(Kind.DRAINED))
                self._end()

        self._all(message, lambda thread: thread.drain(deadline, lingering, lambda: self._first.call(drained)))

    def _stop(self, message: Message | None, _: list[int]) -> None:
        if not self._ending:
            self._all(message, lambda thread: thread.runtime.abort(), self._end)

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            for thread in reversed(self._threads):
                thread.finish()

    def _show(self, state: str) -> None:
        if self._seat.title is not None:
            self._seat.title(state)

    def _say(self, message: Message) -> None:
        """While the loop runs: what the supervisor does not read yet follows when it does."""
        self._channel.send(message)
        if self._channel.pending:
            self._first.loop.add_writer(self._channel.fileno(), self._flush)

    def _flush(self) -> None:
        if not self._channel.flush() or not self._channel.pending:
            self._first.loop.remove_writer(self._channel.fileno())
