"""Conversations over a real socket, with a supervisor that only remembers. What is expected was taken from HAProxy 2.6
and 3.0 (test_control_against_haproxy asks it again)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.core.addresses import Address
from maniple.core.config.global_spec import ControlSpec
from maniple.core.config.model import Place
from maniple.groups.command_lines import MAX_INPUT
from maniple.groups.control import Endpoint
from maniple.groups.conversation import ENOUGH, MASTER
from maniple.groups.steering import Answer
from maniple.tests.groups.control_rig import STATUS, Rig

VERSION = f"{STATUS.version}\n\n"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig()
    made.control.open([endpoint(tmp_path, level="admin", expose_listeners=True)])
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "s")


def endpoint(tmp_path: Path, name: str = "", file: str = "s", **words: object) -> Endpoint:
    spec = ControlSpec(Place("x.cfg", 1), Address("unix", str(tmp_path / file)), **words)  # type: ignore[arg-type]
    return Endpoint(spec, name)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("show version\n", VERSION),
        ("show version;show version\n", VERSION * 2),
        ("show version;;show version\n", VERSION + "\n" + VERSION),
        ("show version;\n", VERSION + "\n"),
        ("show version\nshow version\n", VERSION),
        ("show version\r\n", VERSION),
        ("prompt\nshow version;show version\n\nquit\n", f"\n> {VERSION}> {VERSION}> \n> "),
        ("prompt;show version;prompt\n", f"\n> {VERSION}> \n"),
        ("quit\n", ""),
        ("quit;show version\n", ""),
        ("user;show cli level\n", "\nuser\n\n"),
        ("user;operator;set weight b/s 1\n", "\nPermission denied\n\nPermission denied\n\n"),
        ("set weight b/s 1\n", "\n"),
        ("result scale 3\n", "Success=1\n--\n\n"),
        ("reload\n", "Success=1\n--\n\n"),
        ("@1 show version\n", VERSION),
        ("@!201 show version\n", VERSION),
        ("@!190 show version\n", VERSION),
        ("@!100 show version\n", VERSION),
        ("@master show version\n", VERSION),
        ("@7 show version\n", "Can't find the target PID matching the prefix '@7'\n"),
        ("@!999 show version;show version\n", "Can't find the target PID matching the prefix '@!999'\n"),
        ("_getsocks\n", "here"),
    ],
)
def test_line(rig: Rig, path: str, said: str, told: str) -> None:
    assert rig.ask(path, said) == told


PAYLOADS = [
    ("add map none <<\na b\n\n", "Unknown map identifier. Please use #<id> or <file>.\n\n"),
    ("add map none <<END\na b\n\nc d\nEND\n", "Unknown map identifier. Please use #<id> or <file>.\n\n"),
    ("show version;add map none <<\na\n\n", VERSION + "Unknown map identifier. Please use #<id> or <file>.\n\n"),
    ("prompt\nshow version <<\nx\ny\n\nshow version\nquit\n", f"\n> + + + {VERSION}> {VERSION}> "),
]


@pytest.mark.parametrize(("said", "told"), PAYLOADS, ids=[said for said, _ in PAYLOADS])
def test_payloads(rig: Rig, path: str, said: str, told: str) -> None:
    assert rig.ask(path, said) == told


def test_payload_without_its_end_is_not_carried_out(rig: Rig, path: str) -> None:
    client = rig.client(path)
    client.say("reload <<\nx\n")
    client.socket.shutdown(socket.SHUT_WR)
    rig.until(lambda: client.ended)
    assert client.read == "" and rig.steering.calls == []


def test_payload_that_is_too_long(rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maniple.groups.command_lines.MAX_PAYLOAD", 100)
    assert rig.ask(path, "show version <<\n" + "line\n" * 30) == "Payload too long.\n"


def test_master_prompt_names_the_process(rig: Rig, tmp_path: Path) -> None:
    assert rig.control.open([endpoint(tmp_path, MASTER, "m")]) == []
    said = "prompt\nshow version\n@1\nshow version\n@master\nquit\n"
    assert rig.ask(str(tmp_path / "m"), said) == f"master> {VERSION}master> 201> {VERSION}201> master> "


def test_half_closed_client_is_answered(rig: Rig, path: str) -> None:
    """As `echo show version | socat` does it."""
    client = rig.client(path)
    client.say("show version\n")
    client.socket.shutdown(1)
    rig.until(lambda: client.ended)
    assert client.read == VERSION


def test_line_without_end_is_no_command(rig: Rig, path: str) -> None:
    client = rig.client(path)
    client.say("hard-stop")
    client.socket.shutdown(1)
    rig.until(lambda: client.ended)
    assert (client.read, rig.steering.calls) == ("", [])


def pouring(monkeypatch: pytest.MonkeyPatch, portions: Iterator[list[str]]) -> None:
    """`show version` is answered so."""

    def execute(steering: object, words: object, level: str, answer: Answer) -> None:
        answer.pour(portions)

    monkeypatch.setattr("maniple.groups.commands.execute", execute)


def test_portions_come_as_the_client_reads(rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody keeps what is not read, and others are served meanwhile."""
    made = 0

    def portions() -> Iterator[list[str]]:
        nonlocal made
        while made < 1000:
            made += 1
            yield ["x" * 9999]

    pouring(monkeypatch, portions())
    slow = rig.client(path)
    slow.say("result show version;user\n")
    while not made:
        rig.turn()
    (conversation,) = rig.control._conversations
    before = -1
    while made != before:
        before = made
        for _ in range(3):
            rig.turn()
    assert 0 < made < 100 and len(conversation._outgoing) < ENOUGH + 20_000
    other = rig.client(path)
    other.say("operator\n")
    deadline = time.monotonic() + 5
    while not other.ended and time.monotonic() < deadline:
        rig.turn()
        other.listen()
    assert other.read == "\n"
    rig.until(lambda: slow.ended)
    assert slow.read == "Success=1\n--\n" + ("x" * 9999 + "\n") * 1000 + "\n" + "\n"


def test_portions_without_lines_take_turns(rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pouring(monkeypatch, iter([["begin"], *[[]] * 100, ["end"]]))
    assert rig.ask(path, "show version\n") == "begin\nend\n\n"


def test_portions_of_a_client_that_goes_are_not_made(rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def portions() -> Iterator[list[str]]:
        nonlocal made
        while made < 100_000:
            made += 1
            yield ["x" * 9999]

    pouring(monkeypatch, portions())
    client = rig.client(path)
    client.say("show version\n")
    rig.until(lambda: made)
    client.socket.close()
    rig.clients.clear()
    rig.until(lambda: not rig.control._conversations)
    assert made < 1000


def test_portion_that_fails(rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def portions() -> Iterator[list[str]]:
        yield ["begin"]
        raise OSError("broken")

    pouring(monkeypatch, portions())
    assert rig.ask(path, "show version;user\n") == "begin\nInternal error: OSError: broken\n\n\n"


def test_bytes_one_by_one(rig: Rig, path: str) -> None:
    client = rig.client(path)
    for character in "show version\n":
        client.say(character)
        rig.turn()
    rig.until(lambda: client.ended)
    assert client.read == VERSION


def test_answer_comes_later_and_the_next_command_waits(rig: Rig, path: str) -> None:
    rig.steering.later = True
    client = rig.client(path)
    client.say("reload;scale 2;show version\n")
    rig.until(lambda: rig.steering.answers)
    rig.turn()
    assert rig.steering.calls == [("reload",)] and client.read == ""
    assert rig.control.due is None, "nobody is to be hurried: we are the one who is waited for"
    rig.steering.answers[0].line("New worker\n\nforked")
    rig.steering.answers[0].end(False)
    rig.until(lambda: len(rig.steering.answers) == 2)
    rig.steering.answers[1].end()
    rig.until(lambda: client.ended)
    assert client.read == "Success=0\n--\nNew worker\n \nforked\n\n" + "\n" + VERSION


def test_client_that_is_gone_does_not_hear_the_answer(rig: Rig, path: str) -> None:
    rig.steering.later = True
    client = rig.client(path)
    client.say("reload\n")
    rig.until(lambda: rig.steering.answers)
    client.socket.close()
    rig.clients.clear()
    rig.turn()
    rig.steering.answers[0].line("done")
    rig.steering.answers[0].end()
    rig.steering.answers[0].end()
    rig.steering.later = False
    assert rig.ask(path, "show version\n") == VERSION


def test_silent_client_is_left(rig: Rig, path: str) -> None:
    client = rig.client(path)
    rig.until(lambda: rig.control.due is not None)
    rig.ahead = 11.0
    rig.until(lambda: client.ended)
    assert rig.control.due is None


def test_client_that_does_not_read_keeps_little_and_is_left(rig: Rig, path: str) -> None:
    client = rig.client(path)
    client.say("prompt\n" + "help\n" * 2000)
    rig.clients.clear()  # nobody reads
    for _ in range(50):
        rig.turn()
    (conversation,) = rig.control._conversations
    assert len(conversation._outgoing) < 2 * ENOUGH
    rig.ahead = 11.0
    rig.until(lambda: not rig.control._conversations)
    client.socket.close()


def test_many_pipelined_commands(rig: Rig, path: str) -> None:
    """More output than the kernel and our buffer take at once: it goes on as the client reads."""
    client = rig.client(path)
    client.say("prompt\n" + "help\n" * 200 + "quit\n")
    rig.until(lambda: client.ended)
    assert client.read.count("The following commands") == 200


def test_line_that_is_too_long(rig: Rig, path: str) -> None:
    client = rig.client(path)
    client.say("x" * (MAX_INPUT + 2))
    rig.until(lambda: client.ended)
    assert client.read == "Line too long.\n" and rig.steering.calls == []


def test_fault_of_the_supervisor_is_told_and_survived(rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("group")

    monkeypatch.setattr(rig.steering, "scale", fail)
    assert rig.ask(path, "scale 2;show version\n") == "Internal error: KeyError: 'group'\n\n" + VERSION


def test_upgrade_takes_the_connection_and_the_next_program_answers(rig: Rig, path: str) -> None:
    rig.steering.later = True
    client = rig.client(path)
    client.say("upgrade\n")
    rig.until(lambda: rig.steering.answers)
    connection = rig.steering.answers[0].hand_over()
    assert connection is not None and rig.steering.answers[0].hand_over() is None
    rig.control.close(remove=False)
    answer = rig.control.resume(connection)
    answer.line("new version")
    answer.end()
    rig.until(lambda: client.ended)
    assert client.read == "Success=1\n--\nnew version\n\n"


def test_sockets_are_not_exposed_unless_it_is_said(rig: Rig, tmp_path: Path) -> None:
    rig.control.open([endpoint(tmp_path, file="t", level="admin")])
    assert rig.ask(str(tmp_path / "t"), "_getsocks\n") == ""
    assert rig.steering.calls == []
