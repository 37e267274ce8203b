from __future__ import annotations

import errno
import socket

import pytest
from maniple.core.config.model import Address, BindSpec, Place
from maniple.groups.listener import Listener, bind_error

ADDRESS = Address("inet6", "::", 80, 80)
BIND = BindSpec(Place("test.cfg", 5, 7), ":::80", (ADDRESS,))


@pytest.mark.parametrize(
    ("error", "verb", "text"),
    [
        (OSError(errno.EADDRINUSE, "Address already in use"), "bind", "cannot bind socket (Address already in use)"),
        (OSError("odd"), "bind", "cannot bind socket (odd)"),
        (ValueError("thread 7 does not exist"), "bind", "cannot bind socket (thread 7 does not exist)"),
        (OSError(errno.EACCES, "Permission denied"), "listen to", "cannot listen to socket (Permission denied)"),
    ],
)
def test_errors_have_haproxys_words_and_a_place(error: Exception, verb: str, text: str) -> None:
    found = bind_error("web", BIND, ADDRESS, error, verb)
    assert found.message == f"Binding [test.cfg:5] for frontend web: {text} for [[::]:80]"
    assert (found.file, found.line, found.column, found.word) == ("test.cfg", 5, 7, ":::80")


def test_listeners_are_equal_to_themselves_only() -> None:
    with socket.socket() as sock:
        one, two = (Listener(1, "web", 0, ADDRESS, (), sock) for _ in range(2))
        assert one != two
        assert len({one, two}) == 2
