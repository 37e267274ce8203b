from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st
from maniple.core.report.fields import NAMES
from maniple.core.report.formats import csv_header, csv_text, live_table


def test_header() -> None:
    assert csv_header().startswith("# pxname,svname,qcur,")
    assert csv_header().endswith(",cache_hint_hits,-,\n")


def test_rows() -> None:
    text = csv_text([{"pxname": "web", "svname": "FRONTEND", "scur": 3, "status": "OPEN", "act": True, "qcur": None}])
    _header, row, last = text.split("\n", 2)
    assert last == "\n"
    assert row.startswith("web,FRONTEND,,,3,,")
    cells = row.split(",")
    assert len(cells) == len(NAMES) + 2
    assert (cells[17], cells[19], cells[-2:]) == ("OPEN", "1", ["-", ""])


@given(st.text())
def test_any_text_reads_back(text: str) -> None:
    written = csv_text([{"pxname": "web", "last_chk": text}])
    (_header, row, *_end) = csv.reader(io.StringIO(written, newline=""))
    assert row[NAMES.index("last_chk")] == text


def test_live_table() -> None:
    before = {("back", "s1"): {"req_tot": 1000}}
    rows = [
        {"pxname": "web", "svname": "FRONTEND", "status": "OPEN", "req_tot": 30, "scur": 2, "ereq": 1},
        {
            "pxname": "back",
            "svname": "s1",
            "status": "UP",
            "req_tot": 4000,
            "scur": 12,
            "qcur": 5,
            "econ": 2,
            "eresp": 3,
            "connect": 100,
            "reuse": 300,
        },
    ]
    assert live_table(rows, before, 2.0).splitlines() == [
        "proxy  server    state  req/s  conns  queue  errors  reuse",
        "web    FRONTEND  OPEN      15      2      0       1      -",
        "back   s1        UP      1500     12      5       5   75 %",
    ]


def test_live_table_with_slow_rates_and_no_time() -> None:
    rows = [{"pxname": "web", "svname": "FRONTEND", "req_tot": 3}]
    assert "1.5" in live_table(rows, {}, 2.0)
    assert " 0 " in live_table(rows, {}, 0.0)
    assert live_table([], {}, 1.0).count("\n") == 1
