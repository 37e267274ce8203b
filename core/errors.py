"""The one tree of errors. A failure of an exchange carries the HTTP status and HAProxy's two-letter termination state,
so that the reply and the log line come from the exception and from nowhere else (failure table: reference 3.3).

Owns: the classes and the failure table. Must not know: sockets, configuration, logs.
"""

from __future__ import annotations


def what_and_how(error: ValueError) -> tuple[str, str]:
    """What is wrong, and how it is written instead ("" where that is not said): values and arguments complain with
    `what: how` (units, config/values, rules/arguments)."""
    what, _, how = str(error).partition(": ")
    return what, how


class ManipleError(Exception):
    """Any error that maniple raises on purpose."""


class ConfigError(ManipleError):
    """One error of a configuration, with its place. All errors of a file are collected, not only the first."""

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, column: int = 0, word: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.word = word
        self.hint = hint


class ExchangeError(ManipleError):
    """A request that ends without (the whole of) its server's response.

    `status` is what the client is told (0: nothing, the connection is just closed); `termination` is the cause and the
    phase for the log (manual 8.5)."""

    status: int = 500
    termination: bytes = b"IR"

    def __init__(self, message: str = "", status: int | None = None, termination: bytes | None = None) -> None:
        super().__init__(message)
        if status is not None:
            self.status = status
        if termination is not None:
            self.termination = termination


class ClientProtocolError(ExchangeError):
    """The client's bytes are not a request that we may forward (400, or a more exact status)."""

    status = 400
    termination = b"PR"


class ServerProtocolError(ExchangeError):
    """The server's bytes are not a response that we may forward."""

    status = 502
    termination = b"PH"
