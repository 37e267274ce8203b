from __future__ import annotations

import io
import os

import pytest
from maniple.groups.notices import Notices


def test_form_is_haproxys() -> None:
    stream = io.StringIO()
    notices = Notices(stream=stream)
    notices.alert("a")
    notices.warning("b")
    notices.notice("c")
    pid = os.getpid()
    assert stream.getvalue() == f"[ALERT]    ({pid}) : a\n[WARNING]  ({pid}) : b\n[NOTICE]   ({pid}) : c\n"


def test_quiet_leaves_alerts(capsys: pytest.CaptureFixture[str]) -> None:
    notices = Notices(quiet=True)
    notices.warning("b")
    notices.notice("c")
    assert capsys.readouterr().err == ""
    notices.alert("a")
    assert capsys.readouterr().err.endswith(" : a\n")


def test_a_stream_that_is_gone_is_no_error() -> None:
    stream = io.StringIO()
    stream.close()
    Notices(stream=stream).alert("a")
