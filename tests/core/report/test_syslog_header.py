"""Headers, by themselves and byte for byte against HAProxy's datagrams."""

from __future__ import annotations

import re
import socket
import time
from typing import Any

import pytest
from maniple.core.report.syslog_header import ERR, FACILITIES, FORMATS, INFO, SEVERITIES, make_header

DATE = 1233918854.25


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("form", "without_host", "with_host"),
    [
        ("local", b"<134>Feb  6 11:14:14 tag[7]: ", b"<134>Feb  6 11:14:14 tag[7]: "),
        ("rfc3164", b"<134>Feb  6 11:14:14 localhost tag[7]: ", b"<134>Feb  6 11:14:14 h1 tag[7]: "),
        (
            "rfc5424",
            b"<134>1 2009-02-06T11:14:14.250000+00:00 - tag 7 - - ",
            b"<134>1 2009-02-06T11:14:14.250000+00:00 h1 tag 7 - - ",
        ),
        ("priority", b"<134>", b"<134>"),
        ("short", b"<6>", b"<6>"),
        ("timed", b"<6>2009-02-06T11:14:14.250000+00:00 ", b"<6>2009-02-06T11:14:14.250000+00:00 "),
        ("iso", b"2009-02-06T11:14:14.250000+00:00 ", b"2009-02-06T11:14:14.250000+00:00 "),
        ("raw", b"", b""),
    ],
)
def test_formats(form: str, without_host: bytes, with_host: bytes) -> None:
    assert make_header(form, 16, "tag", "", 7)(INFO, DATE) == without_host
    assert make_header(form, 16, "tag", "h1", 7)(INFO, DATE) == with_host


def test_every_second_and_severity_has_its_own_header() -> None:
    header = make_header("local", 3, "t", "", 1)
    assert header(ERR, DATE) == b"<27>Feb  6 11:14:14 t[1]: "
    assert header(INFO, DATE) == b"<30>Feb  6 11:14:14 t[1]: "
    assert header(ERR, DATE + 1) == b"<27>Feb  6 11:14:15 t[1]: "
    assert header(ERR, DATE + 1) == b"<27>Feb  6 11:14:15 t[1]: "


def test_fraction_is_of_this_message() -> None:
    header = make_header("iso", 0, "t", "", 1)
    assert [header(0, DATE + step)[20:26] for step in (0, 0.5)] == [b"250000", b"750000"]


def test_unknown_format() -> None:
    with pytest.raises(ValueError, match="'x' is not a log format"):
        make_header("x", 0, "t", "", 1)


def test_names() -> None:
    assert len(SEVERITIES) == 8
    assert (len(FACILITIES), FACILITIES[16], FACILITIES[3]) == (24, "local0", "daemon")


@pytest.mark.parametrize("send_host", [None, "", "other"])
def test_same_bytes_as_haproxy(
    send_host: str | None, fresh_oracle: Any, haproxy_program: str, monkeypatch: Any
) -> None:
    """All formats in one run: one frontend, one `log` line for each format, all to one socket."""
    forms = ["", *FORMATS]
    logs = "".join(
        f" log 127.0.0.1:{fresh_oracle.log_port} {'format ' + form if form else ''} local{at % 8}\n"
        for at, form in enumerate(forms)
    )
    head = f"global\n log-tag abc\n {'' if send_host is None else 'log-send-hostname ' + send_host}\n"
    fresh_oracle.start(
        f"{head}listen web\n mode tcp\n bind {fresh_oracle.listener('web')}\n timeout client 2s\n timeout server 2s\n"
        f' timeout connect 1s\n log-format "text of %pid"\n{logs} server s1 127.0.0.1:{fresh_oracle.origin_port}\n',
        haproxy_program,
    )
    fresh_oracle.ask("web", b"GET / HTTP/1.1\r\n\r\n")
    host = "" if send_host is None else send_host or socket.gethostname()
    for at, form in enumerate(forms):
        theirs = fresh_oracle.line()
        found = re.search(rb"text of (\d+)\n$", theirs)
        assert found
        form = form or ("rfc3164" if host else "local")
        ours = make_header(form, 16 + at % 8, "abc", host, int(found[1]))(INFO, DATE) + found[0]
        digits = re.compile(rb"[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
        assert digits.sub(b"DATE", ours) == digits.sub(b"DATE", theirs)
        assert len(ours) == len(theirs)
