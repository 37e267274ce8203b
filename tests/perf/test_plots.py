"""Charts are well-formed, and show every bar."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from maniple.perf.plots import COLOURS, Bar, BarGroup, bar_chart

SVG = "{http://www.w3.org/2000/svg}"
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20)
bars = st.builds(Bar, words, st.floats(0, 100), words)
groups = st.builds(BarGroup, words, st.lists(bars, max_size=4), st.none() | st.floats(0, 5))


@given(words, st.lists(groups, max_size=4))
def test_well_formed_for_any_words(title: str, drawn: list[BarGroup]) -> None:
    root = ET.fromstring(bar_chart(title, title, title, drawn, most=2.5, reference=1.0))
    assert root.tag == f"{SVG}svg"
    titled = [element for element in root.iter(f"{SVG}rect") if element.find(f"{SVG}title") is not None]
    assert len(titled) == sum(len(group.bars) for group in drawn)


def test_long_bars_are_cut_and_marked() -> None:
    text = bar_chart(
        "t",
        "s",
        "a",
        [BarGroup("g", [Bar("one", 2.0, "2"), Bar("two", 300.0, "300")], 1.2)],
        most=2.5,
        goal_name="goal of one",
    )
    root = ET.fromstring(text)
    width = float(root.attrib["width"])
    for element in root.iter(f"{SVG}rect"):
        assert float(element.get("x", "0")) + float(element.attrib["width"]) <= width
    assert "300 →" in text
    assert "2 →" not in text
    assert "goal of one" in text


def test_a_series_keeps_its_colour() -> None:
    both = [BarGroup("g", [Bar("one", 1.0, ""), Bar("two", 1.0, "")])]
    alone = [BarGroup("g", [Bar("two", 1.0, "")])]
    charts = [bar_chart("t", "s", "a", drawn, most=2.0, series=["one", "two"]) for drawn in (both, alone)]
    assert all(COLOURS[1] in chart for chart in charts)
    assert COLOURS[0] not in charts[1]
