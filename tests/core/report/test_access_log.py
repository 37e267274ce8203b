from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.model import GlobalSpec, LogSpec, Place, ProxySpec
from maniple.core.errors import ConfigError
from maniple.core.report.access_log import AccessLog, is_normal
from maniple.core.report.log_format import HTTPLOG, TCPLOG
from maniple.core.report.senders import Senders
from maniple.core.session import Exchange

Make = Callable[..., Exchange]


class Written:
    """Access logs to a file, and what they wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.senders = Senders(lambda callback: None, 77, clock=lambda: 0.0)

    def log(self, text: str | None, *options: str, mode: str = "http", form: str = "short", **words: Any) -> AccessLog:
        place = Place("test.cfg", 1)
        logs = (LogSpec(place, "file", str(self.path), form, length=65535),)
        words.setdefault("globals", GlobalSpec())
        globals_ = words.pop("globals")
        proxy = ProxySpec(
            place, "web", "frontend", mode=mode, logs=logs, log_format=text, options=frozenset(options), **words
        )
        log = AccessLog(proxy, globals_, self.senders)
        log.compile(None)  # type: ignore[arg-type]
        return log

    def lines(self) -> list[str]:
        self.senders.flush()
        return self.path.read_text().splitlines()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path / "log")
    yield made
    made.senders.close()


FAILED: list[dict[str, Any]] = [
    {"termination": b"sH", "status": 504},
    {"termination": b"CD"},
    {"retries": 1},
    {"redispatched": True, "retries": 1},
    {"status": 503},
]


@pytest.mark.parametrize("facts", FAILED)
def test_what_is_not_normal(facts: dict[str, Any], make_exchange: Make) -> None:
    assert not is_normal(make_exchange(**facts))
    assert is_normal(make_exchange())
    assert is_normal(make_exchange(status=404))


def test_traffic_is_info(written: Written, make_exchange: Make) -> None:
    log = written.log("%ST")
    for facts in ({}, *FAILED):
        log.write(make_exchange(**facts))
    assert written.lines() == ["<6>200", "<6>504", "<6>200", "<6>200", "<6>200", "<6>503"]


def test_log_separate_errors(written: Written, make_exchange: Make) -> None:
    log = written.log("%ST", "log-separate-errors")
    for facts in ({}, *FAILED):
        log.write(make_exchange(**facts))
    assert written.lines() == ["<6>200", "<3>504", "<3>200", "<3>200", "<3>200", "<3>503"]


def test_dontlog_normal(written: Written, make_exchange: Make) -> None:
    log = written.log("%ST", "dontlog-normal")
    for facts in ({}, *FAILED):
        log.write(make_exchange(**facts))
    assert written.lines() == ["<6>504", "<6>200", "<6>200", "<6>200", "<6>503"]


@pytest.mark.parametrize(("mode", "word"), [("http", "HTTP"), ("tcp", "TCP")])
def test_default_format(mode: str, word: str, written: Written, make_exchange: Make) -> None:
    log = written.log(None, mode=mode)
    assert log.at_start
    log.connected(make_exchange().session)
    assert written.lines() == [f"<6>Connect from 192.0.2.7:40000 to 192.0.2.1:80 (web/{word})"]


@pytest.mark.parametrize(("options", "severity"), [((), 6), (("log-separate-errors",), 3)])
def test_refused_connections(
    options: tuple[str, ...], severity: int, written: Written, make_exchange: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.log(TCPLOG, *options, mode="tcp").refused(make_exchange().session, "no reason")
    (line,) = written.lines()
    assert line.startswith(f"<{severity}>192.0.2.7:40000 [1")
    assert line.endswith(":30.250] web/1: no reason")


def test_error_log_format_makes_the_lines_of_refused_connections(written: Written, make_exchange: Make) -> None:
    log = written.log(TCPLOG, error_log_format="%ci %ft %b/%s %ST %Tt %ts %{+Q}r %ms %fc")
    log.refused(make_exchange().session, "ignored")
    assert written.lines() == ['<6>192.0.2.7 web web/<NOSRV> 0 0 -- "<BADREQ>" 250 0']


def test_tag_host_and_process(written: Written, make_exchange: Make) -> None:
    spec = GlobalSpec(log_tag="global", log_send_hostname="here")
    written.log("%H %pid", form="rfc5424", globals=spec).write(make_exchange())
    written.log("x", form="rfc5424", globals=spec, log_tag="own").write(make_exchange())
    first, second = written.lines()
    assert first.endswith(" here global 77 - - here 77")
    assert second.endswith(" here own 77 - - x")


def test_host_of_the_format_is_this_machine_unless_named(written: Written, make_exchange: Make) -> None:
    written.log("%H", form="raw").write(make_exchange())
    assert written.lines() == [socket.gethostname()]


def test_logasap(written: Written, make_exchange: Make) -> None:
    written.log("%B %Ta", "logasap").write(make_exchange())
    assert written.lines() == ["<6>+5000 +15"]


def test_needed_facts(written: Written) -> None:
    assert written.log("%ci %sp %{+Q}bi x").variables == {"ci", "sp", "bi"}
    assert "si" not in written.log(HTTPLOG).variables


def test_mistake_in_a_format(written: Written) -> None:
    with pytest.raises(ConfigError, match="not a variable"):
        written.log("%zz")


def test_without_log_lines_nobody_is_there(written: Written) -> None:
    assert written.log("x").active
    assert not AccessLog(ProxySpec(Place("t", 1), "web", "frontend"), GlobalSpec(), written.senders).active


def test_structured_data_stands_before_the_text_of_rfc5424_lines(written: Written, make_exchange: Make) -> None:
    words = {"log_format_sd": '[a@1 ip="%ci"]'}
    written.log("text", form="rfc5424", **words).write(make_exchange())
    written.log("text", form="short", **words).write(make_exchange())
    log = written.log("text", form="rfc5424", **words)
    log.connected(make_exchange().session)
    structured, plain, connected = written.lines()
    assert structured.endswith(' - haproxy 77 - [a@1 ip="192.0.2.7"] text')
    assert plain == "<6>text"
    assert " haproxy 77 - - Connect from " in connected


def test_a_rule_decides_the_level(written: Written, make_exchange: Make) -> None:
    log = written.log("text", "log-separate-errors")
    log.write(make_exchange(status=503), 4)
    log.write(make_exchange(status=503))
    assert written.lines() == ["<4>text", "<3>text"]
    silent = written.log("text", "dontlog-normal")
    silent.write(make_exchange(), 4)
    assert len(written.lines()) == 2
