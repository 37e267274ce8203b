"""Line charts are well-formed and say what they show."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from maniple.perf.line_chart import Line, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_every_point_is_drawn_and_said() -> None:
    lines = [
        Line("ours & <others>", [("1", 10.0, 9.0, 11.0), ("2", 20.0, 18.0, 26.0)]),
        Line("pump", [("2", 12.0, 11.0, 13.0)]),
    ]
    root = ElementTree.fromstring(line_chart("A <title>", "below", "groups", "µs", ["1", "2"], lines))
    assert [circle[0].text for circle in root.iter(f"{SVG}circle")] == [
        "ours & <others>, 1: 10.0 µs (9.0 to 11.0)",
        "ours & <others>, 2: 20.0 µs (18.0 to 26.0)",
        "pump, 2: 12.0 µs (11.0 to 13.0)",
    ]
    heights = [float(circle.attrib["cy"]) for circle in root.iter(f"{SVG}circle")]
    assert heights[0] > heights[2] > heights[1]
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"A <title>", "groups", "1", "2", "pump", "0 µs"} <= set(words)


def test_nothing_to_show() -> None:
    ElementTree.fromstring(line_chart("t", "s", "a", "u", [], []))
