"""The tree of errors: what a reply and a log line are made of."""

from __future__ import annotations

import pytest
from maniple.core.errors import (
    ClientProtocolError,
    ConfigError,
    ExchangeError,
    ManipleError,
    ServerProtocolError,
    what_and_how,
)


@pytest.mark.parametrize(
    ("kind", "status", "termination"),
    [(ExchangeError, 500, b"IR"), (ClientProtocolError, 400, b"PR"), (ServerProtocolError, 502, b"PH")],
)
def test_defaults(kind: type[ExchangeError], status: int, termination: bytes) -> None:
    error = kind("why")
    assert (str(error), error.status, error.termination) == ("why", status, termination)


def test_exact_status_and_state_belong_to_the_instance() -> None:
    error = ClientProtocolError("too large", 431, b"cR")
    assert (error.status, error.termination) == (431, b"cR")
    assert (ClientProtocolError.status, ClientProtocolError.termination) == (400, b"PR")
    # 0 is a status: the client is told nothing.
    assert ExchangeError("", 0).status == 0


def test_all_are_ours() -> None:
    for kind in (ConfigError, ExchangeError, ClientProtocolError, ServerProtocolError):
        assert issubclass(kind, ManipleError)
    assert not issubclass(ConfigError, ExchangeError)


def test_config_error_has_its_place() -> None:
    error = ConfigError("no such thing", file="a.cfg", line=3, column=7, word="thing", hint="a hint")
    assert str(error) == error.message == "no such thing"
    assert (error.file, error.line, error.column, error.word, error.hint) == ("a.cfg", 3, 7, "thing", "a hint")
    assert (ConfigError("x").file, ConfigError("x").line) == ("", 0)


def test_what_and_how() -> None:
    assert what_and_how(ValueError("it is wrong: such as this: 1")) == ("it is wrong", "such as this: 1")
    assert what_and_how(ValueError("it is wrong")) == ("it is wrong", "")
