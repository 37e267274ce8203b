from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.logs import HTTP_LOG_FORMAT, NAMED_FORMATS, TCP_LOG_FORMAT, format_sample, parse_sample

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("stdout local0", {"target": "stdout", "facility": 16, "level": 7, "minlevel": 0, "format": ""}),
    ("stderr format raw daemon", {"target": "stderr", "format": "raw", "facility": 3}),
    ("fd@7 local7 info err", {"target": "fd", "address": "7", "facility": 23, "level": 6, "minlevel": 3}),
    ("file@/var/log/x local0", {"target": "file", "address": "/var/log/x"}),
    ("127.0.0.1 local0", {"target": "udp", "address": "127.0.0.1:514"}),
    ("127.0.0.1:1514 local0", {"target": "udp", "address": "127.0.0.1:1514"}),
    ("udp6@[::1]:514 local0", {"target": "udp", "address": "[::1]:514"}),
    ("one.example local0", {"target": "udp", "address": "192.0.2.1:514"}),
    ("/dev/log local0", {"target": "unix", "address": "/dev/log"}),
    ("unix@run/log local0", {"target": "unix", "address": "run/log"}),
    ("abns@x local0", {"target": "unix", "address": "\0x"}),
    ("stdout len 80 format rfc5424 sample 1,3-4:6 user", {"length": 80, "sample": ((1, 1), (3, 4)), "sample_size": 6}),
]
BAD = [
    ("", "`log` expects <address>"),
    ("stdout", "`log` expects <address>"),
    ("stdout foo", "'foo' is not a facility"),
    ("stdout len 10 local0", "from 80 to 65535"),
    ("stdout len 70000 local0", "from 80 to 65535"),
    ("stdout format foo local0", "one of rfc3164"),
    ("stdout format raw len 100 local0", "'len' is not a facility"),
    ("stdout local0 foo", "'foo' is not a level"),
    ("stdout local0 info foo", "'foo' is not a level"),
    ("stdout local0 info err extra", "extra argument 'extra'"),
    ("nowhere.example local0", "cannot resolve host"),
    ("127.0.0.1:1-2 local0", "range of ports"),
    ("ring@x local0", "`ring@` is not supported by maniple yet"),
    ("tcp@127.0.0.1 local0", "`tcp@` is not supported by maniple yet"),
    ("stdout sample 1:4", "a facility is expected"),
    ("file@ local0", "a path is expected"),
]
SAMPLES = [
    ("1:1", ((1, 1),), 1),
    ("2-3,1:4", ((1, 1), (2, 3)), 4),
]
BAD_SAMPLES = ["1", "foo", "0:4", "3-1:4", "1,1:4", "1-3,2:4", "5:4", "1:0", "1:x", ":4", "1,:4"]


@pytest.mark.parametrize(("words", "fields"), GOOD)
def test_read(read: Any, words: str, fields: dict[str, Any]) -> None:
    (log,) = read(f"frontend f\n log {words}\n").proxy("f").logs
    assert {name: getattr(log, name) for name in fields} == fields


@pytest.mark.parametrize(("words", "complaint"), BAD)
def test_refuse(read: Any, words: str, complaint: str) -> None:
    (error,) = read(f"frontend f\n log {words}\n").errors
    assert complaint in error


@pytest.mark.parametrize(("text", "ranges", "size"), SAMPLES)
def test_sample(text: str, ranges: tuple[tuple[int, int], ...], size: int) -> None:
    assert parse_sample(text) == (ranges, size)
    assert parse_sample(format_sample(ranges, size)) == (ranges, size)


@pytest.mark.parametrize("text", BAD_SAMPLES)
def test_bad_sample(text: str) -> None:
    with pytest.raises(ValueError):
        parse_sample(text)


def test_log_global_stands_for_the_global_loggers(read: Any) -> None:
    outcome = read("""
        frontend f
            log global
            log stderr local1
        global
            log stdout local0
            log 127.0.0.1 local2
    """)
    assert [log.target for log in outcome.proxy("f").logs] == ["stdout", "udp", "stderr"]


def test_no_log_forgets_the_defaults(read: Any) -> None:
    outcome = read("global\n log stdout local0\ndefaults\n log global\nfrontend f\n no log\nfrontend g\n")
    assert outcome.proxy("f").logs == ()
    assert len(outcome.proxy("g").logs) == 1
    assert read("frontend f\n no log x\n").errors == ["2:9 `log` cannot take the extra argument 'x'"]
    assert read("frontend f\n log global local0\n").errors == [
        "2:13 `log global` cannot take the extra argument 'local0'"
    ]
    assert read("global\n log global\n").errors == ["2:6 `log global` cannot stand in the global section"]


@pytest.mark.parametrize(
    ("mode", "lines", "expected"),
    [
        ("http", [], None),
        ("http", ["option httplog"], HTTP_LOG_FORMAT),
        ("http", ["option httplog clf"], NAMED_FORMATS["httplog clf"]),
        ("http", ["option tcplog"], TCP_LOG_FORMAT),
        ("tcp", ["option tcplog clf"], NAMED_FORMATS["tcplog clf"]),
        ("tcp", ["option httplog"], TCP_LOG_FORMAT),
        ("http", ["option httplog", "option tcplog"], TCP_LOG_FORMAT),
        ("http", ["option httplog", "log-format '%ci %r'"], "%ci %r"),
    ],
)
def test_format(read: Any, mode: str, lines: list[str], expected: str | None) -> None:
    text = "\n ".join([f"frontend f\n mode {mode}", *lines, ""])
    assert read(text).proxy("f").log_format == expected


def test_format_is_one_argument(read: Any) -> None:
    (error,) = read("frontend f\n log-format %ci %cp\n").errors
    assert error == "2:17 `log-format` takes one argument: quote it or escape its spaces"


def test_tags_and_host_names(read: Any) -> None:
    outcome = read("global\n log-tag one\n log-send-hostname\nfrontend f\n log-tag two\n")
    assert (outcome.good.globals.log_tag, outcome.good.globals.log_send_hostname) == ("one", "")
    assert outcome.proxy("f").log_tag == "two"
    again = read("global\n log-send-hostname a\n log-send-hostname b\n")
    assert again.good.globals.log_send_hostname == "a"
    assert again.warnings == ["3:2 `log-send-hostname` was already specified in line 2: the first one is kept"]
