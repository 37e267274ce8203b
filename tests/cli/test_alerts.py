from __future__ import annotations

import os

import pytest
from maniple.cli.alerts import Alerts, wording
from maniple.core.config.diagnostics import Diagnostic
from maniple.core.config.model import Place


def report(level: str, file: str, line: int, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(level, Place(file, line, 1), message, hint=hint)  # type: ignore[arg-type]


REPORTS = [
    report("error", "a.cfg", 3, "bad word", "did you mean `bind`?"),
    report("error", "a.cfg", 4, "worse"),
    report("warning", "b.cfg", 1, "odd"),
    report("error", "c.cfg", 9, "bad too"),
    report("notice", "c.cfg", 10, "by the way"),
]


def test_reports_in_haproxys_form(capsys: pytest.CaptureFixture[str]) -> None:
    Alerts("/usr/sbin/x").report(REPORTS)
    pid = os.getpid()
    assert capsys.readouterr().err.splitlines() == [
        f"[NOTICE]   ({pid}) : haproxy version is 3.2.0-maniple",
        f"[NOTICE]   ({pid}) : path to executable is /usr/sbin/x",
        f"[ALERT]    ({pid}) : config : parsing [a.cfg:3] : bad word; did you mean `bind`?",
        f"[ALERT]    ({pid}) : config : parsing [a.cfg:4] : worse",
        f"[WARNING]  ({pid}) : config : parsing [b.cfg:1] : odd",
        f"[ALERT]    ({pid}) : config : Error(s) found in configuration file : a.cfg",
        f"[ALERT]    ({pid}) : config : parsing [c.cfg:9] : bad too",
        f"[NOTICE]   ({pid}) : config : parsing [c.cfg:10] : by the way",
        f"[ALERT]    ({pid}) : config : Error(s) found in configuration file : c.cfg",
        f"[ALERT]    ({pid}) : config : Fatal errors found in configuration.",
    ]


def test_notices_alone_need_no_introduction(capsys: pytest.CaptureFixture[str]) -> None:
    Alerts("x").report([report("notice", "a.cfg", 1, "by the way")])
    assert capsys.readouterr().err == f"[NOTICE]   ({os.getpid()}) : config : parsing [a.cfg:1] : by the way\n"


def test_quiet_silences_alerts_too(capsys: pytest.CaptureFixture[str]) -> None:
    alerts = Alerts("x", quiet=True)
    alerts.report(REPORTS)
    alerts.alert("bad")
    assert capsys.readouterr().err == ""


def test_a_report_about_a_whole_file_has_no_line() -> None:
    assert wording(Diagnostic("error", Place("a.cfg", 0, 0), "cannot read")) == "config : [a.cfg] : cannot read"
